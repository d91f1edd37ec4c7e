"""Random schema edits of every kind between spawns, despawns, writes, rollbacks and restores equal the oracle, parked cells too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from edits import is_settled
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from migrations import MigratingOracle
from oracle import Refused, SavedWorld

from instar.hmr.state import Checkpoint, ColumnType, MigrationError, Migrator, Schema, StateManager, f32, f64, i16, i32
from instar.hmr.state.fields import make_field

TABLES = ("boids", "hawks", "owls")
NAMES = ("x", "y", "z")
TYPES = (f32, f64, i16, i32, f32[2], f64[2], f32[3])
CAPACITIES = (1000, 30, (1 << 20) + 5)
ODD = np.array([0.0, -0.0, 1.5, -7.25, 0.1, np.nan, np.inf, 1e-40, 70000.0, 3e38])


@st.composite
def schemas(draw: st.DrawFn, table: str) -> Schema:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    olds = dict(zip(names, draw(st.permutations(NAMES)), strict=False))
    fields = {}
    for name in names:
        was = olds[name] if draw(st.booleans()) and olds[name] != name else None
        kind, default = draw(st.sampled_from(TYPES)), draw(st.sampled_from([0, 3]))
        fields[name] = make_field(name, kind, default, was=was)
    return Schema.build(table, fields, draw(st.sampled_from(CAPACITIES)))


@st.composite
def layouts(draw: st.DrawFn) -> dict[str, Schema]:
    names = draw(st.lists(st.sampled_from(TABLES), min_size=1, max_size=2, unique=True))
    olds = dict(zip(names, draw(st.permutations(TABLES)), strict=False))
    made = {}
    for name in names:
        one = draw(schemas(name))
        was = olds[name] if draw(st.integers(0, 3)) == 0 and olds[name] != name else None
        made[name] = Schema.build(name, one.fields, one.capacity, was)
    return made


def values(kind: ColumnType, count: int, seed: int) -> np.ndarray[Any, Any]:
    rng, shape = np.random.default_rng(seed), (count, *kind.shape)
    if kind.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.where(rng.random(shape) < 0.2, rng.choice(ODD, shape), rng.standard_normal(shape)).astype(
                kind.dtype
            )
    return rng.choice([0, 1, -5, 300, 70000, -70000], shape).astype(kind.dtype)


class EditsBesideOracle(RuleBasedStateMachine):
    @initialize(layout=layouts())
    def open(self, layout: dict[str, Schema]) -> None:
        self.state, self.oracle = StateManager(), MigratingOracle()
        self.kept: tuple[Checkpoint, SavedWorld] | None = None
        self.migrate(layout, answered=False)

    def some(self, data: st.DataObject):
        name = data.draw(st.sampled_from(sorted(self.oracle.world.visible)), "table")
        return self.state[name], self.oracle[name]

    @rule(data=st.data(), count=st.sampled_from([1, 2, 7, 20]), seed=st.integers(0, 2**32))
    def spawn(self, data: st.DataObject, count: int, seed: int) -> None:
        table, model = self.some(data)
        if len(model.rows) + count > model.schema.capacity:
            return
        given = {name: values(one.type, count, seed) for name, one in model.schema.fields.items()}
        model.spawn(count, {name: [cell.tobytes() for cell in cells] for name, cells in given.items()})
        table.spawn(count, **given)

    @rule(data=st.data())
    def despawn(self, data: st.DataObject) -> None:
        table, model = self.some(data)
        if model.rows:
            rows = data.draw(st.lists(st.integers(0, len(model.rows) - 1), max_size=9), "rows")
            model.despawn(rows)
            table.despawn(rows)

    @rule(data=st.data(), seed=st.integers(0, 2**32), step=st.sampled_from([1, 3]))
    def write(self, data: st.DataObject, seed: int, step: int) -> None:
        table, model = self.some(data)
        name = data.draw(st.sampled_from(sorted(model.schema.fields)), "field")
        places = range(0, len(model.rows), step)
        cells = values(model.schema.fields[name].type, len(places), seed)
        model.write(name, places, [cell.tobytes() for cell in cells])
        getattr(table, name)[::step] = cells

    @rule()
    def commit(self) -> None:
        self.oracle.commit()
        self.state.commit()

    @rule(layout=layouts(), answered=st.booleans(), ready=st.booleans())
    def migrate(self, layout: dict[str, Schema], answered: bool, ready: bool = False) -> None:
        migrators = [Migrator(frozenset(layout), self.oracle.answer)] if answered else []
        before = {name: list(schema.fields) for name, schema in self.layout.items()}
        if ready:
            self.try_to_check(layout, migrators)
        try:
            self.oracle.migrate(layout, answered)
        except Refused:
            with pytest.raises(MigrationError):
                self.state.migrate(layout, migrators)
            return
        steps = self.state.migrate(layout, migrators)
        if before == {name: list(schema.fields) for name, schema in layout.items()} and not steps:
            return
        assert all(step.startswith(f"{step.table}: ") for step in steps)

    def try_to_check(self, layout: dict[str, Schema], migrators: list[Migrator]) -> None:
        try:
            self.state.check(layout, migrators)
        except MigrationError:
            with pytest.raises(MigrationError):
                self.state.migrate(layout, migrators)

    @property
    def layout(self) -> dict[str, Schema]:
        return {name: self.oracle[name].schema for name in self.oracle.world.visible}

    @rule(data=st.data())
    def travel(self, data: st.DataObject) -> None:
        frame = data.draw(st.sampled_from(sorted(self.oracle.frames)), "frame")
        (self.state.rollback if frame <= self.state.frame else self.state.redo)(frame)
        self.oracle.travel(frame)

    @rule()
    def checkpoint(self) -> None:
        self.commit()
        self.kept = (self.state.checkpoint(), self.oracle.kept())

    @precondition(lambda self: self.kept is not None)
    @rule(layout=st.none() | layouts(), answered=st.booleans())
    def restore(self, layout: dict[str, Schema] | None, answered: bool) -> None:
        checkpoint, saved = self.kept
        trial = MigratingOracle()
        trial.restore(saved)
        try:
            if layout is not None:
                trial.migrate(layout, answered)
        except Refused:
            with pytest.raises(MigrationError):
                self.state.restore(checkpoint, layout, [])
            return
        self.state.restore(checkpoint, layout, [Migrator(frozenset(layout or ()), trial.answer)] if answered else [])
        self.oracle = trial

    @rule()
    def is_sound(self) -> None:
        self.commit()
        assert is_settled(self.state)

    @invariant()
    def equals_the_oracle(self) -> None:
        assert self.state.frame == self.oracle.frame
        assert list(self.state.frames) == sorted(self.oracle.frames)
        assert list(self.state.tables) == list(self.oracle.world.visible)
        assert set(self.state._catalog.all) == set(self.oracle.world.tables)
        for name, model in self.oracle.world.tables.items():
            table = self.state._catalog.all[name]
            assert (table.schema, list(table.schema.fields)) == (model.schema, list(model.schema.fields))
            assert table._index.view(len(table)).tolist() == model.ids()
            lineages = {lineage.key: lineage for lineage in table._columns.lineages()}
            assert lineages.keys() == model.columns.keys()
            for key, lineage in lineages.items():
                cells = [cell.tobytes() for cell in lineage.cells(0, len(table))]
                assert cells == [row.cells[key] for row in model.rows], key


TestEditsBesideOracle = EditsBesideOracle.TestCase
TestEditsBesideOracle.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
