"""From tables to the header of a checkpoint, and to what of them is not committed yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from instar.hmr.state.checkpoint.errors import CheckpointError
from instar.hmr.state.checkpoint.header import INDEX_COLUMNS, Header, SavedColumn, SavedTable
from instar.hmr.state.table import Table
from instar.native import Column


def describe(
    frame: int, tables: Iterable[Table], visible: Mapping[str, Table], meta: Mapping[str, Any]
) -> tuple[Header, list[Column]]:
    """The header of a checkpoint, and its columns in order.

    Args:
        frame: The committed frame.
        tables: All tables, parked ones too.
        visible: The visible ones.
        meta: What the layer above remembers with it.
    """
    described = [(_table(table, table.name in visible), table._native_columns()) for table in tables]  # noqa: SLF001
    columns = [column for _, native in described for column in native]
    return Header(frame, meta, tuple(saved for saved, _ in described)), columns


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


def _table(table: Table, visible: bool) -> SavedTable:
    index = [(name, None, True, table._born) for name in INDEX_COLUMNS]  # noqa: SLF001
    fields = [(f.name, f, shown, born) for f, shown, born in table._columns.described()]  # noqa: SLF001
    columns = tuple(
        SavedColumn(name, field, shown, born, column.committed_extent)
        for (name, field, shown, born), column in zip([*index, *fields], table._native_columns(), strict=True)  # noqa: SLF001
    )
    rows, slots, free = table._committed_counts()  # noqa: SLF001
    return SavedTable(table.schema, visible, table._born, rows, slots, free, columns)  # noqa: SLF001
