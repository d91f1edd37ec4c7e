"""The catalog: which tables there are, which of them are seen, and what all of them are made of."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from instar.hmr.state.catalog.atomic import at_once
from instar.hmr.state.catalog.layouts import Era, Eras, Form, Layout
from instar.hmr.state.catalog.targets import References
from instar.hmr.state.columns import Columns
from instar.hmr.state.errors import UnknownTableError
from instar.hmr.state.schema import Schema
from instar.hmr.state.table import Table, rows_reserved
from instar.hmr.state.validation.target import Guarded
from instar.native import Column, History, crc64

# Tables and catalog are one concept in several files.
# ruff: noqa: SLF001


class Catalog:
    """All tables of a world. A table that no schema names any more is parked, and comes back with its agents.

    Attributes:
        seen: The visible tables by name; the same object for good.
        all: All tables by name, parked ones too.
        native: The native columns of all tables of all frames held.
        packable: The columns whose committed bytes may be packed, with the size of their elements.
        era: What the tables are made of now.
        eras: What they were made of, for as far back as the history reaches.
    """

    def __init__(self) -> None:
        self._seen: dict[str, Table] = {}
        self.seen: Mapping[str, Table] = MappingProxyType(self._seen)
        self.all: dict[str, Table] = {}
        self.native: list[Column] = []
        self.packable: list[tuple[Column, int]] = []
        self.era = Era(0, (), {})
        self.eras = Eras([self.era])
        self._references = References({})
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
        return self.era.layout

    @property
    def crc(self) -> int:
        """CRC-64/NVME over the committed cells and ids of the visible tables, in order of their names."""
        total = 0
        for name in sorted(self._seen):
            total = crc64(f"{name}\0".encode(), total)
            total = self._seen[name]._fold_crc(total)
        return total

    def change(self, era: Era, eras: Eras) -> list[Callable[[], object]]:
        """What makes an era that of the tables: calls to be made at once.

        Args:
            era: What the tables are to be made of.
            eras: The eras of all frames held, that one among them.
        """
        calls: list[Callable[[], object]] = []
        for table, schema, columns, roots, _ in era.forms.values():
            if table.schema is not schema or table._columns is not columns or table._roots is not roots:
                table._views.close()
                calls.append(partial(table.__dict__.pop, "id", None))
                calls.append(partial(table.__dict__.update, {"schema": schema, "_columns": columns, "_roots": roots}))
        seen = {name: era.forms[name].table for name in era.shown}
        own = {
            "era": era,
            "eras": eras,
            "all": {name: form.table for name, form in era.forms.items()},
            "native": eras.native(),
            "packable": [one for form in era.forms.values() for one in form.columns.packable()],
            "_references": References({name: (form.table, form.columns) for name, form in era.forms.items()}),
            "_guarded": None,
        }
        return [*calls, self._seen.clear, partial(self._seen.update, seen), partial(self.__dict__.update, own)]

    def forget_after(self, frame: int) -> None:
        """Forget what came after a frame that becomes the newest, and is the current one."""
        eras = self.eras.until(frame)
        if eras is not self.eras:
            self.__dict__.update(eras=eras, native=eras.native())

    def return_to(self, frame: int) -> None:
        """Have the tables of a held frame whose bytes are live again."""
        era = self.eras.at(frame)
        if era is not self.era:
            at_once(self.change(era, self.eras))
        for table in self.all.values():
            table._reload()

    def mark(self) -> tuple[Era, Eras]:
        """What the tables are made of now, and were before, for `return_to_mark`."""
        return self.era, self.eras

    def return_to_mark(self, mark: tuple[Era, Eras]) -> None:
        """Have the tables, schemas and columns of a mark, whose frame's bytes are live; what came since is forgotten."""
        at_once(self.change(*mark))
        for table in self.all.values():
            table._reload()

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

    def reserve(self, schema: Schema, history: History) -> Table:
        """Have a table from the current frame on that no layout names."""
        frame = history.current
        columns = Columns.reserve(rows_reserved(schema), schema, frame)
        table = Table(schema, columns, frame)
        era = Era(frame, self.era.shown, {**self.era.forms, table.name: Form(table, schema, columns, table._roots)})
        eras = self.eras.followed_by(era, history.oldest)
        for column in eras.native():
            history.add(column)
        at_once(self.change(era, eras))
        return table
