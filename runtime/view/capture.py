"""What a run's code prints, carried line by line to where people look."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, TextIO, cast

from instar.view.view import View


class Capture:
    """The standard output and error of this process while a run goes on.

    Warnings, and logging set up while captured, write to these streams too; after `release` so does whoever still
    holds one, and the lines go to the streams that were there before.
    """

    def __init__(self, view: View) -> None:
        self._before = (sys.stdout, sys.stderr)
        self._streams = tuple(_stream(view.message, original) for original in self._before)

    def take(self) -> None:
        """Puts the captured streams in place."""
        sys.stdout, sys.stderr = (stream for stream, _ in self._streams)

    def give_back(self) -> None:
        """Puts the streams back that were there before; unfinished lines are shown."""
        sys.stdout, sys.stderr = self._before
        for _, lines in self._streams:
            lines.finish()

    def release(self) -> None:
        """Gives back for good."""
        self.give_back()
        for _, lines in self._streams:
            lines.bypass()


@contextmanager
def captured(view: View) -> Iterator[Capture]:
    """Sends every line written to `sys.stdout` and `sys.stderr` to `view.message` instead."""
    capture = Capture(view)
    capture.take()
    try:
        yield capture
    finally:
        capture.release()


def _stream(show: Callable[[str], None], original: TextIO | None) -> tuple[TextIO, _Lines]:
    lines = _Lines(show, original)
    return io.TextIOWrapper(
        cast("BinaryIO", lines), "utf-8", "backslashreplace", newline="\n", write_through=True
    ), lines


class _Lines(io.BufferedIOBase):
    """The bytes below a captured text stream; each thread has a line of its own in the making.

    Text before a carriage return is overwritten, as on a terminal.
    """

    def __init__(self, show: Callable[[str], None], original: TextIO | None) -> None:
        self._show = show
        self._original = original
        self._partial: dict[int, bytes] = {}
        self._inside = threading.local()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        if self._original is None:
            raise io.UnsupportedOperation("fileno")
        return self._original.fileno()

    def write(self, data: object, /) -> int:
        added = bytes(data)  # type: ignore[call-overload]  # any buffer
        thread = threading.get_ident()
        *whole, rest = (self._partial.pop(thread, b"") + added).split(b"\n")
        if rest:
            self._partial[thread] = rest[rest.rfind(b"\r", 0, len(rest) - 1) + 1 :]
        if whole:
            self._forward(b"\n".join(line.rstrip(b"\r").rpartition(b"\r")[2] for line in whole))
        return len(added)

    def finish(self) -> None:
        """Shows the lines that were not ended."""
        while self._partial:
            _, rest = self._partial.popitem()
            self._forward(rest.rstrip(b"\r"))

    def bypass(self) -> None:
        """From now on lines go to the original stream."""
        self._show = self._to_original

    def _forward(self, data: bytes) -> None:
        text = data.decode("utf-8", "backslashreplace")
        if getattr(self._inside, "busy", False):  # showing a line wrote one
            self._to_original(text)
            return
        self._inside.busy = True
        try:
            self._show(text)
        finally:
            self._inside.busy = False

    def _to_original(self, text: str) -> None:
        if self._original is not None and not self._original.closed:
            self._original.write(text + "\n")
