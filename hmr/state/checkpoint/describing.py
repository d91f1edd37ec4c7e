"""From tables to the header of a checkpoint, and to what of them is not committed yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from instar.hmr.state.checkpoint.errors import CheckpointError
from instar.hmr.state.checkpoint.header import INDEX_COLUMNS, Header, SavedColumn, SavedTable
from instar.hmr.state.fields import Field
from instar.hmr.state.table import Table
from instar.native import Column

_Part = tuple[Column, str, Field | None, bool, int]


def describe(
    frame: int, tables: Iterable[Table], visible: Mapping[str, Table], meta: Mapping[str, Any]
) -> tuple[Header, list[Column]]:
    """The header of a checkpoint, and its columns in order.

    Args:
        frame: The committed frame. Tables and columns that came later, which only a redo brings back, are no part of it.
        tables: All tables, parked ones too.
        visible: The visible ones.
        meta: What the layer above remembers with it.
    """
    there = [table for table in tables if table._born <= frame]  # noqa: SLF001
    parts = [_parts(table, frame) for table in there]
    saved = tuple(_table(table, table.name in visible, own) for table, own in zip(there, parts, strict=True))
    return Header(frame, meta, saved), [column for own in parts for column, *_ in own]


def refuse_uncommitted(frame: int, tables: Iterable[Table], verb: str) -> None:
    """See that live state is what is committed.

    Raises:
        CheckpointError: If not; names table and column.
    """
    for table in tables:
        changed = table._uncommitted()  # noqa: SLF001
        if changed is not None:
            raise CheckpointError(
                f"{verb}: {changed} since the last commit, and a checkpoint holds committed frames only. Nothing was saved, "
                f"and live state is as it was; call commit() first, or rollback({frame}) to drop what is new"
            )


def _parts(table: Table, frame: int) -> list[_Part]:
    """The columns of a table that are there at a frame: bytes, name, field (None for the index), shown, and born."""
    index = [(name, None, True, table._born) for name in INDEX_COLUMNS]  # noqa: SLF001
    fields = [(f.name, f, shown, born) for f, shown, born in table._columns.described()]  # noqa: SLF001
    native = table._native_columns()  # noqa: SLF001
    return [(column, *part) for column, part in zip(native, [*index, *fields], strict=True) if part[3] <= frame]


def _table(table: Table, visible: bool, parts: list[_Part]) -> SavedTable:
    columns = tuple(
        SavedColumn(name, field, shown, born, column.committed_extent) for column, name, field, shown, born in parts
    )
    rows, slots, free = table._committed_counts()  # noqa: SLF001
    return SavedTable(table.schema, visible, table._born, rows, slots, free, columns)  # noqa: SLF001
