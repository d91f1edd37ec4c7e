"""What a migration promises, in plain Python, a cell at a time: an oracle beside which random edits are done."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from oracle import Refused, StateOracle, TableOracle, World, default_cell

from instar.hmr.state import ColumnType, Schema

ANSWER = 3
"""What the machine's `migrate` writes into every column it is asked about."""

KEEPS = {"i16": ("i16", "i32", "f32", "f64"), "i32": ("i32", "f64"), "f32": ("f32", "f64"), "f64": ("f64",)}


def keeps(old: ColumnType, new: ColumnType) -> bool:
    return old.shape == new.shape and new.name in KEEPS[old.name]


def numbers(cell: bytes, kind: ColumnType) -> list[float | int]:
    return np.frombuffer(cell, kind.dtype).tolist()


def stored(values: list[float | int], kind: ColumnType) -> bytes:
    with np.errstate(all="ignore"):
        return np.array(values).astype(kind.dtype).tobytes()


def same(a: float, b: float) -> bool:
    return (a == b and math.copysign(1, a) == math.copysign(1, b)) or (math.isnan(a) and math.isnan(b))


def back(cell: bytes, parked: bytes, old: ColumnType, new: ColumnType) -> bytes | None:
    """A cell in the type it came from: what was not changed is as it was parked. None if a value does not fit."""
    with np.errstate(all="ignore"):
        seen = np.frombuffer(parked, new.dtype).astype(old.dtype).tolist()
    elements = []
    for at, (value, before) in enumerate(zip(numbers(cell, old), seen, strict=True)):
        if same(value, before):
            elements.append(parked[at * new.dtype.itemsize : (at + 1) * new.dtype.itemsize])
            continue
        if new.dtype.kind == "i":
            if not math.isfinite(value):
                return None
            info = np.iinfo(new.dtype)
            if not info.min <= round(value) <= info.max:
                return None
            elements.append(stored([round(value)], new))
        else:
            made = stored([value], new)
            if math.isinf(numbers(made, new)[0]) and not math.isinf(value):
                return None
            elements.append(made)
    return b"".join(elements)


@dataclass
class Sources:
    """From what each wanted name goes on, found by asking for one name after another."""

    wanted: Mapping[str, str | None]
    shown: set[str]
    formers: Mapping[str, tuple[str, ...]]
    asked: set[str] = field(default_factory=set)

    def takes(self, name: str) -> str | None:
        """The shown name that a rename takes away."""
        was = self.wanted[name]
        if was not in self.shown or name in self.asked:
            return None
        if name not in self.shown and was in self.formers.get(name, ()):
            return None
        self.asked.add(name)
        free = name not in self.shown or self.taker(name) is not None
        self.asked.discard(name)
        return was if free else None

    def taker(self, name: str) -> str | None:
        return next((one for one, was in self.wanted.items() if was == name and self.takes(one) == name), None)

    def all(self) -> dict[str, str | None]:
        found: dict[str, str | None] = {name: took for name in self.wanted if (took := self.takes(name)) is not None}
        gone = set(found.values())
        for name, was in self.wanted.items():
            if name in found:
                continue
            undone = [
                one
                for one, formers in self.formers.items()
                if name in formers and one not in gone and one not in self.wanted
            ]
            if name in self.formers and name not in gone:
                found[name] = name
            elif was in self.formers and was not in gone and was not in self.wanted:
                found[name] = was
            else:
                found[name] = next((one for one in undone if one in self.shown), undone[0] if undone else None)
            gone.add(found[name] or name)
        return found


def formers_of(name: str, source: str, formers: tuple[str, ...]) -> tuple[str, ...]:
    if name == source:
        return formers
    return formers[: formers.index(name)] if name in formers else (*formers, source)


@dataclass(slots=True)
class MigratingTable(TableOracle):
    """A table whose edits may rename, retype and ask."""

    formers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    own_formers: tuple[str, ...] = ()
    asked: set[str] = field(default_factory=set)

    def copy(self) -> MigratingTable:
        plain = TableOracle.copy(self)
        return MigratingTable(
            plain.schema,
            plain.rows,
            plain.columns,
            plain.generations,
            plain.free,
            plain.doomed,
            dict(self.formers),
            self.own_formers,
        )

    def expose(self, schema: Schema, answered: bool = False) -> None:
        """Take a schema; what would be lost is answered or refused."""
        self.asked = set()
        names = Sources(
            {name: one.was for name, one in schema.fields.items()},
            set(self.schema.fields),
            {name: self.formers.get(name, ()) for name, _ in self.columns},
        ).all()
        seen = {name: one.type for name, one in self.schema.fields.items()}
        self._rename(names)
        renamed = {source: name for name, source in names.items() if source is not None}
        seen = {renamed.get(name, name): kind for name, kind in seen.items() if name in renamed}
        for name, new in schema.fields.items():
            self._take(name, seen.get(name), new, answered, names[name])
        if len(self.rows) > schema.capacity:
            if not answered:
                raise Refused
            self.despawn(range(schema.capacity, len(self.rows)))
        self.schema = schema
        self.flush()

    def _rename(self, names: Mapping[str, str | None]) -> None:
        renamed = {source: name for name, source in names.items() if source is not None}
        columns, formers = {}, {}
        for (name, kind), declared in self.columns.items():
            if name not in renamed and name in renamed.values():
                continue
            to = renamed.get(name, name)
            columns[name, kind] = (to, kind), replace(declared, name=to)
            formers[to] = formers_of(to, name, self.formers.get(name, ()))
        for row in self.rows:
            row.cells = {new: row.cells[old] for old, (new, _) in columns.items()}
        self.columns = dict(columns.values())
        self.formers = formers

    def _take(self, name: str, old: ColumnType | None, new, answered: bool, source: str | None) -> None:
        key, kind = (name, new.type), new.type
        parked = [one for known, one in self.columns if known == name]
        if old is None:
            origin = next((one for one in reversed(parked) if keeps(one, kind)), None)
            for row in self.rows if key not in self.columns else ():
                row.cells[key] = (
                    default_cell(new) if origin is None else stored(numbers(row.cells[name, origin], origin), kind)
                )
        elif old != kind:
            self._convert(key, (name, old), new, answered)
        self.columns[key] = new
        if source is None:
            self.formers[name] = ()

    def _convert(self, key, old_key, new, answered: bool) -> None:
        old, kind = old_key[1], key[1]
        if key in self.columns:
            if old.shape != kind.shape:
                return
            cells = [back(row.cells[old_key], row.cells[key], old, kind) for row in self.rows]
            if None not in cells:
                for row, cell in zip(self.rows, cells, strict=True):
                    row.cells[key] = cell
                return
        elif keeps(old, kind):
            for row in self.rows:
                row.cells[key] = stored(numbers(row.cells[old_key], old), kind)
            return
        if not answered:
            raise Refused
        self.asked.add(key[0])
        for row in self.rows:
            row.cells[key] = stored([ANSWER] * math.prod(kind.shape), kind)


class MigratingWorld(World):
    """Tables that may be renamed."""

    def copy(self) -> MigratingWorld:
        return MigratingWorld({name: table.copy() for name, table in self.tables.items()}, self.visible)

    def take(self, schemas: Mapping[str, Schema], answered: bool) -> None:
        names = Sources(
            {name: schema.was for name, schema in schemas.items()},
            set(self.visible),
            {name: table.own_formers for name, table in self.tables.items()},
        ).all()
        taken = set(names.values())
        for name, source in names.items():
            if name in self.tables and name not in taken and source != name and self.tables[name].rows:
                raise Refused
        rest = {name: table for name, table in self.tables.items() if name not in taken and name not in names}
        for name, schema in schemas.items():
            source = names[name]
            if source is None:
                rest[name] = MigratingTable(Schema(name, {}, schema.capacity))
            else:
                rest[name] = self.tables[source]
                rest[name].own_formers = formers_of(name, source, rest[name].own_formers)
            rest[name].expose(schema, answered)
        self.tables = rest
        self.visible = tuple(schemas)


class MigratingOracle(StateOracle):
    """A StateManager whose schemas change in every way."""

    def __init__(self) -> None:
        super().__init__()
        self.world = MigratingWorld()
        self.frames = {0: MigratingWorld()}

    def migrate(self, schemas: Mapping[str, Schema], answered: bool = False) -> None:
        now = [(name, self[name].schema, list(self[name].schema.fields)) for name in self.world.visible]
        if now == [(name, schema, list(schema.fields)) for name, schema in schemas.items()]:
            return
        for table in self.world.tables.values():
            table.flush()
        trial = self.world.copy()
        trial.take(schemas, answered)
        self.world = trial
        self.amend()

    def answer(self, old: Any, new: Any) -> None:
        """What a `migrate` says that does what the last migration did here."""
        for name in self.world.visible:
            for column in self.world.tables[name].asked:
                setattr(getattr(new, name), column, ANSWER)
            if len(getattr(new, name)) > self.world.tables[name].schema.capacity:
                getattr(new, name).despawn(slice(self.world.tables[name].schema.capacity, None))
