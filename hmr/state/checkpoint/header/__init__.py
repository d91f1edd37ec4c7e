"""The header of a checkpoint: what it holds, as JSON that is read without trust."""

from __future__ import annotations

from instar.hmr.state.checkpoint.header.document import BadHeader
from instar.hmr.state.checkpoint.header.saved import INDEX_COLUMNS, Header, SavedColumn, SavedTable

__all__ = ["Header", "SavedTable", "SavedColumn", "INDEX_COLUMNS", "BadHeader"]
