"""Pace: the frames per second of the last stretch of time."""

from __future__ import annotations

from collections import deque

STRETCH_NS = 1_000_000_000
"""The stretch of time over which the pace is taken."""


class Pace:
    """Frames per second between the looks of the last second."""

    def __init__(self) -> None:
        self._looks: deque[tuple[int, int]] = deque()

    def at(self, now: int, frame: int) -> float:
        """The pace at a time in ns, when so many frames are committed; 0 at the first look."""
        looks = self._looks
        looks.append((now, frame))
        while len(looks) > 2 and now - looks[1][0] >= STRETCH_NS:
            looks.popleft()
        since, first = looks[0]
        return (frame - first) / (now - since) * 1e9 if now > since else 0.0
