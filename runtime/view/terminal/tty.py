"""The terminal's line discipline: keys pressed during a run are not echoed into the picture."""

from __future__ import annotations

import os
import termios
from typing import Any


class Tty:
    """A terminal's settings, changed and put back.

    Args:
        fd: a file descriptor; where it is no terminal, or not one that this process is in front of, nothing is done.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._before: list[Any] | None = None

    def quiet(self) -> None:
        """No echo and no line editing; Ctrl-C and Ctrl-Z stay."""
        if self._before is not None or not self._in_front():
            return
        try:
            before = termios.tcgetattr(self._fd)
            quiet: list[Any] = [*before]
            quiet[3] &= ~(termios.ECHO | termios.ICANON)
            termios.tcsetattr(self._fd, termios.TCSADRAIN, quiet)
        except termios.error:
            return
        self._before = before

    def restore(self) -> None:
        """As it was before; keys pressed meanwhile are forgotten."""
        if self._before is None:
            return
        before, self._before = self._before, None
        try:
            termios.tcsetattr(self._fd, termios.TCSAFLUSH, before)
        except termios.error:
            return

    def _in_front(self) -> bool:
        try:
            return os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:
            return False


def size(fd: int) -> os.terminal_size:
    """Columns and lines; of a terminal that does not know them, such as a serial line, those it most likely has.

    Raises:
        OSError: it is no terminal.
    """
    found = os.get_terminal_size(fd)
    return os.terminal_size((found.columns or 80, found.lines or 24))


def settings(fd: int) -> list[Any] | None:
    """The terminal's settings, or None where `fd` is no terminal."""
    try:
        return termios.tcgetattr(fd)
    except termios.error:
        return None


def restore_settings(fd: int, before: list[Any] | None) -> None:
    """Puts settings back as `settings` found them, at once."""
    if before is not None:
        try:
            termios.tcsetattr(fd, termios.TCSANOW, before)
        except termios.error:
            return
