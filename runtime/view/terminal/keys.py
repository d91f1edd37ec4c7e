"""The keys that are pressed while the live view has the terminal."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_BACKGROUND_SECONDS = 0.2
"""How long to wait until looking again whether this process is in front: one that reads in the background is stopped."""


class Keys:
    """Tells keys, one character each, in a thread of its own; cursor keys and the like are no characters."""

    def __init__(self, fd: int, told: Callable[[str], object]) -> None:
        """Begins.

        Args:
            fd: the terminal, which somebody has made give out characters as they come.
            told: called with each.
        """
        self._fd = fd
        self._told = told
        self._lock = threading.Lock()
        self._is_open = True
        self._awake, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._read, name="instar-keys", daemon=True)
        self._thread.start()

    @contextmanager
    def left_alone(self) -> Iterator[None]:
        """Reads nothing within the block, where somebody else does."""
        with self._lock:
            yield

    def close(self) -> None:
        """Reads no more."""
        if self._is_open:
            self._is_open = False
            os.close(self._wake)
            self._thread.join()
            os.close(self._awake)

    def _read(self) -> None:
        waiting = select.poll()
        waiting.register(self._awake, select.POLLIN | select.POLLHUP)
        waiting.register(self._fd, select.POLLIN)
        while self._is_open:
            waiting.poll()
            with self._lock:
                if self._is_open and not self._tell():
                    break
            if self._is_open and not _in_front(self._fd):
                select.select([self._awake], [], [], _BACKGROUND_SECONDS)

    def _tell(self) -> bool:
        """Tells what there is now; false if there will be no more."""
        if not _in_front(self._fd) or not select.select([self._fd], [], [], 0)[0]:
            return True
        try:
            data = os.read(self._fd, 64)
        except OSError:
            return False
        for key in "" if data.startswith(b"\x1b") else data.decode("utf-8", "ignore"):
            self._told(key)
        return bool(data)


def _in_front(fd: int) -> bool:
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return False
