"""Tables: all agents of one kind, as columns that never move."""

from __future__ import annotations

import difflib
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from instar.hmr.state.columns import Columns, Lineage, copy_cells
from instar.hmr.state.despawns import mark_doomed
from instar.hmr.state.errors import CapacityError, FieldError, TableError
from instar.hmr.state.ids import IdIndex, Ids, Roots, Rows
from instar.hmr.state.schema import Schema
from instar.hmr.state.validation.target import Guarded, Target
from instar.hmr.state.views import Views
from instar.native import Column, Despawns, InstarError, crc64

RESERVED_ROWS = 1 << 20
"""Address space is reserved for at least this many rows, so that a capacity can grow to it without moving a column."""


def rows_reserved(schema: Schema) -> int:
    """The rows that columns of a table have room for."""
    return max(RESERVED_ROWS, schema.capacity)


class Table:
    """Rows of agents under a schema. Each field is an attribute: a NumPy view of the live rows, shape ``(len(t), *cell)``.

    `t.x` is writable in place; `t.x = values` copies into it. `t.id` is read-only, uint64, stable and never reused.
    Bytes past the last row are zero. Views taken before a spawn or despawn keep their old length.

    A commit passes over the columns that nothing can have written: none was accessed since the last one, and nothing made of a
    view is alive. Whoever writes through a bare address (``t.x.ctypes.data``) must hold the view until then.
    """

    schema: Schema
    _rows: int
    _born: int
    _roots: Roots
    _columns: Columns
    _views: Views
    _doomed: Despawns
    _moved: bool
    _admit: Callable[[Table, int], None] | None = None

    def __init__(self, schema: Schema, columns: Columns, frame: int) -> None:
        """Args: columns: those of the schema's fields, with room for all rows; frame: the one with which the table begins."""
        own = self.__dict__
        own["schema"] = schema
        own["_rows"] = 0
        own["_roots"] = Roots.reserve(rows_reserved(schema))
        own["_columns"] = columns
        own["_views"] = Views(own)
        own["_doomed"] = Despawns()
        own["_moved"] = False
        own["_torn"] = False
        own["_born"] = frame

    @property
    def name(self) -> str:
        """The table's name."""
        return self.schema.table

    @property
    def capacity(self) -> int:
        """The most rows the table can hold."""
        return self.schema.capacity

    @property
    def _index(self) -> IdIndex:
        return self._roots.index

    def __len__(self) -> int:
        return self._rows

    def __iter__(self) -> Iterator[NoReturn]:
        raise TypeError(
            f"table {self.name} is columns, not rows: use {self.name}.{next(iter(self.schema.fields))} and its kin"
        )

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}: {f.type}" for name, f in self.schema.fields.items())
        return f"<table {self.name}: {len(self)} of {self.capacity} rows; {fields}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        own = self.__dict__
        if name in own["schema"].fields:
            return own["_views"].open(name, own["_columns"].visible[name], own["_rows"])
        if name == "id":
            ids = own["id"] = own["_roots"].index.view(own["_rows"])
            return ids
        raise self._no_field(name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.schema.fields, "id"]

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.schema.fields:
            if name == "id":
                raise FieldError(f"{self.name}.id cannot be assigned: ids are given by spawn")
            raise self._no_field(name)
        view = getattr(self, name)
        if value is not view:
            copy_cells(view, value, f"{self.name}.{name}")

    def __delattr__(self, name: str) -> None:
        raise FieldError(f"{self.name}.{name} cannot be deleted: fields come from the Agents class")

    def spawn(self, count: int, **columns: npt.ArrayLike) -> slice:
        """Append rows at once.

        Args:
            count: How many rows.
            columns: Values by field, broadcast to ``(count, *cell)``; other fields take their default.

        Returns:
            The new rows.

        Raises:
            CapacityError: If the table has no room for all of them; none is spawned.
            FieldError: If a name is no field.
            TableError: If the count is negative or a value does not fit; none is spawned.
            MemoryLimitError: If memory is limited, and they would go over it; none is spawned.
        """
        number = _whole(count, f"{self.name}.spawn({count!r}, …)")
        start = len(self)
        stop = start + number
        if stop > self.capacity:
            raise CapacityError(
                f"{self.name} cannot spawn {number} rows: it holds {start} of {self.capacity}; nothing was spawned. "
                f"Despawn some, or give the class more: capacity={max(stop, 2 * self.capacity)}"
            )
        for name in columns:
            if name not in self.schema.fields:
                raise self._no_field(name)
        if self._admit is not None:
            self._admit(self, number)
        self._tear()
        try:
            self._append(start, stop, columns)
        except Exception:
            self._mend()
            raise
        self._set_rows(stop)
        self._mend()
        return slice(start, stop)

    def despawn(self, rows: npt.ArrayLike | slice) -> None:
        """Remove rows at the end of the running hook; outside hooks, at the next commit.

        Args:
            rows: A row, a slice, an array of rows (duplicates are fine), or a mask of ``len(t)`` booleans.

        Raises:
            TableError: If a row does not exist or a mask has another length; nothing is removed.
        """
        mark_doomed(self._doomed, rows, len(self), self.name)

    def rows_of(self, ids: npt.ArrayLike) -> Rows:
        """The rows in which agents stand now, by id.

        Args:
            ids: One id or an array of them.

        Returns:
            int64 rows in the shape of ``ids``; -1 where the agent is gone or never was.

        Raises:
            TableError: If an id is no whole number.
        """
        return self._index.rows_of(_as_ids(ids, self.name))

    def _append(self, start: int, stop: int, columns: Mapping[str, npt.ArrayLike]) -> None:
        self._views.clear_past(start)
        self._columns.spawn(self.name, start, stop, columns)
        try:
            self._index.spawn(start, stop - start)
        except InstarError as error:
            self._columns.clear(start, stop)
            raise TableError(f"{self.name}: {error}") from None

    def _no_field(self, name: str) -> FieldError:
        fields = list(self.schema.fields)
        near = difflib.get_close_matches(name, fields, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return FieldError(f"{self.name} has no field {name!r}{hint} (it has {', '.join(fields)})")

    def _flush(self) -> bool:
        """Carry out the despawns asked for so far; returns whether there were any."""
        self._refuse_torn()
        count = len(self._doomed)
        if not count:
            return False
        rows = self._rows
        self._tear()
        try:
            self._index.despawn(self._doomed, rows, self._columns.moving())
        except InstarError as error:
            self._mend()
            raise TableError(f"{self.name}.despawn: {error}") from None
        self._set_rows(rows - count)
        self._mend()
        return True

    def _tear(self) -> None:
        """Note that rows and index are about to change, one after the other: whatever interrupts that leaves the note."""
        self._refuse_torn()
        self.__dict__["_torn"] = True

    def _mend(self) -> None:
        """Note that rows and index fit each other."""
        self.__dict__["_torn"] = False

    def _refuse_torn(self) -> None:
        """Raise TableError if an interrupt, such as Ctrl-C, cut a change of the rows short."""
        if self._torn:
            raise TableError(
                f"an interrupt cut a change of the rows of {self.name} short: what is live cannot be committed, and the last "
                f"commit is kept. Return to it with rollback(state.frame)"
            )

    def _set_rows(self, rows: int) -> None:
        own = self.__dict__
        self._views.resize(rows, own["_rows"])
        own["_rows"] = rows
        own["_moved"] = True

    def _clear_gone(self, lineage: Lineage, target: Table, *, everywhere: bool) -> None:
        """Zero the references to agents that are gone, everywhere or only where something wrote them since the last commit."""
        if everywhere or self._moved or self._views.may_have_written(lineage):
            count = self._rows * lineage.row_bytes // 8
            if target._index.forget(lineage.column, count, everywhere=everywhere):
                self._views.mark(lineage)

    def _changeable(self) -> list[Column]:
        """The columns that something can have written since the last commit, brought into the form that commits need.

        Where rows came or went, or the schema changed, that is all of them.
        """
        written = self._views.written()
        if written or self._moved:
            self._views.clear_past(self._rows)
        if self._moved:
            self._roots.counts[:] = (self._rows, self._index.slots_used, self._index.free_count)
            self._sync_extents()
            return self._native_columns()
        return [lineage.column for lineage in written]

    def _settled(self) -> None:
        """Note that what `_changeable` returned is committed."""
        self._views.settle(self._rows)
        self.__dict__["_moved"] = False

    def _uncommitted(self) -> str | None:
        """What differs from the committed state, for people; None if nothing does."""
        self._refuse_torn()
        if self._doomed:
            return f"rows of {self.name} wait to be despawned"
        if [len(self), self._index.slots_used, self._index.free_count] != self._committed_counts():
            return f"rows of {self.name} were spawned or despawned"
        changeable = set(map(id, self._changeable()))
        if not changeable:
            return None
        index = [(name, 8) for name in ("header", *self._index.columns)]
        parts = [*index, *((field.name, field.type.cell_bytes) for field, _, _ in self._columns.described())]
        for (name, size), column in zip(parts, self._native_columns(), strict=True):
            at = column.first_change() if id(column) in changeable else None
            if at is not None:
                return f"{self.name}.{name} was written (row {at // size} is the first that differs)"
        return None

    def _committed_counts(self) -> list[int]:
        """Rows, slots used and slots free as of the last commit."""
        return [int(count) for count in np.frombuffer(self._roots.header.committed, np.uint64, 3)]

    def _native_columns(self) -> list[Column]:
        """Every column that holds the table's state, in a fixed order."""
        return [*self._roots.native, *self._columns.native()]

    def _guarded(self) -> Guarded:
        """The columns as validation sees them; to be asked again when the schema changes."""
        name, index = self.name, self._index.columns
        seen = [Target.of_field(name, field, self._columns.column(field)) for field in self.schema.fields.values()]
        shown = {target.column for target in seen}
        return Guarded(
            name,
            Target(name, "header", self._roots.header, 0),
            Target(name, "id", index["id"], 8),
            Target(name, "slots", index["slots"], 0),
            Target(name, "free", index["free"], 0),
            tuple(seen),
            tuple(
                Target(name, self._columns.name_of(column), column, 0)
                for column in self._columns.native()
                if column not in shown
            ),
        )

    def _fold_crc(self, crc: int) -> int:
        """Fold the committed ids and visible cells, by name, into a CRC-64/NVME."""
        visible = [self._columns.column(self.schema.fields[name]) for name in sorted(self.schema.fields)]
        for column in (self._index.columns["id"], *visible):
            crc = crc64(column.chunk_crcs(), crc)
        return crc

    def _sync_extents(self) -> None:
        """Tell the columns how many of their bytes are in use; those past them are zero then."""
        self._views.clear_past(self._rows)
        self._roots.header.extent = 24
        self._index.sync_extents(len(self))
        self._columns.sync_extents(len(self))

    def _reload(self) -> None:
        """Take rows and ids from the live columns, after they were rolled back or redone."""
        self._doomed.clear()
        rows, *slots = map(int, self._roots.counts)
        self._index.restore(*slots)
        self._set_rows(rows)
        self.__dict__["_moved"] = False
        self._mend()


def _as_ids(ids: npt.ArrayLike, table: str) -> Ids:
    """Ids as uint64; negative ones become ids that are never given."""
    if isinstance(ids, np.ndarray) and ids.dtype.kind in "iu":
        return np.require(ids, np.uint64, ["C", "A"])
    given = np.asarray(ids, object)
    try:
        whole = [operator.index(one) % (1 << 64) for one in given.flat]
    except TypeError:
        raise TableError(f"{table}.rows_of takes ids, which are whole numbers; it was given {ids!r}") from None
    return np.array(whole, np.uint64).reshape(given.shape)


def _whole(count: Any, what: str) -> int:
    try:
        number = count.__index__()
    except AttributeError:
        raise TableError(f"{what}: the number of rows must be a whole number; nothing was spawned") from None
    if number < 0:
        raise TableError(f"{what}: the number of rows is negative; nothing was spawned")
    return int(number)
