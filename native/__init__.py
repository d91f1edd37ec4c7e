"""Bytes: column memory, commits and their history, checksums, neighbours; kernels in C and assembly below."""

from __future__ import annotations

from instar.native.blocks import ELEMENT_BYTES, Shuffler, all_zero, chunk_crcs
from instar.native.cells import CellList, segment_sum
from instar.native.column import Column
from instar.native.dispatch import CHUNK_BYTES, LINE_BYTES, isa, isas
from instar.native.errors import HistoryError, InstarError, ReservationError
from instar.native.frames import Bundle, Frames, Joined
from instar.native.history import History
from instar.native.integrity import crc64
from instar.native.rows import Despawns, Index
from instar.native.snapshot import Snapshot
from instar.native.timing import Span, Spans, Watchdog

__all__ = [
    "CHUNK_BYTES",
    "LINE_BYTES",
    "InstarError",
    "ReservationError",
    "HistoryError",
    "Column",
    "Frames",
    "History",
    "Bundle",
    "Joined",
    "Snapshot",
    "Index",
    "Despawns",
    "crc64",
    "ELEMENT_BYTES",
    "Shuffler",
    "all_zero",
    "chunk_crcs",
    "CellList",
    "segment_sum",
    "Span",
    "Spans",
    "Watchdog",
    "isa",
    "isas",
]
