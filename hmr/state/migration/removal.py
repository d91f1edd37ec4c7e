"""Rows that a `migrate` takes away: the table is made anew without them, and the old one stays as it was in its frames."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from instar.hmr.state.columns import Columns, Lineage
from instar.hmr.state.ids import Roots
from instar.hmr.state.schema import Schema
from instar.native import Column, Despawns


def without_rows(
    roots: Roots, columns: Columns, schema: Schema, doomed: Despawns, rows: int, room: int
) -> tuple[Roots, Columns]:
    """Copies of all columns of a table, in which some rows are despawned as they would be at the end of a hook.

    Args:
        roots: What the table has besides its fields.
        columns: Its columns.
        schema: Their schema.
        doomed: The rows that go; none is marked any more then.
        rows: How many there are.
        room: The rows that the copies have room for.
    """
    slots, free = roots.index.slots_used, roots.index.free_count
    made = Roots.reserve(max(room, slots))
    sizes = {"id": 8 * rows, "slots": 8 * slots, "free": 4 * free}
    for name, size in sizes.items():
        _copy(roots.index.columns[name], made.index.columns[name], size)
    made.index.restore(slots, free)
    copies = [_copied(lineage, rows, room) for lineage in columns.lineages()]
    left = rows - len(doomed)
    made.index.despawn(doomed, rows, [(one.column, one.row_bytes) for one in copies])
    made.counts[:] = (left, slots, made.index.free_count)
    for lineage in copies:
        lineage.column.settle(left * lineage.row_bytes)
    sizes = {"id": 8 * left, "slots": 8 * slots, "free": 4 * made.index.free_count}
    for name, size in sizes.items():
        made.index.columns[name].settle(size)
    return _with_header(made), Columns(copies, schema)


def forget_removed(columns: Columns, schema: Schema, rows: int, room: int, roots: Mapping[str, Roots]) -> Columns:
    """Columns in which no reference to an agent that was removed is left; the same ones, if there can be none.

    Args:
        columns: The columns of any table.
        schema: Their schema.
        rows: The table's rows.
        room: The rows that copies have room for.
        roots: The tables that lost agents, by name.
    """
    if not any(one.field.target in roots for one in columns.lineages()):
        return columns
    return Columns([_forgetting(one, rows, room, roots) for one in columns.lineages()], schema)


def _forgetting(lineage: Lineage, rows: int, room: int, roots: Mapping[str, Roots]) -> Lineage:
    target = roots.get(lineage.field.target or "")
    if target is None:
        return lineage
    made = _copied(lineage, rows, room)
    target.index.forget(made.column, rows * made.row_bytes // 8, everywhere=True)
    made.column.settle(rows * made.row_bytes)
    return made


def _copied(lineage: Lineage, rows: int, room: int) -> Lineage:
    made = Lineage.reserve(room, lineage.field, lineage.born, lineage.kin, lineage.formers)
    made.cells(0, rows)[...] = lineage.cells(0, rows)
    return made


def _copy(source: Column, target: Column, size: int) -> None:
    np.frombuffer(target.live, np.uint8, size)[:] = np.frombuffer(source.live, np.uint8, size)


def _with_header(roots: Roots) -> Roots:
    """The same with a header whose counts are committed."""
    header = Column(8 * len(roots.counts))
    counts = np.frombuffer(header.live, np.uint64, len(roots.counts))
    counts[:] = roots.counts
    header.settle(counts.nbytes)
    return Roots(header, counts, roots.index)
