"""Committed bytes that are packed: checked as they are."""

from __future__ import annotations

from instar.hmr.state.validation.report import Fault
from instar.hmr.state.validation.target import Target
from instar.native import CHUNK_BYTES, Column
from instar.native.integrity import live_is_committed


def is_packed_and_sound(column: Column, first: int, stop: int, *, with_live: bool) -> bool:
    """Whether committed chunks are packed, undamaged and, where asked for, what live holds: nothing more need be looked at."""
    if column.packed is None or not _is_whole(column, first, stop):
        return False
    return not with_live or live_is_committed(column, first, stop)


def packed_faults(target: Target, first: int, stop: int, frame: int) -> list[Fault]:
    """What is wrong with packed chunks; to be asked before they are brought back to memory."""
    column = target.column
    if column.packed is None or _is_whole(column, first, stop):
        return []
    last = min(stop, -(-column.committed_extent // CHUNK_BYTES)) - 1
    rows = range(target.rows_of(first).start, target.rows_of(last).stop)
    what = f"the packed committed bytes of chunks {first} to {last} are damaged"
    mended = "from the live copy, wherever that has the right checksum"
    return [Fault("crc", target.table, target.name, frame, what, first, rows, max(1, len(rows)), mended)]


def _is_whole(column: Column, first: int, stop: int) -> bool:
    end = min(stop * CHUNK_BYTES, column.committed_extent)
    return column.packed is not None and column.packed.is_whole(first * CHUNK_BYTES, end)
