from __future__ import annotations

import errno
import mmap
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instar.hmr.code.compile.source import digest_of
from instar.hmr.code.watch import Change, Watcher, watcher
from instar.hmr.code.watch.feed import FeedLostError, Kind, Touch

PATIENCE = 10.0

# watchdog's own observer for Linux, which stands for that of macOS here, warns of folders that it meets twice
pytestmark = pytest.mark.filterwarnings("ignore:Callback with id:RuntimeWarning")


class Heard:
    """A watcher, and what it has told."""

    def __init__(self, root: Path, **options: Any) -> None:
        self.root = root
        self.changes: queue.SimpleQueue[Change] = queue.SimpleQueue()
        self.watcher = Watcher(root, lambda found: [self.changes.put(change) for change in found], **options)  # type: ignore[func-returns-value,misc]

    def next(self) -> tuple[str, str]:
        change = self.changes.get(timeout=PATIENCE)
        assert change.digest == digest_of(change.data)
        assert change.event_ns > 0
        return change.path.relative_to(self.root).as_posix(), change.data.decode()

    def nothing_but_marker(self) -> None:
        """Sees that nothing was told so far, by a save that is."""
        assert self.until_marker() == []

    def until_marker(self) -> list[tuple[str, str]]:
        """What was told so far, by a save that is told after it."""
        (self.root / "marker.py").write_text(f"x = {os.urandom(4).hex()!r}\n")
        return list(iter(self._next_but_marker, None))

    def _next_but_marker(self) -> tuple[str, str] | None:
        found = self.next()
        return None if found[0] == "marker.py" else found


@pytest.fixture(params=["events", "polling", "observer"])
def heard(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    if request.param == "observer":
        monkeypatch.setattr(watcher.platform, "system", lambda: "Darwin")
    root = tmp_path / "scene"
    root.mkdir()
    (root / "flock.py").write_text("x = 0\n")
    found = Heard(root, polling=request.param == "polling", others=[root / "scene.toml"])
    with found.watcher:
        yield found


def test_a_file_that_is_no_module_is_told_where_it_was_asked_for(heard: Heard) -> None:
    (heard.root / "birds").mkdir()
    for place in ("birds/scene.toml", "notes.toml", "scene.toml~"):
        (heard.root / place).write_text("fps = 1\n")
    (heard.root / "scene.toml").write_text("fps = 30\n")
    assert heard.next() == ("scene.toml", "fps = 30\n")
    beside = heard.root / ".scene.toml.swp"
    beside.write_text("fps = 31\n")
    beside.replace(heard.root / "scene.toml")
    assert heard.next() == ("scene.toml", "fps = 31\n")
    (heard.root / "scene.toml").unlink()
    heard.nothing_but_marker()
    (heard.root / "scene.toml").write_text("fps = 31\n")
    assert heard.next() == ("scene.toml", "fps = 31\n")


def in_place(path: Path, text: str) -> None:
    path.write_text(text)


def rename_in_folder(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text)
    temporary.replace(path)


def rename_from_elsewhere(path: Path, text: str) -> None:
    temporary = path.parent.parent / "elsewhere.tmp"
    temporary.write_text(text)
    temporary.replace(path)


def truncate_and_write(path: Path, text: str) -> None:
    with path.open("w"):
        pass
    in_place(path, text)


def in_two_writes(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.write(text[:3])
        file.flush()
        file.write(text[3:])


def backup_and_write(path: Path, text: str) -> None:
    if path.exists():
        path.rename(path.with_name(path.name + "~"))
    path.write_text(text)


def over_the_old_bytes(path: Path, text: str) -> None:
    if not path.exists():
        path.touch()
    with path.open("r+") as file:
        file.write(text)
        file.truncate()


def delete_and_write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(text)


def hard_link(path: Path, text: str) -> None:
    temporary = path.parent.parent / "link.tmp"
    temporary.unlink(missing_ok=True)
    temporary.write_text(text)
    path.unlink(missing_ok=True)
    os.link(temporary, path)


STYLES: list[Callable[[Path, str], None]] = [
    in_place,
    rename_in_folder,
    rename_from_elsewhere,
    truncate_and_write,
    in_two_writes,
    backup_and_write,
    over_the_old_bytes,
    delete_and_write,
    hard_link,
]


@pytest.mark.parametrize("style", STYLES)
def test_every_style_of_saving_is_told(heard: Heard, style: Callable[[Path, str], None]) -> None:
    style(heard.root / "flock.py", "x = 1111\n")
    assert heard.next() == ("flock.py", "x = 1111\n")
    style(heard.root / "flock.py", "x = 2\n")
    assert heard.next() == ("flock.py", "x = 2\n")


def test_two_files(heard: Heard) -> None:
    in_place(heard.root / "flock.py", "x = 1\n")
    in_place(heard.root / "hunt.py", "x = 1\n")
    assert {heard.next(), heard.next()} == {("flock.py", "x = 1\n"), ("hunt.py", "x = 1\n")}


def test_saves_that_change_nothing_are_none(heard: Heard) -> None:
    path = heard.root / "flock.py"
    in_place(path, "x = 0\n")
    rename_in_folder(path, "x = 0\n")
    os.utime(path, (1, 1))
    path.chmod(0o600)
    heard.nothing_but_marker()


def test_old_times_do_not_hide_a_save(heard: Heard) -> None:
    temporary = heard.root.parent / "old.tmp"
    temporary.write_text("x = 5\n")
    os.utime(temporary, (1, 1))
    temporary.replace(heard.root / "flock.py")
    assert heard.next() == ("flock.py", "x = 5\n")


def test_empty_file_is_no_save(heard: Heard) -> None:
    in_place(heard.root / "flock.py", "")
    heard.nothing_but_marker()
    in_place(heard.root / "flock.py", "x = 1\n")
    assert heard.next() == ("flock.py", "x = 1\n")


@pytest.mark.parametrize(
    "name",
    [
        "flock.py~",
        ".flock.py.swp",
        ".#flock.py",
        "#flock.py#",
        "flock.pyc",
        "4913",
        "flock.py.tmp",
        "a.b.py",
        "notes.txt",
    ],
)
def test_files_that_are_no_modules_are_ignored(heard: Heard, name: str) -> None:
    (heard.root / name).write_text("x = 1\n")
    heard.nothing_but_marker()


@pytest.mark.parametrize("folder", ["__pycache__", ".git", "not-a-package"])
def test_folders_that_are_no_packages_are_ignored(heard: Heard, folder: str) -> None:
    (heard.root / folder).mkdir()
    (heard.root / folder / "flock.py").write_text("x = 1\n")
    heard.nothing_but_marker()
    assert heard.watcher.folders == (heard.root,)


def test_deleted_file_that_returns_is_told_though_it_is_the_same(heard: Heard) -> None:
    path = heard.root / "flock.py"
    path.unlink()
    heard.nothing_but_marker()
    in_place(path, "x = 0\n")
    assert heard.next() == ("flock.py", "x = 0\n")


def test_save_after_a_file_was_moved_out(heard: Heard) -> None:
    (heard.root / "flock.py").rename(heard.root.parent / "away.py")
    in_place(heard.root / "hunt.py", "x = 1\n")
    assert heard.next() == ("hunt.py", "x = 1\n")
    (heard.root.parent / "away.py").rename(heard.root / "flock.py")
    assert heard.next() == ("flock.py", "x = 0\n")


def test_new_folders_are_watched(heard: Heard) -> None:
    (heard.root / "rules" / "deep").mkdir(parents=True)
    in_place(heard.root / "rules" / "deep" / "seek.py", "x = 1\n")
    assert heard.next() == ("rules/deep/seek.py", "x = 1\n")
    in_place(heard.root / "rules" / "deep" / "seek.py", "x = 2\n")
    assert heard.next() == ("rules/deep/seek.py", "x = 2\n")
    assert heard.root / "rules" / "deep" in heard.watcher.folders


def test_renamed_and_moved_folders_are_watched_under_their_new_names(heard: Heard) -> None:
    (heard.root.parent / "outside").mkdir()
    (heard.root.parent / "outside" / "seek.py").write_text("x = 1\n")
    (heard.root.parent / "outside").rename(heard.root / "rules")
    assert heard.next() == ("rules/seek.py", "x = 1\n")
    (heard.root / "rules").rename(heard.root / "laws")
    assert heard.next() == ("laws/seek.py", "x = 1\n")
    in_place(heard.root / "laws" / "seek.py", "x = 2\n")
    assert heard.next() == ("laws/seek.py", "x = 2\n")


def test_deleted_folder_that_returns(heard: Heard) -> None:
    (heard.root / "rules").mkdir()
    in_place(heard.root / "rules" / "seek.py", "x = 1\n")
    assert heard.next() == ("rules/seek.py", "x = 1\n")
    shutil.rmtree(heard.root / "rules")
    heard.nothing_but_marker()
    (heard.root / "rules").mkdir()
    in_place(heard.root / "rules" / "seek.py", "x = 1\n")
    assert heard.next() == ("rules/seek.py", "x = 1\n")


@pytest.mark.parametrize("save", [in_place, rename_in_folder, delete_and_write])
def test_file_that_a_module_links_to(heard: Heard, tmp_path: Path, save: Callable[[Path, str], None]) -> None:
    real = tmp_path / "real" / "any name"
    real.parent.mkdir()
    real.write_text("x = 1\n")
    (tmp_path / "between").symlink_to(real)
    (heard.root / "flock.tmp").symlink_to("../between")
    (heard.root / "flock.tmp").replace(heard.root / "flock.py")
    assert heard.next() == ("flock.py", "x = 1\n")
    for text in ("x = 2\n", "x = 22\n"):
        save(real, text)
        assert heard.next() == ("flock.py", text)
    (heard.root / "flock.py").unlink()
    (heard.root / "flock.py").write_text("x = 3\n")
    assert heard.next() == ("flock.py", "x = 3\n")
    save(real, "x = 4\n")
    heard.nothing_but_marker()


@pytest.mark.parametrize("system", ["Linux", "Darwin"])
def test_module_that_is_a_link_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    monkeypatch.setattr(watcher.platform, "system", lambda: system)
    real, root = tmp_path / "real.py", tmp_path / "scene"
    real.write_text("x = 1\n")
    (root / "rules").mkdir(parents=True)
    (root / "rules" / "seek.py").symlink_to(real)
    found = Heard(root)
    with found.watcher:
        in_place(real, "x = 2\n")
        assert found.next() == ("rules/seek.py", "x = 2\n")
        assert found.watcher.folders == (root, root / "rules")


def test_link_to_a_folder_and_unusual_names(tmp_path: Path) -> None:
    real = tmp_path / "wörld of böids"
    (real / "größe").mkdir(parents=True)
    (tmp_path / "link").symlink_to(real)
    found = Heard(tmp_path / "link")
    with found.watcher:
        in_place(real / "schwärm.py", "x = 'ü'\n")
        assert found.next() == ("schwärm.py", "x = 'ü'\n")
        in_place(tmp_path / "link" / "größe" / "a.py", "x = 1\n")
        assert found.next() == ("größe/a.py", "x = 1\n")


def test_folder_that_links_to_itself(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    found = Heard(tmp_path)
    with found.watcher:
        in_place(tmp_path / "flock.py", "x = 1\n")
        assert found.next() == ("flock.py", "x = 1\n")


def test_unreadable_file_is_told_when_it_becomes_readable(heard: Heard) -> None:
    if os.geteuid() == 0:
        pytest.skip("everything is readable for root")
    path = heard.root / "flock.py"
    path.chmod(0)
    path.with_name("x.tmp").write_text("x = 1\n")
    path.with_name("x.tmp").chmod(0)
    path.with_name("x.tmp").replace(path)
    heard.nothing_but_marker()
    path.chmod(0o600)
    assert heard.next() == ("flock.py", "x = 1\n")


def test_pipe_with_the_name_of_a_module_is_not_waited_for(heard: Heard) -> None:
    os.mkfifo(heard.root / "pipe.py")
    heard.nothing_but_marker()


def test_file_that_changed_before_the_start_is_told(tmp_path: Path) -> None:
    (tmp_path / "flock.py").write_text("x = 1\n")
    (tmp_path / "hunt.py").write_text("x = 1\n")
    known = {tmp_path / "flock.py": digest_of(b"x = 0\n"), tmp_path / "hunt.py": digest_of(b"x = 1\n")}
    found = Heard(tmp_path, known=known)
    with found.watcher:
        assert found.next() == ("flock.py", "x = 1\n")
        found.nothing_but_marker()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere nobody knows that it is open")
def test_file_that_somebody_keeps_open_is_told_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "flock.py"
    path.write_text("x = 0\n")
    found = Heard(tmp_path)
    with found.watcher, path.open("a"):
        in_place(path, "x = 1\n")
        assert found.next() == ("flock.py", "x = 1\n")


def test_folder_that_is_gone_is_polled_with_a_notice_and_heard_again_when_it_is_back(tmp_path: Path) -> None:
    root = tmp_path / "scene"
    root.mkdir()
    found = Heard(root)
    with found.watcher:
        assert (found.watcher.mode, found.watcher.notice) == ("events", None)
        root.rename(tmp_path / "other")
        while found.watcher.mode == "events":
            settle(found)
        assert "was moved or deleted; looking for saves" in str(found.watcher.notice)
        root.mkdir()
        in_place(root / "flock.py", "x = 1\n")
        assert found.next() == ("flock.py", "x = 1\n")
        while found.watcher.mode == "polling":
            settle(found)
        assert found.watcher.notice is None
        in_place(root / "flock.py", "x = 2\n")
        assert found.next() == ("flock.py", "x = 2\n")


def settle(heard: Heard) -> bool:
    answers: queue.SimpleQueue[bool] = queue.SimpleQueue()
    heard.watcher.settle(answers.put)
    return answers.get(timeout=PATIENCE)


def test_folder_without_events_is_polled_with_a_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "hears", lambda feed, root: False)
    found = Heard(tmp_path)
    with found.watcher:
        assert found.watcher.mode == "polling"
        assert "was not told of; looking for saves" in str(found.watcher.notice)
        in_place(tmp_path / "flock.py", "x = 1\n")
        assert found.next() == ("flock.py", "x = 1\n")


def test_folder_that_others_can_write_to_is_looked_at_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "remote_kind", lambda root: "nfs4")
    silent = ScriptedFeed()
    monkeypatch.setattr("instar.hmr.code.watch.inotify.InotifyFeed", lambda root, others: silent)
    monkeypatch.setattr(watcher, "hears", lambda feed, root: True)
    monkeypatch.setattr(watcher.platform, "system", lambda: "Linux")
    found = Heard(tmp_path)
    with found.watcher:
        assert found.watcher.mode == "events"
        assert "is on a nfs4 file system" in str(found.watcher.notice)
        in_place(tmp_path / "flock.py", "x = 1\n")
        assert found.next() == ("flock.py", "x = 1\n")


def test_settling_waits_for_what_is_saved_and_tells_of_what_is_being_written(heard: Heard) -> None:
    if type(heard.watcher._feed).__name__ != "InotifyFeed":
        pytest.skip("nothing else tells at once, and whether a file is being written")
    in_place(heard.root / "flock.py", "x = 1\n")
    while settle(heard):
        pass
    assert heard.changes.get_nowait().data == b"x = 1\n"
    with (heard.root / "hunt.py").open("w") as file:
        file.write("x = ")
        file.flush()
        assert settle(heard)
        file.write("1\n")
    assert heard.next() == ("hunt.py", "x = 1\n")


def swap_folder(root: Path, name: str) -> None:
    """Swaps the folder behind `..data` as Kubernetes does."""
    (root / "..data_tmp").symlink_to(name)
    (root / "..data_tmp").replace(root / "..data")


def test_folder_behind_links_is_swapped(tmp_path: Path) -> None:
    for name, text in (("..one", "x = 1\n"), ("..two", "x = 2\n"), ("..three", "x = 3\n")):
        (tmp_path / name / "rules").mkdir(parents=True)
        (tmp_path / name / "flock.py").write_text(text)
        (tmp_path / name / "rules" / "seek.py").write_text(text)
    (tmp_path / "..data").symlink_to("..one")
    (tmp_path / "flock.py").symlink_to("..data/flock.py")
    (tmp_path / "rules").symlink_to("..data/rules")
    found = Heard(tmp_path)
    with found.watcher:
        for name, text in (("..two", "x = 2\n"), ("..three", "x = 3\n"), ("..one", "x = 1\n")):
            swap_folder(tmp_path, name)
            assert {found.next(), found.next()} == {("flock.py", text), ("rules/seek.py", text)}
        assert found.watcher.mode == "events"


def test_link_to_a_folder_that_is_swapped(tmp_path: Path) -> None:
    for name, text in (("one", "x = 1\n"), ("two", "x = 2\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "seek.py").write_text(text)
    root = tmp_path / "scene"
    root.mkdir()
    (root / "rules").symlink_to("../one")
    found = Heard(root)
    with found.watcher:
        (root / "rules.tmp").symlink_to("../two")
        (root / "rules.tmp").replace(root / "rules")
        assert found.next() == ("rules/seek.py", "x = 2\n")
        in_place(tmp_path / "two" / "seek.py", "x = 3\n")
        assert found.next() == ("rules/seek.py", "x = 3\n")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere only the folder of the other name is told")
def test_file_that_is_written_under_its_other_name(tmp_path: Path) -> None:
    (tmp_path / "scene").mkdir()
    (tmp_path / "other.txt").write_text("x = 0\n")
    (tmp_path / "scene" / "flock.py").hardlink_to(tmp_path / "other.txt")
    found = Heard(tmp_path / "scene")
    with found.watcher:
        in_place(tmp_path / "other.txt", "x = 1\n")
        assert found.next() == ("flock.py", "x = 1\n")


def test_name_that_changes_its_case(heard: Heard) -> None:
    (heard.root / "flock.py").rename(heard.root / "Flock.py")
    assert heard.next() == ("Flock.py", "x = 0\n")
    (heard.root / "Flock.py").rename(heard.root / "flock.py")
    assert heard.next() == ("flock.py", "x = 0\n")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere nobody knows that it is open")
def test_file_whose_writer_never_closes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "KEPT_OPEN_SECONDS", 0.05)
    found = Heard(tmp_path)
    with found.watcher, (tmp_path / "flock.py").open("w") as file:
        file.write("x = 1\n")
        file.flush()
        assert found.next() == ("flock.py", "x = 1\n")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="where it was closed is not told elsewhere")
def test_file_that_is_written_through_a_mapping_after_it_was_closed(tmp_path: Path) -> None:
    path = tmp_path / "flock.py"
    found = Heard(tmp_path, complete=lambda path, data: b"\0" not in data)
    with found.watcher:
        with path.open("w+b") as file:
            file.truncate(6)
            mapped = mmap.mmap(file.fileno(), 6)
        settle(found)
        mapped[:] = b"x = 1\n"
        mapped.close()
        assert found.next() == ("flock.py", "x = 1\n")


def test_emptied_and_deleted_files_are_told_as_gone(tmp_path: Path) -> None:
    gone: queue.SimpleQueue[Path] = queue.SimpleQueue()
    path = tmp_path / "flock.py"
    path.write_text("x = 0\n")
    with Heard(tmp_path, on_gone=gone.put).watcher:
        path.write_text("")
        assert gone.get(timeout=PATIENCE) == path
        path.unlink()
        assert gone.get(timeout=PATIENCE) == path


def test_what_editors_write_beside_modules_is_told_as_such(tmp_path: Path) -> None:
    aside: queue.SimpleQueue[tuple[Path, bytes]] = queue.SimpleQueue()
    found = Heard(tmp_path, on_aside=lambda path, data: aside.put((path, data)))
    with found.watcher:
        (tmp_path / "4913").write_text("x")
        (tmp_path / "flock.py~").write_text("x")
        (tmp_path / "flock.py.tmp").write_text("x = 1\n")
        assert aside.get(timeout=PATIENCE) == (tmp_path / "flock.py.tmp", b"x = 1\n")
        assert aside.empty()


REAL = {
    "sed": ["sed", "-i", "s/0/1/", "flock.py"],
    "vim": ["vim", "-Nu", "NONE", "-es", "-c", "%s/0/1/", "-c", "wq", "flock.py"],
    "ed": ["ed", "-s", "flock.py"],
    "perl": ["perl", "-pi", "-e", "s/0/1/", "flock.py"],
    "cp": ["cp", "../new", "flock.py"],
    "mv": ["mv", "../new", "flock.py"],
    "ln": ["ln", "-sf", "../new", "flock.py"],
    "rsync": ["rsync", "--checksum", "../new", "flock.py"],
    "install": ["install", "../new", "flock.py"],
    "dd": ["dd", "if=../new", "of=flock.py", "bs=1", "status=none"],
}


@pytest.mark.parametrize("program", REAL)
def test_real_programs(heard: Heard, program: str) -> None:
    if shutil.which(program) is None:
        assert "CI" not in os.environ, f"there is no {program}"
        pytest.skip(f"there is no {program}")
    (heard.root.parent / "new").write_text("x = 1\n")
    subprocess.run(REAL[program], cwd=heard.root, input=b",s/0/1/\nw\nq\n", check=True, capture_output=True)
    assert heard.next() == ("flock.py", "x = 1\n")
    heard.nothing_but_marker()


def test_limits_lead_to_polling_with_a_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inotify = pytest.importorskip("instar.hmr.code.watch.inotify")
    monkeypatch.setattr(inotify, "inotify_init", lambda: -1)
    monkeypatch.setattr(inotify.ctypes, "get_errno", lambda: errno.EMFILE)
    found = Heard(tmp_path)
    with found.watcher:
        assert found.watcher.mode == "polling"
        assert "fs.inotify.max_user_instances" in str(found.watcher.notice)
        in_place(tmp_path / "flock.py", "x = 1\n")
        assert found.next() == ("flock.py", "x = 1\n")


class ScriptedFeed:
    """A feed that does as a test says: each call of `wait` takes the next step."""

    folders = ()

    def __init__(self, *steps: Callable[[], list[Touch]]) -> None:
        self.steps = list(steps)
        self.woken = queue.SimpleQueue[None]()

    def wait(self, seconds: float | None) -> list[Touch]:
        if self.steps:
            return self.steps.pop(0)()
        if seconds is None:
            self.woken.get(timeout=PATIENCE)
        return []

    def wake(self) -> None:
        self.woken.put(None)

    def close(self) -> None:
        pass


def scripted(root: Path, monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], list[Touch]], **options: Any) -> Heard:
    monkeypatch.setattr(watcher, "_open_feed", lambda root, others: ScriptedFeed(*steps))
    return Heard(root, **options)


def test_file_that_is_written_again_while_it_is_read_is_not_torn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "flock.py"

    def saved() -> list[Touch]:
        path.write_text("x = 1\n")
        return [Touch(path, Kind.WRITTEN)]

    def begun_again() -> list[Touch]:
        return [Touch(path, Kind.WRITING)]

    def done() -> list[Touch]:
        path.write_text("x = 2\n")
        return [Touch(path, Kind.WRITTEN)]

    with (found := scripted(tmp_path, monkeypatch, saved, begun_again, done)).watcher:
        assert found.next() == ("flock.py", "x = 2\n")
        assert found.changes.empty()


def test_file_that_was_saved_again_while_it_was_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "flock.py"

    def saved(text: str) -> Callable[[], list[Touch]]:
        def step() -> list[Touch]:
            path.write_text(text)
            return [Touch(path, Kind.WRITING), Touch(path, Kind.WRITTEN)]

        return step

    with (found := scripted(tmp_path, monkeypatch, saved("x = 1\n"), saved("x = 2\n"))).watcher:
        assert found.next() == ("flock.py", "x = 2\n")
        assert found.changes.empty()


def test_content_that_looks_cut_off_is_given_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "flock.py"
    asked: list[bytes] = []

    def complete(path: Path, data: bytes) -> bool:
        asked.append(data)
        if len(asked) == 1:
            path.write_text("x = (1)\n")
        return data.endswith(b")\n")

    def half() -> list[Touch]:
        path.write_text("x = (")
        return [Touch(path, Kind.UNSURE)]

    with (found := scripted(tmp_path, monkeypatch, half, complete=complete)).watcher:
        assert found.next() == ("flock.py", "x = (1)\n")
        assert asked == [b"x = (", b"x = (1)\n"]


def test_content_that_stays_cut_off_is_told_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "flock.py"
    path.write_text("x = (")
    found = scripted(
        tmp_path, monkeypatch, lambda: [Touch(path, Kind.UNSURE)], complete=lambda *_: False, known={path: "0"}
    )
    with found.watcher:
        assert found.next() == ("flock.py", "x = (")


def test_what_was_being_written_when_events_were_lost_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "flock.py"

    def begun() -> list[Touch]:
        return [Touch(path, Kind.WRITING)]

    def lost() -> list[Touch]:
        path.write_text("x = 1\n")
        return [Touch(tmp_path, Kind.LOST)]

    with (found := scripted(tmp_path, monkeypatch, begun, lost)).watcher:
        assert found.next() == ("flock.py", "x = 1\n")


def test_lost_feed_is_replaced_and_nothing_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost() -> list[Touch]:
        (tmp_path / "flock.py").write_text("x = 1\n")
        raise FeedLostError("the limit is reached")

    with (found := scripted(tmp_path, monkeypatch, lost)).watcher:
        assert found.next() == ("flock.py", "x = 1\n")
        assert found.watcher.notice == "no events: the limit is reached; looking for saves 4 times a second instead"


SAVES = st.tuples(st.sampled_from(STYLES), st.sampled_from(["flock.py", "hunt.py", "rules/seek.py"]), st.integers(1, 6))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(saves=st.lists(SAVES, max_size=12))
def test_any_saves_end_with_what_is_on_disk_and_never_show_less(
    tmp_path_factory: pytest.TempPathFactory, saves: list[tuple[Callable[[Path, str], None], str, int]]
) -> None:
    root = tmp_path_factory.mktemp("random") / "scene"
    (root / "rules").mkdir(parents=True)
    found = Heard(root)
    written: dict[str, list[str]] = {}
    with found.watcher:
        for number, (style, name, size) in enumerate(saves):
            text = f"x = {number}\n" * 10**size if size < 5 else f"x = {number}\n"
            written.setdefault(name, []).append(text)
            style(root / name, text)
        last = {name: texts[-1] for name, texts in written.items()}
        told: dict[str, str] = {}
        while told != last:
            name, text = found.next()
            assert text in written[name]
            told[name] = text
        found.nothing_but_marker()


def renamed_folder(root: Path) -> None:
    if (root / "rules").is_dir():
        (root / "rules").rename(root / "laws") if not (root / "laws").exists() else shutil.rmtree(root / "laws")
    elif (root / "laws").is_dir():
        (root / "laws").rename(root / "rules")


def swapped_files(root: Path) -> None:
    one, other = root / "flock.py", root / "hunt.py"
    if one.exists() and other.exists():
        one.rename(root / "between.tmp")
        other.rename(one)
        (root / "between.tmp").rename(other)


def truncated(root: Path) -> None:
    if (root / "flock.py").exists():
        (root / "flock.py").write_text("")


def touched(root: Path) -> None:
    for path in root.rglob("*.py"):
        os.utime(path, (1, 1))


def deleted(root: Path) -> None:
    (root / "hunt.py").unlink(missing_ok=True)


OTHERS = [renamed_folder, swapped_files, truncated, touched, deleted]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(SAVES, st.sampled_from(OTHERS)), max_size=14), polling=st.booleans())
def test_any_operations_end_with_what_is_on_disk(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any], polling: bool
) -> None:
    root = tmp_path_factory.mktemp("random") / "scene"
    root.mkdir()
    found = Heard(root, polling=polling)
    written = set()
    told: dict[str, str] = {}
    with found.watcher:
        for number, step in enumerate(steps):
            if callable(step):
                step(root)
                continue
            style, name, size = step
            text = f"x = {number}\n" * 10 ** (size % 4)
            written.add(text)
            (root / name).parent.mkdir(exist_ok=True)
            style(root / name, text)
        on_disk = {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*.py")}
        expected = {name: text for name, text in on_disk.items() if text}
        while any(told.get(name) != text for name, text in expected.items()):
            name, text = found.next()
            assert text in written
            told[name] = text
        for name, text in found.until_marker():  # a file that is gone may have been told before it went
            assert text in written if name not in expected else text == expected[name]


@pytest.fixture
def told(tmp_path: Path) -> Iterator[tuple[Watcher, queue.SimpleQueue[list[str]]]]:
    """A watcher, and the files that it tells of together."""
    changes: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    found = Watcher(tmp_path, lambda found: changes.put([change.data.decode() for change in found]))
    with found:
        yield found, changes


def settled(found: Watcher) -> bool:
    """Waits until all that was saved is told; returns whether something is being written."""
    answers: queue.SimpleQueue[bool] = queue.SimpleQueue()
    found.settle(answers.put)
    return answers.get(timeout=PATIENCE)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell that a file is being written")
def test_what_is_saved_while_another_file_is_written_is_told_with_it(
    told: tuple[Watcher, queue.SimpleQueue[list[str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "STALE_SECONDS", PATIENCE)
    found, changes = told
    with (tmp_path / "slow.py").open("w", buffering=1) as slow:
        slow.write("x = 1\n")
        (tmp_path / "flock.py").write_text("x = 2\n")
        (tmp_path / "gone.py").write_text("x = 3\n")
        assert settled(found)
        (tmp_path / "gone.py").unlink()
        assert settled(found)
        assert changes.empty()
        slow.write("y = 1\n")
    assert changes.get(timeout=PATIENCE) == ["x = 2\n", "x = 1\ny = 1\n"]
    assert not settled(found)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell that a file is being written")
def test_writer_that_takes_its_time_does_not_hold_up_others(
    told: tuple[Watcher, queue.SimpleQueue[list[str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "STALE_SECONDS", 0.0)
    with (tmp_path / "slow.py").open("w", buffering=1) as slow:
        slow.write("x = 1\n")
        (tmp_path / "flock.py").write_text("x = 2\n")
        assert changes_of(told) == ["x = 2\n"]
        slow.write("y = 1\n")
    assert changes_of(told) == ["x = 1\ny = 1\n"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell that a file is being written")
def test_what_waits_for_a_writer_whose_file_is_deleted_is_told(
    told: tuple[Watcher, queue.SimpleQueue[list[str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "STALE_SECONDS", 60 * PATIENCE)
    monkeypatch.setattr(watcher, "KEPT_OPEN_SECONDS", 60 * PATIENCE)
    found, changes = told
    with (tmp_path / "slow.py").open("w", buffering=1) as slow:
        slow.write("x = 1\n")
        (tmp_path / "flock.py").write_text("x = 2\n")
        assert settled(found)
        assert changes.empty()
        absorb, gone = found._absorb, threading.Event()

        def absorbing(touches: list[Touch]) -> None:
            if gone.is_set():  # it is deleted between two looks of the same turn
                gone.clear()
                (tmp_path / "slow.py").unlink()
                touches = touches + found._feed.wait(0)
            absorb(touches)

        monkeypatch.setattr(found, "_absorb", absorbing)
        monkeypatch.setattr(found, "_settle", lambda settle=found._settle: (gone.set(), settle()))
        found.settle(lambda busy: None)
        assert changes_of(told) == ["x = 2\n"]


def changes_of(told: tuple[Watcher, queue.SimpleQueue[list[str]]]) -> list[str]:
    return told[1].get(timeout=PATIENCE)
