"""What a StateManager promises, in plain Python: tables are lists of rows, and every frame is kept as a copy of everything.

Cells are bytes, so that two worlds are equal only if they are equal bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from instar.hmr.state import ColumnType, Field, Schema

Key = tuple[str, ColumnType]
"""A column is known by its field's name and type: one that comes back with both has its values again."""
RESERVED_ROWS = 1 << 20
LAST_GENERATION = (1 << 32) - 1


class Refused(Exception):
    """The real thing must refuse this, and change nothing."""


@dataclass(slots=True)
class Row:
    """One agent: its id and its cell of every column that the table ever had."""

    id: int
    cells: dict[Key, bytes]


@dataclass(slots=True)
class TableOracle:
    """One table.

    Attributes:
        schema: What is visible; cells of other columns are parked.
        rows: The agents in order.
        columns: The fields, as they were last declared, of every column the table ever had.
        generations: How often each slot was given back.
        free: Slots to be given out again, the last one first.
        doomed: Rows to be removed at the next flush.
    """

    schema: Schema
    rows: list[Row] = field(default_factory=list)
    columns: dict[Key, Field] = field(default_factory=dict)
    generations: list[int] = field(default_factory=list)
    free: list[int] = field(default_factory=list)
    doomed: set[int] = field(default_factory=set)

    def copy(self) -> TableOracle:
        """A table of its own that is equal to this one."""
        rows = [Row(row.id, dict(row.cells)) for row in self.rows]
        return TableOracle(
            self.schema, rows, dict(self.columns), list(self.generations), list(self.free), set(self.doomed)
        )

    def key(self, name: str) -> Key:
        """The visible column of a field."""
        return name, self.schema.fields[name].type

    def column(self, name: str) -> bytes:
        """The cells of a visible column, row after row."""
        key = self.key(name)
        return b"".join(row.cells[key] for row in self.rows)

    def ids(self) -> list[int]:
        """The ids, row after row."""
        return [row.id for row in self.rows]

    def row_of(self, one: int) -> int:
        """Where an agent stands; -1 if nowhere."""
        return next((at for at, row in enumerate(self.rows) if row.id == one), -1)

    def spawn(self, count: int, given: Mapping[str, list[bytes]]) -> slice:
        """Append rows; cells that are not given take the default of their field, seen or parked."""
        start = len(self.rows)
        if start + count > self.schema.capacity:
            raise Refused
        seen = {self.key(name): cells for name, cells in given.items()}
        for number in range(count):
            cells = {
                key: seen[key][number] if key in seen else default_cell(declared)
                for key, declared in self.columns.items()
            }
            if self.free:
                slot = self.free.pop()
            else:
                slot = len(self.generations)
                self.generations.append(0)
            self.rows.append(Row((self.generations[slot] << 32 | slot) + 1, cells))
        return slice(start, start + count)

    def despawn(self, rows: Iterable[int]) -> None:
        """Doom rows; they go at the next flush."""
        self.doomed.update(rows)

    def flush(self) -> None:
        """Remove what is doomed: the last rows that stay move, in order, into the holes, in order."""
        for row in sorted(self.doomed):
            slot = (self.rows[row].id - 1) & 0xFFFFFFFF
            self.generations[slot] += 1
            if self.generations[slot] < LAST_GENERATION:
                self.free.append(slot)
        kept = len(self.rows) - len(self.doomed)
        holes = (row for row in sorted(self.doomed) if row < kept)
        movers = (row for row in range(kept, len(self.rows)) if row not in self.doomed)
        for hole, mover in zip(holes, movers, strict=True):
            self.rows[hole] = self.rows[mover]
        del self.rows[kept:]
        self.doomed.clear()

    def write(self, name: str, rows: Iterable[int], cells: Iterable[bytes]) -> None:
        """Write cells of a visible column; rows that are not there are nobody's."""
        key = self.key(name)
        for row, cell in zip(rows, cells, strict=True):
            if row < len(self.rows):
                self.rows[row].cells[key] = cell

    def check(self, schema: Schema) -> None:
        """Refuse a schema under which something would be lost."""
        if not len(self.rows) <= schema.capacity <= RESERVED_ROWS:
            raise Refused
        for name, new in schema.fields.items():
            old = self.schema.fields.get(name)
            if old is None or old.type == new.type:
                continue
            known = (name, new.type) in self.columns
            if old.type.shape != new.type.shape or not (known or np.can_cast(old.type.dtype, new.type.dtype, "safe")):
                raise Refused

    def expose(self, schema: Schema) -> None:
        """Make a schema's fields the visible ones: they keep their cells, take those of the old type, come back, or begin."""
        for name, new in schema.fields.items():
            old, key = self.schema.fields.get(name), (name, new.type)
            for row in self.rows:
                if old is not None and old.type != new.type:
                    row.cells[key] = cast(row.cells[name, old.type], old.type, new.type)
                elif key not in self.columns:
                    row.cells[key] = default_cell(new)
            self.columns[key] = new
        self.schema = schema


@dataclass(slots=True)
class World:
    """All tables at one moment, parked ones too, and the names of those that are visible."""

    tables: dict[str, TableOracle] = field(default_factory=dict)
    visible: tuple[str, ...] = ()

    def copy(self) -> World:
        """A world of its own that is equal to this one."""
        return World({name: table.copy() for name, table in self.tables.items()}, self.visible)

    def check(self, schemas: Mapping[str, Schema]) -> None:
        """Refuse schemas under which something would be lost."""
        for name, schema in schemas.items():
            if name in self.tables:
                self.tables[name].check(schema)

    def expose(self, schema: Schema) -> None:
        """Make a table, or show one under another schema."""
        if schema.table not in self.tables:
            self.tables[schema.table] = TableOracle(Schema(schema.table, {}, schema.capacity))
        self.tables[schema.table].expose(schema)

    def cells(self) -> tuple[object, ...]:
        """All that people can see of it, in a form that can be compared and hashed."""
        tables = [(name, self.tables[name]) for name in sorted(self.visible)]
        return tuple(
            (name, tuple(table.ids()), tuple((key, table.column(key)) for key in sorted(table.schema.fields)))
            for name, table in tables
        )


@dataclass(frozen=True, slots=True)
class SavedWorld:
    """A committed world and its frame."""

    frame: int
    world: World


class StateOracle:
    """A StateManager without limits.

    Attributes:
        world: The live tables.
        frames: The committed worlds by frame.
        frame: The one that is committed now.
    """

    def __init__(self) -> None:
        self.world = World()
        self.frames = {0: World()}
        self.frame = 0

    def __getitem__(self, name: str) -> TableOracle:
        assert name in self.world.visible
        return self.world.tables[name]

    def commit(self) -> None:
        """The live world is the next frame; frames that could be redone are gone."""
        self.frame += 1
        self.amend()

    def amend(self) -> None:
        """The live world is the current frame; frames that could be redone are gone."""
        for table in self.world.tables.values():
            table.flush()
        self.forget_redo()
        self.frames[self.frame] = self.world.copy()

    def travel(self, frame: int) -> None:
        """A committed frame becomes the live world."""
        if frame not in self.frames:
            raise Refused
        self.frame = frame
        self.world = self.frames[frame].copy()

    def add(self, schema: Schema) -> None:
        """A new table, in the live world and the current frame, or one that comes back by a migration."""
        if schema.table in self.world.tables:
            self.migrate({**{name: self[name].schema for name in self.world.visible}, schema.table: schema})
            return
        self.forget_redo()
        for world in (self.world, self.frames[self.frame]):
            world.expose(schema)
            world.visible += (schema.table,)

    def migrate(self, schemas: Mapping[str, Schema]) -> None:
        """The live world under other schemas is the current frame; tables without one are parked."""
        self.world.check(schemas)
        if {name: self[name].schema for name in self.world.visible} == schemas:
            return
        for schema in schemas.values():
            self.world.expose(schema)
        self.world.visible = tuple(schemas)
        self.amend()

    def kept(self) -> SavedWorld:
        """A copy of the committed world."""
        return SavedWorld(self.frame, self.frames[self.frame].copy())

    def restore(self, saved: SavedWorld) -> None:
        """A kept world is the live and the only committed one."""
        self.frame = saved.frame
        self.frames = {saved.frame: saved.world.copy()}
        self.world = saved.world.copy()

    def forget_redo(self) -> None:
        """The current frame becomes the newest."""
        self.frames = {frame: world for frame, world in self.frames.items() if frame <= self.frame}

    def forget_before(self, oldest: int) -> None:
        """The budget of the real thing was full."""
        self.frames = {frame: world for frame, world in self.frames.items() if frame >= oldest}


def default_cell(declared: Field) -> bytes:
    """The cell of a new row."""
    return np.broadcast_to(np.asarray(declared.default, declared.type.dtype), declared.type.shape).tobytes()


def cast(cell: bytes, old: ColumnType, new: ColumnType) -> bytes:
    """A cell's values in another type."""
    return np.frombuffer(cell, old.dtype).astype(new.dtype).tobytes()
