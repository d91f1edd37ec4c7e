"""The catalog: which tables there are, which of them are seen, and what all of them are made of."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from instar.hmr.state.catalog.layouts import Layout, Layouts
from instar.hmr.state.catalog.targets import References, check_targets
from instar.hmr.state.checkpoint.restoring import Restoration
from instar.hmr.state.columns import ColumnsMark
from instar.hmr.state.errors import UnknownTableError
from instar.hmr.state.schema import Schema
from instar.hmr.state.step import Step
from instar.hmr.state.table import Table
from instar.hmr.state.validation.target import Guarded
from instar.native import Column, crc64

# Table and catalog are one concept in two files.
# ruff: noqa: SLF001


class Structure(NamedTuple):
    """What a world's tables were made of at a moment.

    Attributes:
        layout: The schemas of the visible tables, by name.
        layouts: The schemas by frame.
        tables: All tables, parked ones too, with their schemas and columns.
    """

    layout: Layout
    layouts: Layouts
    tables: Mapping[Table, tuple[Schema, ColumnsMark]]


class Catalog:
    """All tables of a world. A table that no schema names any more is parked, and comes back with its agents.

    Attributes:
        seen: The visible tables by name; the same object for good.
        all: All tables by name, parked ones too.
        native: Their native columns.
        packable: Those whose committed bytes may be packed, with the size of their elements.
    """

    def __init__(self) -> None:
        self._seen: dict[str, Table] = {}
        self.seen: Mapping[str, Table] = MappingProxyType(self._seen)
        self.all: dict[str, Table] = {}
        self.native: list[Column] = []
        self.packable: list[tuple[Column, int]] = []
        self._references = References()
        self._layouts = Layouts()
        self._guarded: dict[str, Guarded] | None = None

    def __getitem__(self, name: str) -> Table:
        if name not in self._seen:
            near = difflib.get_close_matches(name, self._seen, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UnknownTableError(f"there is no table {name!r}{hint} (there are {', '.join(self._seen) or 'none'})")
        return self._seen[name]

    @property
    def layout(self) -> Layout:
        """The schemas of the visible tables."""
        return {name: table.schema for name, table in self._seen.items()}

    @property
    def crc(self) -> int:
        """CRC-64/NVME over the committed cells and ids of the visible tables, in order of their names."""
        total = 0
        for name in sorted(self._seen):
            total = crc64(f"{name}\0".encode(), total)
            total = self._seen[name]._fold_crc(total)
        return total

    def layout_at(self, frame: int) -> Layout:
        """The schemas of the tables that were visible in a held frame."""
        return self._layouts.at(frame).layout

    def existing(self, name: str, frame: int) -> Table | None:
        """The table of a name, seen or parked, unless it came later than a frame."""
        table = self.all.get(name)
        return table if table is not None and table._born <= frame else None

    def check(self, layout: Layout, frame: int) -> None:
        """See whether the tables can take a layout by themselves at a frame; changes nothing.

        Raises:
            SchemaError: If a `Ref` names a table that is not among them.
            MigrationError: If values would be lost.
        """
        check_targets(layout)
        for name, schema in layout.items():
            table = self.existing(name, frame)
            if table is not None:
                table._check(schema, frame)

    def take(self, layout: Layout, frame: int, oldest: int) -> list[Step]:
        """Make a checked layout the visible one from a frame on; returns the steps taken, for people.

        Args:
            layout: The schemas by table.
            frame: The current frame.
            oldest: The oldest frame that is held.
        """
        steps = [step for name, schema in layout.items() for step in self._expose(name, schema, frame)]
        gone = [table for name, table in self._seen.items() if name not in layout]
        steps += [_of_table(table, f"parked with {len(table)} rows") for table in gone]
        self._layouts.add(frame, layout, self._schemas, oldest)
        self._show(layout)
        return steps

    def forget_after(self, frame: int) -> bool:
        """Forget what came after a frame that becomes the newest; returns whether there was anything."""
        if not self._layouts.forget_after(frame):
            return False
        self.all = {name: table for name, table in self.all.items() if table._born <= frame}
        for table in self.all.values():
            table._columns.forget_after(frame)
        self._show(self._layouts.newest)
        return True

    def return_to(self, frame: int) -> bool:
        """Have the rows and schemas of a held frame whose bytes are live again; returns whether other tables are visible."""
        before, era = self.layout, self._layouts.at(frame)
        for table in self.all.values():
            table._reload()
        for name, schema in era.schemas.items():
            self.all[name]._return_to(schema)
        if era.layout == before:
            return False
        self._show(era.layout)
        return True

    def become(self, restoration: Restoration) -> None:
        """Have the tables of a checkpoint in place of all there were."""
        self.all = restoration.put_in_place()
        self._layouts = Layouts(restoration.frame, restoration.layout, self._schemas)
        self._show(restoration.layout)

    def mark(self) -> Structure:
        """The tables with their schemas and columns, as they are now, for `return_to_mark`."""
        tables = {table: (table.schema, table._columns.mark()) for table in self.all.values()}
        return Structure(self.layout, self._layouts.copy(), tables)

    def return_to_mark(self, mark: Structure) -> None:
        """Have the tables, schemas and columns of a mark, whose frame's bytes are live; what came since is forgotten."""
        for table, (schema, columns) in mark.tables.items():
            table._views.close()
            table.__dict__["schema"] = schema
            table._columns.return_to_mark(columns, schema)
        self.all = {table.name: table for table in mark.tables}
        self._layouts = mark.layouts.copy()
        self._show(mark.layout)

    def flush(self) -> None:
        """Carry out the despawns asked for so far."""
        lost = {name for name, table in self.all.items() if table._flush()}
        if lost:
            self._references.clear_lost(lost)

    def changeable(self) -> tuple[Column, ...]:
        """What a commit must compare: all that something can have written since the last one."""
        self._references.clear_written()
        columns: list[Column] = []
        for table in self.all.values():
            columns += table._changeable()
        return tuple(columns)

    def settled(self) -> None:
        """Note that what `changeable` returned is committed."""
        for table in self.all.values():
            table._settled()

    def leave(self) -> None:
        """Note that all columns are about to go to another frame, together, until `return_to` takes the rows from them."""
        for table in self.all.values():
            table._sync_extents()
            table.__dict__["_torn"] = True

    def sync_extents(self) -> None:
        """Tell all columns how many of their bytes are in use."""
        for table in self.all.values():
            table._sync_extents()

    def guarded(self) -> dict[str, Guarded]:
        """All tables as validation sees them; the same object while no schema changes."""
        if self._guarded is None:
            self._guarded = {name: table._guarded() for name, table in self.all.items()}
        return self._guarded

    @property
    def _schemas(self) -> Layout:
        return {name: table.schema for name, table in self.all.items()}

    def _expose(self, name: str, schema: Schema, frame: int) -> Iterable[Step]:
        if name not in self.all:
            self.all[name] = Table(schema, frame)
            return [_of_table(self.all[name], "new table, empty until something spawns into it")]
        table = self.all[name]
        steps = [] if name in self._seen else [_of_table(table, f"brought back with {len(table)} rows")]
        return steps + table._expose(schema, frame)

    def _show(self, layout: Layout) -> None:
        self._guarded = None
        self._seen.clear()
        self._seen.update({name: self.all[name] for name in layout})
        self.native = [column for table in self.all.values() for column in table._native_columns()]
        self.packable = [one for table in self.all.values() for one in table._columns.packable()]
        self._references.find(self.all)


def _of_table(table: Table, text: str) -> Step:
    return Step(f"{table.name}: {text}", table.name, None, len(table))
