"""From tables to the header of a checkpoint, and to what of them is not committed yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from instar.hmr.state.catalog.layouts import Era, Form
from instar.hmr.state.checkpoint.errors import CheckpointError
from instar.hmr.state.checkpoint.header import INDEX_COLUMNS, Header, SavedColumn, SavedTable
from instar.hmr.state.table import Table
from instar.native import Column


def describe(frame: int, era: Era, meta: Mapping[str, Any]) -> tuple[Header, list[Column]]:
    """The header of a checkpoint, and its columns in order.

    Args:
        frame: The committed frame.
        era: What the tables are made of in it.
        meta: What the layer above remembers with it.
    """
    saved = tuple(_table(form, name in era.shown) for name, form in era.forms.items())
    columns = [column for form in era.forms.values() for column in form.table._native_columns()]  # noqa: SLF001
    return Header(frame, meta, saved), columns


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


def _table(form: Form, visible: bool) -> SavedTable:
    table, schema, columns, roots, formers = form
    rows, slots, free = table._committed_counts()  # noqa: SLF001
    index = zip(INDEX_COLUMNS, roots.native, strict=True)
    saved = [SavedColumn(name, None, True, table._born, column.committed_extent) for name, column in index]  # noqa: SLF001
    for lineage in columns.lineages():
        field, column = lineage.field, lineage.column
        shown = lineage is columns.visible.get(field.name)
        saved.append(SavedColumn(field.name, field, shown, lineage.born, column.committed_extent, lineage.formers))
    return SavedTable(schema, visible, table._born, rows, slots, free, tuple(saved), formers)  # noqa: SLF001
