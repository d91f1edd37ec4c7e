"""Whether the rows and ids of a table agree: what no checksum says about a file that somebody made up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from instar.hmr.state.checkpoint.blocks import Bytes
from instar.hmr.state.checkpoint.errors import damaged
from instar.hmr.state.checkpoint.header import SavedTable
from instar.hmr.state.ids import Ids

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def check_index(table: SavedTable, columns: Sequence[Bytes], source: str) -> None:
    """See that every row's id leads back to its row, and every free slot is free.

    Args:
        table: What the columns are.
        columns: The bytes of its columns.
        source: The file, for people.

    Raises:
        DamagedError: If not; names table and row.
    """
    by_name = {column.name: data for column, data in zip(table.columns, columns, strict=True) if column.field is None}
    header = by_name["header"].view(np.uint64)
    if header.tolist() != [table.rows, table.slots, table.free]:
        raise damaged(source, f"table {table.name} has other counts of rows and slots than its header says")
    ids, slots = by_name["id"].view(np.uint64), by_name["slots"].view(np.uint64)
    _check_rows(table, ids, slots, source)
    _check_free(table, by_name["free"].view(np.uint32), slots, source)
    for column, data in zip(table.columns, columns, strict=True):
        if column.field is not None and column.field.type.dtype.kind == "b" and data.size and data.max() > 1:
            raise damaged(source, f"{table.name}.{column.name} holds bytes that are neither true nor false")


def _check_rows(table: SavedTable, ids: Ids, slots: Ids, source: str) -> None:
    numbers = ids - np.uint64(1)
    own = numbers & _LOW
    wrong = (ids == 0) | (own >= np.uint64(table.slots))
    if not wrong.any():
        entries = slots[own]
        rows = np.arange(table.rows, dtype=np.uint64)
        wrong = (entries & _LOW != rows) | (entries >> _HALF != numbers >> _HALF)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise damaged(source, f"the id of row {row} of table {table.name} does not lead back to it")
    if int(np.count_nonzero(slots & _LOW != _LOW)) != table.rows:
        raise damaged(source, f"table {table.name} has slots that lead to rows which are not there")


def _check_free(
    table: SavedTable, free: np.ndarray[tuple[int, ...], np.dtype[np.uint32]], slots: Ids, source: str
) -> None:
    if free.size and int(free.max()) >= table.slots:
        raise damaged(source, f"the free list of table {table.name} names a slot that was never handed out")
    if (slots[free] & _LOW != _LOW).any() or len(np.unique(free)) != len(free):
        raise damaged(source, f"the free list of table {table.name} names a slot that is in use, or one twice")
