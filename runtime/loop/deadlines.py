"""Absolute deadlines: frame n ends at start + n periods, however late the ones before were."""

from __future__ import annotations

CATCH_UP_FRAMES = 5
"""A loop that is later than this many periods drops the rest instead of hurrying after them."""


class Deadlines:
    """The deadlines of a loop, in integer nanoseconds, so that they never drift.

    Attributes:
        fps: Periods in a second.
        dropped: Deadlines given up because the loop was too late to catch up.
    """

    def __init__(self, start: int, fps: float) -> None:
        self.fps = fps
        self._start = start
        self._count = 0
        self.dropped = 0

    @property
    def period_ns(self) -> int:
        """The time from one deadline to the next."""
        return round(1e9 / self.fps)

    def next(self) -> int:
        """The next deadline, which becomes the current one."""
        self._count += 1
        return self._start + round(self._count * 1e9 / self.fps)

    def settle(self, now: int) -> None:
        """Give up deadlines that lie more than `CATCH_UP_FRAMES` periods back."""
        behind = int((now - self._start) * self.fps / 1e9) - self._count
        if behind > CATCH_UP_FRAMES:
            self._count += behind
            self.dropped += behind

    def change_pace(self, fps: float) -> None:
        """Have other periods, from the current deadline on."""
        self._start += round(self._count * 1e9 / self.fps)
        self._count = 0
        self.fps = fps

    def rebase(self, now: int) -> None:
        """Start afresh from now, as after a breakpoint: the time that went by counts for nothing."""
        self._start = now
        self._count = 0
