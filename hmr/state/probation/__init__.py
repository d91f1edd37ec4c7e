"""Probation: a frame to return to, and the values that have gone bad since."""

from __future__ import annotations

from instar.hmr.state.probation.mark import Mark as Mark
from instar.hmr.state.probation.mark import Marked as Marked
from instar.hmr.state.probation.mark import Marks as Marks
from instar.hmr.state.probation.watch import BadValue as BadValue

__all__ = ["Mark", "Marked", "Marks", "BadValue"]
