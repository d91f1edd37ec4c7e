"""From saved tables to running ones: made and verified beside those that run, then put in their place at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np

from instar.hmr.state.catalog import Catalog, Era, Eras, Form, Layout
from instar.hmr.state.catalog.atomic import at_once
from instar.hmr.state.checkpoint.blocks import Bytes
from instar.hmr.state.checkpoint.checkpoint import Checkpoint
from instar.hmr.state.checkpoint.describing import describe
from instar.hmr.state.checkpoint.header import SavedTable
from instar.hmr.state.columns import Columns, Lineage, new_kin
from instar.hmr.state.ids import Roots
from instar.hmr.state.table import Table, rows_reserved
from instar.native import Despawns, History

# A restoration and its tables are one concept in several files.
# ruff: noqa: SLF001


class Restoration:
    """Saved tables, ready to be put in place.

    Attributes:
        frame: The frame they are of.
    """

    def __init__(self, frame: int, tables: Iterable[SavedTable], contents: Mapping[str, Sequence[Bytes]]) -> None:
        """Args: contents: the verified bytes of the tables' columns, by table and in their order."""
        self.frame = frame
        self._tables = list(tables)
        self._contents = contents

    @property
    def layout(self) -> Layout:
        """The schemas of the visible tables."""
        return {saved.name: saved.schema for saved in self._tables if saved.visible}

    @classmethod
    def of_checkpoint(cls, checkpoint: Checkpoint) -> Restoration:
        """A checkpoint's tables.

        Raises:
            CheckpointError: If it is damaged.
        """
        return cls(checkpoint.frame, checkpoint.tables.values(), checkpoint.contents())

    @classmethod
    def of_tables(cls, frame: int, era: Era) -> Restoration:
        """Committed tables as they are, for others to hold the same; they must live as long."""
        header, columns = describe(frame, era, {})
        data = iter([np.frombuffer(column.committed, np.uint8, column.committed_extent) for column in columns])
        return cls(frame, header.tables, {table.name: [next(data) for _ in table.columns] for table in header.tables})

    def put_in_place(
        self, catalog: Catalog, history: History, resetting: Callable[[int], Iterable[Callable[[], object]]]
    ) -> None:
        """Restore, at once; running tables of the same name, and their columns where they can, stay the same objects.

        Args:
            catalog: Whose tables.
            history: What holds their frames.
            resetting: The calls that have it begin anew at a frame.

        Raises:
            ReservationError: If the system does not give the address space; nothing has changed.
        """
        catalog.sync_extents()
        era, loading = self._replace(catalog.all)
        eras = Eras([era])
        for column in eras.native():
            history.add(column)
        at_once([*loading, *resetting(self.frame), *catalog.change(era, eras)])

    def _replace(self, running: Mapping[str, Table]) -> tuple[Era, list[Callable[[], object]]]:
        """The era that begins then, and the calls that have its tables hold what was saved."""
        forms: dict[str, Form] = {}
        calls: list[Callable[[], object]] = []
        for saved in self._tables:
            table = running.get(saved.name)
            columns = _columns(saved, table)
            if table is None:
                table = Table(saved.schema, columns, saved.born)
            room = max(rows_reserved(saved.schema), saved.slots)
            roots = table._roots if table._index.room >= room else Roots.reserve(room)
            forms[saved.name] = Form(table, saved.schema, columns, roots, saved.formers)
            calls += _loading(saved, forms[saved.name], self._contents[saved.name])
        return Era(self.frame, tuple(self.layout), forms), calls


def _columns(saved: SavedTable, running: Table | None) -> Columns:
    """The columns of a saved table: those of the running one that are alike, else new ones."""
    there = {} if running is None else {one.key: one for one in running._columns.lineages()}
    room = rows_reserved(saved.schema)
    kin: dict[str, int] = {}
    lineages = []
    for column in saved.columns:
        if column.field is None:
            continue
        own = there.get((column.name, column.field.type))
        if own is not None and own.column.capacity_bytes >= room * own.row_bytes:
            lineage = Lineage(
                own.column, column.field, column.born, kin.setdefault(column.name, new_kin()), column.formers
            )
        else:
            lineage = Lineage.reserve(
                room, column.field, column.born, kin.setdefault(column.name, new_kin()), column.formers
            )
        lineages.append(lineage)
    return Columns(lineages, saved.schema)


def _loading(saved: SavedTable, form: Form, contents: Sequence[Bytes]) -> Iterable[Callable[[], object]]:
    """What makes a table hold what was saved; what it is made of it is given elsewhere."""
    table, views = form.table, form.table._views
    native = [*form.roots.native, *form.columns.native()]
    yield from (partial(column.load, data) for column, data in zip(native, contents, strict=True))
    yield form.roots.index.restoring(saved.slots, saved.free)
    yield partial(views.__dict__.update, views.renewed(form.columns.lineages(), max(len(table), saved.rows)))
    yield partial(table.__dict__.pop, "id", None)
    own = {"_rows": saved.rows, "_born": saved.born, "_doomed": Despawns(), "_moved": False, "_torn": False}
    yield partial(table.__dict__.update, own)
