"""Budgets: the ms that a phase or a module may take of a frame, and what took more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Breach:
    """What broke a budget so far.

    Attributes:
        count: In how many frames.
        worst_ms: The most it took in one of them.
        worst_frame: Which that was.
        last_frame: The last of them.
    """

    count: int = 0
    worst_ms: float = 0.0
    worst_frame: int = -1
    last_frame: int = -1

    def again(self, frame: int, ms: float) -> Breach:
        """The same after another frame."""
        if ms > self.worst_ms:
            return Breach(self.count + 1, ms, frame, frame)
        return Breach(self.count + 1, self.worst_ms, self.worst_frame, frame)

    def document(self) -> dict[str, Any]:
        """The breach as plain data for JSON."""
        return {
            "count": self.count,
            "worst_ms": round(self.worst_ms, 4),
            "worst_frame": self.worst_frame,
            "last_frame": self.last_frame,
        }


class Budgets:
    """Compares what phases and modules took with what they may.

    Attributes:
        limits: The ms that each may take of a frame, by the name of a phase or module.
        breaches: What took more, by name; those whose budget is gone stay.
    """

    def __init__(self, limits: Mapping[str, float]) -> None:
        self.limits = limits
        self.breaches: dict[str, Breach] = {}

    def look(self, frame: int, taken: Mapping[str, int]) -> None:
        """Look at a frame. Args: taken: ns of each phase and module in it."""
        for name, limit in self.limits.items():
            ms = taken.get(name, 0) / 1e6
            if ms > limit:
                self.breaches[name] = self.breaches.get(name, Breach()).again(frame, ms)
