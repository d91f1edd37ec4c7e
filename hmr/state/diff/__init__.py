"""Diffs: what became of the agents between two frames that the history holds."""

from __future__ import annotations

from instar.hmr.state.diff.compare import diff as diff
from instar.hmr.state.diff.result import Diff as Diff
from instar.hmr.state.diff.result import TableDiff as TableDiff
from instar.hmr.state.diff.rows import CellChanges as CellChanges
from instar.hmr.state.diff.rows import RowSet as RowSet

__all__ = ["diff", "Diff", "TableDiff", "RowSet", "CellChanges"]
