"""The meter: what the frames of a run cost, by phase and by module."""

from __future__ import annotations

from collections import defaultdict

from instar.hmr.metrics import Series

PHASES = ("boundary", "input", "update", "commit", "publish", "maintain", "pace")


class Meter:
    """Measurements of a run.

    Attributes:
        phases: ns per frame of each phase.
        modules: ns per frame of each module's hooks.
        deadline_error: ns after its deadline at which the loop went on, over the frames that were not late.
        missed: Frames whose work ended after their deadline.
        missed_by_edits: Those of them in which an edit was being prepared, was swapped in for longer than the boundary's
            budget, or left something to free: whoever else made them late, the edit may have had a part in it.
    """

    def __init__(self, boundary_budget_ns: int) -> None:
        self.phases = {phase: Series() for phase in PHASES}
        self.modules: dict[str, Series] = defaultdict(Series)
        self.deadline_error = Series()
        self.missed = 0
        self.missed_by_edits = 0
        self._boundary_budget_ns = boundary_budget_ns
        self._boundary_ns = 0

    def allow_boundary(self, ns: int) -> None:
        """Have another budget for the boundary phase."""
        self._boundary_budget_ns = ns

    def phase(self, phase: str, ns: int) -> None:
        """Note what a phase of this frame took."""
        self.phases[phase].add(ns)
        if phase == "boundary":
            self._boundary_ns = ns

    def late(self, *, by_edit: bool) -> bool:
        """Note that this frame's work ended after its deadline, and whether an edit was at work in it besides its swap.

        Returns:
            Whether it counts as missed by an edit.
        """
        by_edit = by_edit or self._boundary_ns > self._boundary_budget_ns
        self.missed += 1
        self.missed_by_edits += by_edit
        return by_edit
