"""From saved tables to running ones: made and verified beside those that run, then put in their place at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from instar.hmr.state.catalog.layouts import Era, Form, Layout
from instar.hmr.state.checkpoint.blocks import Bytes
from instar.hmr.state.checkpoint.header import SavedTable
from instar.hmr.state.columns import Columns, Lineage, new_kin
from instar.hmr.state.ids import IdIndex
from instar.hmr.state.table import Table, rows_reserved
from instar.native import Despawns

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

    def put_in_place(self, running: Mapping[str, Table]) -> tuple[Era, list[Callable[[], object]]]:
        """The era that begins then, and the calls that bring it about, to be made at once.

        Args:
            running: The tables there are; those of the same name, and their columns where they can, stay the same objects.

        Raises:
            ReservationError: If the system does not give the address space; nothing has changed.
        """
        forms: dict[str, Form] = {}
        calls: list[Callable[[], object]] = []
        for saved in self._tables:
            table = running.get(saved.name)
            columns = _columns(saved, table)
            if table is None:
                table = Table(saved.schema, columns, saved.born)
            forms[saved.name] = Form(table, saved.schema, columns, saved.formers)
            calls += _loading(saved, table, columns, self._contents[saved.name])
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


def _loading(
    saved: SavedTable, table: Table, columns: Columns, contents: Sequence[Bytes]
) -> Iterable[Callable[[], object]]:
    """What makes a table hold what was saved; its schema and columns it is given elsewhere."""
    room = max(rows_reserved(saved.schema), saved.slots)
    index = table._index if table._index.room >= room else IdIndex(room)
    native = [table._header, *index.columns.values(), *columns.native()]
    yield from (partial(column.load, data) for column, data in zip(native, contents, strict=True))
    yield index.restoring(saved.slots, saved.free)
    yield partial(table._views.__dict__.update, table._views.renewed(columns.lineages(), max(len(table), saved.rows)))
    yield partial(table.__dict__.pop, "id", None)
    own = {
        "_index": index,
        "_rows": saved.rows,
        "_born": saved.born,
        "_doomed": Despawns(),
        "_moved": False,
        "_torn": False,
    }
    yield partial(table.__dict__.update, own)
