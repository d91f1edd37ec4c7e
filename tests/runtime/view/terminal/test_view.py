from __future__ import annotations

import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from instar.view.terminal import TerminalView

PATIENCE = 10.0


@pytest.fixture
def view(terminal: Any, monkeypatch: pytest.MonkeyPatch, snapshot: Any) -> Iterator[TerminalView]:
    monkeypatch.setenv("TERM", "xterm-256color")
    made = TerminalView(terminal.stream)
    yield made
    made.close(snapshot())


def test_the_panel_is_shown_and_kept_up(view: TerminalView, terminal: Any, snapshot: Any) -> None:
    view.publish(snapshot())
    terminal.wait_for_text("Hunters and prey", "12,345", "update        4.00")
    assert not terminal.cursor_visible
    view.publish(snapshot(frame=12405, errors=["prey.py:3: bad"]))
    terminal.wait_for_text("12,405", "prey.py:3: bad")
    view.publish(snapshot(frame=12465))
    terminal.wait_for(lambda: "12,465" in terminal.text() and "prey.py:3: bad" not in terminal.text())
    assert terminal.text().count("Hunters and prey") == 1


def test_a_terminal_that_knows_no_size_is_taken_for_a_usual_one(
    view: TerminalView, terminal: Any, snapshot: Any
) -> None:
    terminal.resize(0, 0)
    view.publish(snapshot())
    terminal.wait_for_text("Hunters and prey", "12,345")
    assert view.process.poll() is None


def test_messages_appear_above_in_order_and_none_is_lost(view: TerminalView, terminal: Any, snapshot: Any) -> None:
    view.publish(snapshot(agents={}, edits=[], paths=[]))
    terminal.wait_for_text("Hunters and prey")
    for number in range(200):
        view.message(f"message {number}")
    view.message("\x1b[31mred\x1b[0m\x1b[2J and done")
    terminal.wait_for_text("message 199", "red and done")
    shown = terminal.text()
    assert shown.index("message 198") < shown.index("message 199") < shown.index("red and") < shown.index("Hunters")


def test_the_last_state_stays_and_the_cursor_is_back(terminal: Any, snapshot: Any) -> None:
    view = TerminalView(terminal.stream)
    view.publish(snapshot())
    for number in range(3):
        view.message(f"message {number}")
    view.close(snapshot(frame=99999, state="ended"))
    assert view.process.returncode == 0
    terminal.wait_for(lambda: terminal.cursor_visible)
    terminal.wait_for_text("99,999", "■ ended", "message 2")
    lines = terminal.text().splitlines()
    assert terminal.screen.cursor.y == max(row for row, line in enumerate(lines) if line) + 1
    view.close(snapshot())
    view.publish(snapshot())


def test_the_last_state_keeps_the_picture_of_the_one_before(terminal: Any, snapshot: Any) -> None:
    view = TerminalView(terminal.stream)
    view.publish(snapshot(braille=["⠿" * 20] * 8))
    last = snapshot(state="ended")
    del last["braille"]
    view.close(last)
    terminal.wait_for_text("■ ended", "⠿" * 20)


def test_a_run_that_never_had_a_state_leaves_only_its_messages(terminal: Any) -> None:
    view = TerminalView(terminal.stream)
    view.message("scene.toml:3: wrong")
    view.close({})
    terminal.wait_for(lambda: terminal.cursor_visible and "scene.toml:3: wrong" in terminal.text())
    assert terminal.text().strip() == "scene.toml:3: wrong"


def test_when_the_drawing_process_dies_the_run_goes_on_as_lines(
    view: TerminalView, terminal: Any, snapshot: Any
) -> None:
    view.publish(snapshot())
    terminal.wait_for_text("Hunters and prey")
    view.process.send_signal(signal.SIGSTOP)
    view.message("said while nobody drew")
    view.process.kill()
    terminal.wait_for_text("the live view stopped (its process ended with -9)", "said while nobody drew")
    terminal.wait_for(lambda: terminal.cursor_visible)
    view.message("said afterwards")
    view.publish(snapshot(frame=777))
    terminal.wait_for_text("said afterwards", "frame 777  60.0 fps")
    assert view.canvas() is None
    with view.released():
        pass


def test_a_state_that_cannot_be_drawn_is_named_and_the_run_goes_on_as_lines(
    view: TerminalView, terminal: Any, snapshot: Any
) -> None:
    view.publish(snapshot(frame="not a number"))
    terminal.wait_for_text("the live view stopped (ValueError", "plain lines")
    view.publish(snapshot(frame=778))
    terminal.wait_for_text("frame 778")


def test_a_drawing_process_that_does_not_answer_is_not_waited_for(
    terminal: Any, snapshot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("instar.view.terminal.view._PATIENCE", 0.2)
    view = TerminalView(terminal.stream)
    view.process.send_signal(signal.SIGSTOP)
    view.message("the last words")
    view.close(snapshot(frame=779))
    terminal.wait_for_text("the last words", "frame 779")
    assert view.process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_only_the_frame_s_process_decides_when_to_end(
    view: TerminalView, terminal: Any, snapshot: Any, number: int
) -> None:
    view.process.send_signal(number)
    view.publish(snapshot())
    terminal.wait_for_text("Hunters and prey")
    view.process.send_signal(number)
    view.publish(snapshot(frame=781))
    terminal.wait_for_text("frame     781")


def test_released_gives_the_terminal_and_takes_it_back(view: TerminalView, terminal: Any, snapshot: Any) -> None:
    view.publish(snapshot())
    terminal.wait_for_text("Hunters and prey")
    with view.released():
        terminal.wait_for(lambda: terminal.cursor_visible)
        terminal.stream.write("(Pdb) where\r\n")
        terminal.stream.flush()
        view.message("from another thread")
        terminal.wait_for_text("(Pdb) where", "from another thread")
        assert terminal.cursor_visible
    terminal.wait_for(lambda: not terminal.cursor_visible)
    view.publish(snapshot(frame=780))
    terminal.wait_for_text("frame     780")
    assert terminal.text().index("(Pdb)") < terminal.text().index("    780")


def test_the_panel_follows_the_size_of_the_terminal(view: TerminalView, terminal: Any, snapshot: Any) -> None:
    assert view.canvas() == (29, 14)
    terminal.resize(70, 30)
    assert view.canvas() is None
    view.publish(snapshot())
    terminal.wait_for_text("Hunters and prey")
    assert max(len(line) for line in terminal.text().splitlines()) < 70


def test_an_error_takes_the_picture_s_rows(view: TerminalView, snapshot: Any) -> None:
    before = view.canvas(0.5)
    assert before is not None
    view.publish(snapshot(errors=["\n".join("x" * 15)]))
    after = view.canvas(0.5)
    assert after is not None
    assert after[1] < before[1]


def test_messages_come_from_any_thread(view: TerminalView, terminal: Any) -> None:
    threads = [threading.Thread(target=view.message, args=(f"from thread {n}.",)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    terminal.wait_for_text(*(f"from thread {n}." for n in range(10)))


def test_rich_is_never_imported_where_frames_run(terminal: Any) -> None:
    program = (
        "import os, sys\n"
        "from instar.view.terminal import TerminalView\n"
        "view = TerminalView(os.fdopen(os.dup(1), 'w'))\n"
        "view.publish({'scene': 'boids'}); view.close({'scene': 'boids'})\n"
        "assert not {'rich', 'numpy'} & set(sys.modules), sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=terminal.fd, check=False, timeout=30)
    assert done.returncode == 0


LEADER = """
import fcntl, os, signal, subprocess, sys, termios
terminal = int(sys.argv[1])
os.setsid()
fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.SIG_IGN)
code = subprocess.call([sys.executable, "-c", sys.argv[2]], stdin=terminal, stdout=terminal, stderr=terminal)
print(code, flush=True)
sys.stdin.read()
"""
"""The shell's part: leads the terminal's session, and lives until its input ends."""

RUN = """
import os, signal, sys, termios
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.alarm(10)
from instar.view.terminal import TerminalView
view = TerminalView(sys.stderr)
def echoes():
    return bool(termios.tcgetattr(0)[3] & termios.ECHO)
view.publish({"scene": "boids", "frame": 1})
while echoes():
    pass
with view.released():
    assert echoes()
while echoes():
    pass
"""


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("view.close({'scene': 'boids'}); assert echoes()", 0),
        ("os.killpg(0, signal.SIGINT)", -signal.SIGINT),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("view.process.kill()\nwhile not echoes(): pass\nview.close({})", 0),
    ],
    ids=["closed", "interrupted", "killed", "without its process"],
)
def test_keys_are_echoed_again_however_the_run_ends(terminal: Any, end: str, code: int) -> None:
    words = [sys.executable, "-c", LEADER, str(terminal.fd), RUN + end]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[terminal.fd], text=True
    ) as leader:
        assert leader.stdout is not None
        assert leader.stdout.readline() == f"{code}\n"
        terminal.wait_for(lambda: terminal.cursor_visible)
        terminal.wait_for(lambda: bool(termios.tcgetattr(terminal.fd)[3] & termios.ECHO))
        leader.communicate(timeout=PATIENCE)
