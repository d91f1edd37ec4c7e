"""Clocks: the time a frame loop lives by."""

from __future__ import annotations

import ctypes
import sys
import time
from typing import Protocol

_PR_SET_TIMERSLACK = 29


class Clock(Protocol):
    """Where the loop's time comes from; tests bring their own."""

    def now(self) -> int:
        """The time in ns; never goes back."""

    def sleep_until(self, deadline: int) -> None:
        """Return at the deadline (ns), as little after it as can be."""


class SystemClock:
    """The machine's monotonic clock. Sleeps, then spins for a last stretch that follows what sleeping lately cost.

    Attributes:
        spin_ns: How long before a deadline sleeping ends and spinning begins.
    """

    SPIN_MIN_NS = 15_000
    SPIN_MAX_NS = 300_000

    def __init__(self) -> None:
        self.spin_ns = 100_000
        tighten_timer_slack()

    def now(self) -> int:
        """Monotonic time in ns."""
        return time.monotonic_ns()

    def sleep_until(self, deadline: int) -> None:
        """Sleep until shortly before the deadline, then spin."""
        now = time.monotonic_ns
        wake = deadline - self.spin_ns
        early = wake - now()
        if early > 0:
            time.sleep(early * 1e-9)
            self._adapt(now() - wake)
        while now() < deadline:
            pass

    def _adapt(self, overslept: int) -> None:
        """Follow the worst recent oversleep: up at once, down slowly, with a quarter to spare."""
        wanted = max(overslept + overslept // 4, self.spin_ns - self.spin_ns // 64)
        self.spin_ns = min(max(wanted, self.SPIN_MIN_NS), self.SPIN_MAX_NS)


def tighten_timer_slack() -> bool:
    """Ask Linux to wake this thread on time (1 ns slack instead of 50 µs); False where that is not to be had."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0) == 0)
