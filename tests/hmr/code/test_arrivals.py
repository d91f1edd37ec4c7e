from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from instar.hmr.code.arrivals import Arrivals
from instar.hmr.code.watch import Change, Repository


def change(number: int) -> Change:
    return Change(Path(f"{number}.py"), b"x", str(number), number)


def at_once(done: Callable[[bool], None]) -> None:
    done(False)


def arrivals(folder: Path) -> Arrivals[str]:
    return Arrivals(Repository(folder), at_once)


@given(
    st.lists(st.one_of(st.integers(0, 99), st.text(max_size=2), st.sampled_from(["get", "joining"])), max_size=30),
)
def test_nothing_is_lost_and_each_kind_keeps_its_order(steps: list[int | str]) -> None:
    inbox = arrivals(Path("/"))
    saves, others = [], []
    heard_saves: list[int] = []
    heard_others: list[str] = []

    def hear(message: list[Change] | str | None) -> None:
        if isinstance(message, list):
            heard_saves.extend(change.event_ns for change in message)
        elif message is not None:
            heard_others.append(message)

    for step in steps:
        if step == "joining":
            hear(inbox.joining())
        elif step == "get":
            if len(heard_saves) + len(heard_others) < len(saves) + len(others):
                hear(inbox.get())
        elif isinstance(step, int):
            saves.append(step)
            inbox.put([change(step)])
        else:
            others.append(step)
            inbox.put(step)
    inbox.end()
    while (message := inbox.get()) is not None:
        hear(message)
    assert (heard_saves, heard_others) == (saves, others)


def test_end_ends_all_waiting(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "index.lock").touch()
    inbox = arrivals(tmp_path)
    inbox.put([change(1)])
    inbox.end()
    assert inbox.get() == [change(1)]
    assert inbox.about_to_come(0) == []
    assert inbox.get() is None


def test_what_a_quick_command_of_git_writes_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    asked: list[Callable[[bool], None]] = []

    def settle(done: Callable[[bool], None]) -> None:
        asked.append(done)
        inbox.put([change(2)])
        done(False)

    inbox: Arrivals[str] = Arrivals(Repository(tmp_path), settle)
    inbox.put([change(1)])
    assert inbox.get() == [change(1)]
    (tmp_path / ".git" / "index").write_text("new")
    inbox.put([change(1)])
    assert inbox.get() == [change(1), change(2)]
    inbox.put([change(1)])
    assert inbox.get() == [change(1)]
    assert len(asked) == 1


def test_a_message_learns_of_saves_that_are_heard_before_it(tmp_path: Path) -> None:
    inbox: Arrivals[str] = Arrivals(Repository(tmp_path), at_once, lambda message, saves: f"{message} {len(saves)}")
    inbox.put([change(1)])
    assert inbox.get() == [change(1)]
    inbox.put("gone")
    inbox.put([change(2), change(3)])
    inbox.put("later")
    inbox.end()
    assert inbox.joining() == [change(2), change(3)]
    assert [inbox.get() for _ in range(3)] == ["gone 2", "later", None]
