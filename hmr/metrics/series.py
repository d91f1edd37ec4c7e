"""Series: the last measurements of something, and what they come to."""

from __future__ import annotations

import math
from array import array

import numpy as np

WINDOW = 4096
"""How many of the last values percentiles look at."""


class Series:
    """A ring of the last values, with sum and maximum over all that came.

    Args:
        window: How many of the last values percentiles look at.
    """

    __slots__ = ("_count", "_max", "_ring", "_total", "_window")

    def __init__(self, window: int = WINDOW) -> None:
        self._ring = array("q", bytes(8 * window))
        self._window = window
        self._count = 0
        self._total = 0
        self._max = 0

    def __len__(self) -> int:
        return self._count

    def add(self, value: int) -> None:
        """Add one value."""
        self._ring[self._count % self._window] = value
        self._count += 1
        self._total += value
        self._max = max(self._max, value)

    def mean(self) -> float:
        """The mean of all values; 0 where there is none."""
        return self._total / self._count if self._count else 0.0

    def max(self) -> int:
        """The largest of all values; 0 where there is none."""
        return self._max

    def percentile(self, percent: float) -> float:
        """A percentile of the last values, by nearest rank; 0 where there is none."""
        return self.percentiles(percent)[0]

    def percentiles(self, *percents: float) -> list[float]:
        """Several percentiles of the last values, for little more than the price of one."""
        held = np.frombuffer(self._ring, np.int64, min(self._count, self._window))
        if not len(held):
            return [0.0] * len(percents)
        ranks = [max(math.ceil(percent / 100 * len(held)) - 1, 0) for percent in percents]
        sorted_there = np.partition(held, ranks)
        return [float(sorted_there[rank]) for rank in ranks]

    def summary(self, unit: float) -> dict[str, float]:
        """Mean, p99 and max, divided by a unit and rounded to four digits."""
        found = {"mean": self.mean(), "p99": self.percentile(99), "max": self.max()}
        return {key: round(value / unit, 4) for key, value in found.items()}
