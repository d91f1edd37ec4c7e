"""Pacing: frames end at their deadlines, at the speed that is wanted."""

from __future__ import annotations

from instar.loop.clock import Clock
from instar.loop.deadlines import Deadlines
from instar.loop.playback import MAX

UNPACED_SLACK_NS = 2_000_000
"""Slack of a frame that waits for no deadline: what must be done between frames is done, what can wait is not."""


class Pacing:
    """Has the frames of a loop end at absolute deadlines, or not wait at all."""

    def __init__(self, clock: Clock, fps: float) -> None:
        """Args: clock: the time to live by; fps: frames in a second of the world's time."""
        self._clock = clock
        self._fps = fps
        self._speed = 1.0
        self.deadlines = Deadlines(clock.now(), fps)

    @property
    def period_ns(self) -> int:
        """The time from one deadline to the next, at the speed that is kept; 0 where there are none."""
        return 0 if self._speed == MAX else self.deadlines.period_ns

    def begin(self) -> None:
        """The first frame begins now."""
        self.deadlines = Deadlines(self._clock.now(), self.deadlines.fps)

    def follow(self, fps: float, speed: float) -> None:
        """Keep another pace, from the current deadline on; without one, from now on."""
        if (fps, speed) == (self._fps, self._speed):
            return
        if self._speed == MAX:
            self.deadlines.rebase(self._clock.now())
        self._fps, self._speed = fps, speed
        if speed != MAX:
            self.deadlines.change_pace(fps * speed)

    def next(self) -> int:
        """The deadline of the frame in hand."""
        return self._clock.now() + UNPACED_SLACK_NS if self._speed == MAX else self.deadlines.next()

    def wait(self, deadline: int) -> int:
        """Wait for the deadline of the frame in hand; returns how many ns ago it was, negative where none was waited for.

        Late frames are caught up, but for those that `Deadlines` gives up.
        """
        if self._speed == MAX:
            return -1
        now = self._clock.now()
        if now > deadline:
            self.deadlines.settle(now)
            return now - deadline
        self._clock.sleep_until(deadline)
        return 0
