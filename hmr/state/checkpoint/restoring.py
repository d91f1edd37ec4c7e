"""From a checkpoint to tables: built and verified beside the running ones, then put in their place at once."""

from __future__ import annotations

from collections.abc import Mapping

from instar.hmr.state.checkpoint.checkpoint import Checkpoint
from instar.hmr.state.checkpoint.header import SavedTable
from instar.hmr.state.schema import Schema
from instar.hmr.state.table import Table


class Restoration:
    """The tables of a checkpoint, ready to be put in place; its contents have been verified.

    Args:
        checkpoint: What to restore.
        running: The tables that it will replace, by name.

    Raises:
        CheckpointError: If it is damaged.
        ReservationError: If the system does not give the address space.
    """

    def __init__(self, checkpoint: Checkpoint, running: Mapping[str, Table]) -> None:
        self.frame = checkpoint.frame
        self._contents = checkpoint.contents()
        self._rows = {name: saved.rows for name, saved in checkpoint.tables.items()}
        self._running = running
        self._tables = {name: _empty(saved, running.get(name)) for name, saved in checkpoint.tables.items()}
        self._visible = {name for name, saved in checkpoint.tables.items() if saved.visible}

    @property
    def layout(self) -> Mapping[str, Schema]:
        """The schemas of the visible tables."""
        return {name: table.schema for name, table in self._tables.items() if name in self._visible}

    def check(self, schemas: Mapping[str, Schema]) -> None:
        """See whether the tables, once restored, can take these schemas by themselves.

        Raises:
            MigrationError: If values would be lost.
        """
        for name, schema in schemas.items():
            if name in self._tables:
                table = self._tables[name]
                table._columns.check(table.schema, schema, self._rows[name], self.frame)  # noqa: SLF001

    def put_in_place(self) -> dict[str, Table]:
        """Restore; running tables of the same name, and their columns where they can, stay the same objects.

        Returns:
            All tables by name.
        """
        restored = {}
        for name, table in self._tables.items():
            kept = self._running.get(name)
            if kept is not None:
                kept._become(table)  # noqa: SLF001 - restoring and table are one concept in two files
                table = kept  # noqa: PLW2901
            for column, data in zip(table._native_columns(), self._contents[name], strict=True):  # noqa: SLF001
                column.load(data)
            table._reload()  # noqa: SLF001
            restored[name] = table
        return restored


def _empty(saved: SavedTable, running: Table | None) -> Table:
    """A table with the saved columns, visible and parked, that hold nothing yet; as long as those of the running one."""
    table = Table(saved.schema, saved.born, 0 if running is None else running._reserved)  # noqa: SLF001
    for column in saved.columns:
        if column.field is not None:
            table._columns.declare(column.field, column.born)  # noqa: SLF001
    return table
