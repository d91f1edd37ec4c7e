# ruff: noqa: T201  what print does is the point
from __future__ import annotations

import io
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, TextIO

import pytest

from instar.view.capture import Capture, captured


class Notes:
    """A view that keeps what it is told."""

    interval = 1.0

    def __init__(self) -> None:
        self.texts: list[str] = []

    def canvas(self, *_: float) -> None:
        return None

    def publish(self, snapshot: dict[str, Any]) -> None:
        pass

    def message(self, text: str) -> None:
        self.texts.append(text)

    def released(self) -> AbstractContextManager[None]:
        return nullcontext()

    def close(self, snapshot: dict[str, Any]) -> None:
        pass


@contextmanager
def run(view: Notes, original: TextIO) -> Iterator[Capture]:
    """A run whose process had `original` as its standard output and error."""
    with redirect_stdout(original), redirect_stderr(original):
        try:
            with captured(view) as capture:
                yield capture
        finally:
            assert sys.stdout is original
            assert sys.stderr is original


@pytest.fixture
def original() -> io.StringIO:
    """The standard output and error before capture."""
    return io.StringIO()


def test_whole_lines_are_shown_and_the_rest_at_the_end(original: io.StringIO) -> None:
    view = Notes()
    with run(view, original):
        print("a", "b")
        sys.stdout.write("one\ntwo\nthr")
        assert view.texts == ["a b", "one\ntwo"]
        sys.stdout.write("ee\n")
        sys.stderr.write("no end")
    assert view.texts == ["a b", "one\ntwo", "three", "no end"]
    assert original.getvalue() == ""


def test_an_empty_line_is_a_line(original: io.StringIO) -> None:
    view = Notes()
    with run(view, original):
        print()
        print("x")
    assert view.texts == ["", "x"]


def test_a_progress_bar_is_shown_as_it_was_last(original: io.StringIO) -> None:
    view = Notes()
    with run(view, original):
        for percent in (10, 50, 100):
            sys.stdout.write(f"\r{percent} %")
        sys.stdout.write("\ndone\r\n")
    assert view.texts == ["100 %\ndone"]


def test_logging_comes_along_and_finds_its_way_after_the_run(original: io.StringIO) -> None:
    view = Notes()
    log = logging.getLogger("a module")
    log.propagate = False
    with run(view, original):
        handler = logging.StreamHandler()
        log.addHandler(handler)
        log.error("logged")
    log.error("after the run")
    log.removeHandler(handler)
    assert view.texts == ["logged"]
    assert original.getvalue() == "after the run\n"


def test_warnings_come_along() -> None:
    program = (
        "import sys, warnings\n"
        "from instar.view.capture import captured\n"
        "from instar.view.lines import LineView\n"
        "view = LineView(sys.stdout)\n"
        "with captured(view): warnings.warn('careful')\n"
        "view.close({})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert "UserWarning: careful" in done.stdout
    assert done.stderr == ""


def test_each_thread_has_lines_of_its_own(original: io.StringIO) -> None:
    view = Notes()
    turns = [threading.Barrier(2, timeout=10) for _ in range(2)]

    def speak(word: str) -> None:
        sys.stdout.write(word)
        turns[0].wait()
        sys.stdout.write(word + "\n")
        turns[1].wait()

    with run(view, original):
        other = threading.Thread(target=speak, args=("b",))
        other.start()
        speak("a")
        other.join(10)
    assert sorted(view.texts) == ["aa", "bb"]


def test_text_that_has_no_encoding_and_bytes_are_shown_all_the_same(original: io.StringIO) -> None:
    view = Notes()
    with run(view, original):
        print("lone \udc80 surrogate")
        sys.stdout.buffer.write(b"caf\xc3\xa9 \xff\n")
    assert view.texts == ["lone \\udc80 surrogate", "café \\xff"]


def test_a_view_that_prints_does_not_call_itself(original: io.StringIO) -> None:
    class Chatty(Notes):
        def message(self, text: str) -> None:
            print("showing", text)
            super().message(text)

    view = Chatty()
    with run(view, original):
        print("hello")
    assert view.texts == ["hello"]
    assert original.getvalue() == "showing hello\n"


def test_captures_nest(original: io.StringIO) -> None:
    outer, inner = Notes(), Notes()
    with run(outer, original):
        with captured(inner):
            print("in")
        print("out")
    assert (outer.texts, inner.texts) == (["out"], ["in"])


def test_the_streams_are_as_before_after_an_error(original: io.StringIO) -> None:
    view = Notes()

    def fail() -> None:
        with run(view, original):
            print("on")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    print("after", file=original)
    assert original.getvalue() == "after\n"
    assert view.texts == ["on"]


def test_the_streams_are_no_terminal_but_know_their_descriptor(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream, run(Notes(), stream):
        assert not sys.stdout.isatty()
        assert sys.stdout.fileno() == stream.fileno()
        assert sys.stdout.encoding == "utf-8"


def test_a_process_without_streams_can_be_captured() -> None:
    view = Notes()
    with redirect_stdout(None), captured(view):
        print("said")
        with pytest.raises(io.UnsupportedOperation):
            sys.stdout.fileno()
    assert view.texts == ["said"]
