"""Limits on how long a hook may run."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from instar.faults import HookTimeout
from instar.native import Watchdog

HOOK_SECONDS = 1.0
"""How long a hook may run before it is interrupted."""
GRACE_SECONDS = 2.0
"""How long an interrupted hook may go on before the run is ended: it is stuck where Python cannot reach it."""

SIGNAL = signal.SIGALRM


class Limit(Protocol):
    """Watches over hook calls."""

    def arm(self, label: bytes, frame: int) -> None:
        """A hook begins."""

    def disarm(self) -> None:
        """The hook has ended."""


class NoLimit:
    """Hooks may take as long as they like."""

    def arm(self, label: bytes, frame: int) -> None:
        """Do nothing."""

    def disarm(self) -> None:
        """Do nothing."""


class HookLimit:
    """Interrupts a hook on the main thread with `HookTimeout`; ends the process where a hook is stuck in native code."""

    def __init__(self, seconds: float = HOOK_SECONDS, grace: float = GRACE_SECONDS) -> None:
        self.seconds = seconds
        self._watchdog = Watchdog(seconds, grace, SIGNAL)
        self._armed = False

    def arm(self, label: bytes, frame: int) -> None:
        """A hook begins."""
        self._watchdog.arm(label, frame)
        self._armed = True

    def disarm(self) -> None:
        """The hook has ended."""
        self._armed = False
        self._watchdog.disarm()

    def suspend(self) -> None:
        """Watch nothing until `resume`, as while a person is at a breakpoint."""
        self._watchdog.suspend()

    def resume(self) -> None:
        """Watch again; the hook that runs has its whole limit before it."""
        self._watchdog.resume()

    def close(self) -> None:
        """End the watch."""
        self._watchdog.close()

    def interrupt(self, _signum: int, _frame: FrameType | None) -> None:
        """Signal handler: raise in the hook that runs; called again and again until it ends."""
        if self._armed:
            raise HookTimeout(f"it ran longer than {self.seconds:g} s, the limit of a hook, and was interrupted")


@contextmanager
def hook_limit() -> Iterator[HookLimit | NoLimit]:
    """A limit for hooks on this thread while the context lasts; none outside the main thread, which signals cannot reach."""
    if threading.current_thread() is not threading.main_thread():
        yield NoLimit()
        return
    limit = HookLimit()
    before = signal.signal(SIGNAL, limit.interrupt)
    try:
        yield limit
    finally:
        limit.close()
        signal.signal(SIGNAL, before)
