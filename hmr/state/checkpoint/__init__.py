"""Checkpoints: whole worlds in memory and in files, compressed and verified end to end."""

from __future__ import annotations

from instar.hmr.state.checkpoint.checkpoint import Checkpoint
from instar.hmr.state.checkpoint.errors import CheckpointError, DamagedError
from instar.hmr.state.checkpoint.header import SavedColumn, SavedTable
from instar.hmr.state.checkpoint.packing import PackedColumn

__all__ = ["Checkpoint", "CheckpointError", "DamagedError", "SavedTable", "SavedColumn", "PackedColumn"]
