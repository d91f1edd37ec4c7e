"""Medians of timed rounds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

ROUND_BYTES = 400_000_000
"""Bytes that the rounds of one row add up to."""


def rounds_for(size: int) -> int:
    """How many rounds a row of so many bytes gets."""
    return max(7, min(400, ROUND_BYTES // size))


def median(action: Callable[[], object], before: Callable[[], object], rounds: int) -> float:
    """The median time of an action, in seconds; what comes before it in each round is not timed."""
    times = []
    for _ in range(rounds):
        before()
        times.append(timed(action))
    return statistics.median(times)


def timed(action: Callable[[], object]) -> float:
    """How long one call takes, in seconds."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began
