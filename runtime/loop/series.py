"""Series: measurements of the last frames, and what they come to."""

from __future__ import annotations

import math

import numpy as np

WINDOW = 4096
"""How many of the last values percentiles look at."""


class Series:
    """A ring of the last `WINDOW` values, with sum and maximum over all that came."""

    def __init__(self) -> None:
        self._ring = np.zeros(WINDOW, np.int64)
        self._count = 0
        self._total = 0
        self._max = 0

    def __len__(self) -> int:
        return self._count

    def add(self, value: int) -> None:
        """Add one value."""
        self._ring[self._count % WINDOW] = value
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
        held = self._ring[: min(self._count, WINDOW)]
        if not len(held):
            return 0.0
        rank = max(math.ceil(percent / 100 * len(held)) - 1, 0)
        return float(np.partition(held, rank)[rank])

    def summary(self, unit: float) -> dict[str, float]:
        """Mean, p99 and max, divided by a unit and rounded to four digits."""
        found = {"mean": self.mean(), "p99": self.percentile(99), "max": self.max()}
        return {key: round(value / unit, 4) for key, value in found.items()}
