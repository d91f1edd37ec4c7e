"""Whatever is done to a StateManager, it equals the oracle: rows, order, ids, cells, schemas, frames and checksums."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from oracle import Refused, SavedWorld, StateOracle, TableOracle

from instar.hmr.state import (
    CapacityError,
    Checkpoint,
    ColumnType,
    FrameError,
    MigrationError,
    Schema,
    StateManager,
    Table,
    TableError,
    f32,
    f64,
    i16,
    i32,
    u8,
)
from instar.hmr.state.fields import make_field
from instar.native import CHUNK_BYTES
from instar.testing import flip_bit

TABLES = ("boids", "hawks")
TYPES: dict[str, tuple[ColumnType, ...]] = {"x": (f32, f64), "vel": (f32[2],), "kind": (i16, i32), "tag": (u8,)}
CAPACITIES = (700, 1 << 20)
FLOATS = np.array([0.0, -0.0, 1.5, -7.25, np.nan, np.inf, -np.inf, 1e-40, 3e38], np.float32)
LARGE, SMALL = 64 << 20, 1 << 16
"""Budgets: one that no run fills, and the least there is."""

Cells = npt.NDArray[np.generic]


class HeldView(NamedTuple):
    """A view of a column that outlives the frame it was taken in."""

    table: str
    field: str
    type: ColumnType
    cells: Cells


fields = st.fixed_dictionaries(
    {},
    optional={name: st.tuples(st.sampled_from(kinds), st.sampled_from([0, 3])) for name, kinds in TYPES.items()},
).filter(bool)


@st.composite
def schemas(draw: st.DrawFn, table: str) -> Schema:
    chosen = draw(fields)
    ready = {name: make_field(name, kind, default) for name, (kind, default) in chosen.items()}
    return Schema.build(table, ready, draw(st.sampled_from(CAPACITIES)))


@st.composite
def slices(draw: st.DrawFn, count: int) -> slice:
    start, stop = draw(st.integers(0, count)), draw(st.integers(0, count))
    return slice(start, stop, draw(st.sampled_from([1, 2, 7])))


def values(kind: ColumnType, count: int, seed: int) -> Cells:
    """Cells with all the bits that matter, the odd numbers among them."""
    rng, shape = np.random.default_rng(seed), (count, *kind.shape)
    if kind.dtype.kind == "f":
        odd, usual = rng.choice(FLOATS, shape), rng.standard_normal(shape, np.float32)
        return np.where(rng.random(shape) < 0.1, odd, usual).astype(kind.dtype)
    low, high = np.iinfo(kind.dtype).min, np.iinfo(kind.dtype).max
    return rng.integers(low, high, shape, kind.dtype, endpoint=True)


def cells_of(array: Cells) -> list[bytes]:
    return [cell.tobytes() for cell in array]


class StateBesideOracle(RuleBasedStateMachine):
    """Does the same to both, and compares them after every step."""

    @initialize(budget=st.sampled_from([LARGE, SMALL]), data=st.data())
    def open(self, budget: int, data: st.DataObject) -> None:
        self.budget = budget
        self.state = StateManager(history_bytes=budget)
        self.oracle = StateOracle()
        self.first = 0
        self.kept: tuple[Checkpoint, SavedWorld] | None = None
        self.views: list[HeldView] = []
        self.given: dict[str, set[int]] = {name: {0, 1, 2**64 - 1} for name in TABLES}
        self.crcs: dict[object, int] = {}
        self.worlds: dict[object, object] = {}
        self.migrate(data, TABLES)

    def both(self, model: Callable[[], object], real: Callable[[], object], refusal: type[Exception]) -> None:
        """Do it to the oracle and the real thing, which must refuse what the oracle refuses."""
        try:
            model()
        except Refused:
            with pytest.raises(refusal):
                real()
        else:
            real()

    def choose(self, data: st.DataObject) -> tuple[str, Table, TableOracle]:
        """Some visible table."""
        name = data.draw(st.sampled_from(sorted(self.oracle.world.visible)), "table")
        return name, self.state[name], self.oracle[name]

    @property
    def layout(self) -> dict[str, Schema]:
        return {name: self.oracle[name].schema for name in self.oracle.world.visible}

    @rule(data=st.data(), count=st.sampled_from([0, 1, 2, 7, 60, 300]), seed=st.integers(0, 2**32))
    def spawn(self, data: st.DataObject, count: int, seed: int) -> None:
        _, table, model = self.choose(data)
        named = data.draw(st.sets(st.sampled_from(sorted(model.schema.fields))), "given")
        given = {name: values(model.schema.fields[name].type, count, seed) for name in sorted(named)}

        def both_give_the_same_rows() -> None:
            assert table.spawn(count, **given) == slice(len(model.rows) - count, len(model.rows))

        self.both(
            lambda: model.spawn(count, {name: cells_of(cells) for name, cells in given.items()}),
            both_give_the_same_rows,
            CapacityError,
        )

    @rule(data=st.data(), form=st.sampled_from(["mask", "rows", "slice", "row"]))
    def despawn(self, data: st.DataObject, form: str) -> None:
        _, table, model = self.choose(data)
        count = len(model.rows)
        rows: Any
        if form == "slice":
            rows = data.draw(slices(count))
            chosen = list(range(count))[rows]
        elif form == "mask":
            mask = np.random.default_rng(data.draw(st.integers(0, 2**32))).random(count) < data.draw(st.floats(0, 1))
            rows, chosen = mask, np.flatnonzero(mask).tolist()
        elif count == 0:
            return
        elif form == "row":
            rows = data.draw(st.integers(-count, count - 1))
            chosen = [rows % count]
        else:
            rows = data.draw(st.lists(st.integers(-count, count - 1), max_size=30))
            chosen = [row % count for row in rows]
        model.despawn(chosen)
        table.despawn(rows)

    @rule(data=st.data(), by=st.integers(1, 5))
    def despawn_who_is_not_there(self, data: st.DataObject, by: int) -> None:
        _, table, model = self.choose(data)
        count = len(model.rows)
        for rows in ([0] * count + [count + by - 1], [-count - by], np.ones(count + by, np.bool_)):
            with pytest.raises(TableError):
                table.despawn(rows)

    @rule(data=st.data(), seed=st.integers(0, 2**32), whole=st.booleans())
    def write(self, data: st.DataObject, seed: int, whole: bool) -> None:
        _, table, model = self.choose(data)
        name = data.draw(st.sampled_from(sorted(model.schema.fields)), "field")
        rows = slice(None) if whole else data.draw(slices(len(model.rows)))
        places = range(len(model.rows))[rows]
        cells = values(model.schema.fields[name].type, len(places), seed)
        model.write(name, places, cells_of(cells))
        if whole:
            setattr(table, name, cells)
        else:
            getattr(table, name)[rows] = cells

    @rule(data=st.data())
    def hold_a_view(self, data: st.DataObject) -> None:
        name, table, model = self.choose(data)
        column = data.draw(st.sampled_from(sorted(model.schema.fields)), "field")
        self.views = [
            *self.views[-2:],
            HeldView(name, column, model.schema.fields[column].type, getattr(table, column)),
        ]

    @precondition(lambda self: self.views)
    @rule(data=st.data(), seed=st.integers(0, 2**32))
    def write_through_a_held_view(self, data: st.DataObject, seed: int) -> None:
        table, name, kind, view = self.views[data.draw(st.integers(0, len(self.views) - 1), "view")]
        rows = data.draw(slices(min(len(view), len(self.oracle[table].rows))))
        places = range(len(view))[rows]
        cells = values(kind, len(places), seed)
        view[rows] = cells
        self.oracle[table].write(name, places, cells_of(cells))

    @rule()
    def commit(self) -> None:
        self.oracle.commit()
        assert self.state.commit().frame == self.oracle.frame

    @rule()
    def amend(self) -> None:
        self.oracle.amend()
        self.state.amend()

    @rule(data=st.data(), frames=st.integers(2, 8), seed=st.integers(0, 2**32))
    def run_frames(self, data: st.DataObject, frames: int, seed: int) -> None:
        """Frames in which everything changes, so that small budgets are full before long."""
        for _ in range(frames):
            for name, model in ((name, self.oracle[name]) for name in self.oracle.world.visible):
                for column, declared in model.schema.fields.items():
                    seed += 1
                    cells = values(declared.type, len(model.rows), seed)
                    model.write(column, range(len(cells)), cells_of(cells))
                    getattr(self.state[name], column)[:] = cells
            self.commit()
            self.frames_are_the_same()

    @rule(data=st.data())
    def travel(self, data: st.DataObject) -> None:
        held = sorted(self.oracle.frames)
        self.go(data.draw(st.integers(held[0] - 1, held[-1] + 1), "frame"))

    @rule()
    def discard(self) -> None:
        self.go(self.oracle.frame)

    @rule()
    def walk(self) -> None:
        """Back to the oldest frame and forward to the newest, one by one."""
        held = sorted(self.oracle.frames)
        for frame in (*range(self.oracle.frame, held[0] - 1, -1), *held):
            self.go(frame)
            self.tables_are_the_same()
            self.checksums_tell_worlds_apart_and_not_how_they_came_about()

    def go(self, frame: int) -> None:
        travel = self.state.rollback if frame <= self.oracle.frame else self.state.redo
        self.both(lambda: self.oracle.travel(frame), lambda: travel(frame), FrameError)
        self.drop_views_of_what_is_gone()

    @rule(data=st.data(), tables=st.sampled_from([TABLES, TABLES[:1], TABLES[::-1]]))
    def migrate(self, data: st.DataObject, tables: tuple[str, ...]) -> None:
        wanted = {name: data.draw(schemas(name), name) for name in tables}
        if any(self.is_left_to_the_machine_of_edits(schema) for schema in wanted.values()):
            return
        self.both(lambda: self.oracle.migrate(wanted), lambda: self.state.migrate(wanted), MigrationError)
        self.drop_views_of_what_is_gone()

    @rule()
    def checkpoint(self) -> None:
        """Kept, while the world goes on."""
        self.commit()
        self.kept = (self.state.checkpoint(), self.oracle.kept())

    @precondition(lambda self: self.kept is not None)
    @rule()
    def restore(self) -> None:
        assert self.kept is not None
        checkpoint, saved = self.kept
        self.oracle.restore(saved)
        self.state.restore(checkpoint)
        self.begin_anew()

    @rule()
    def save_and_load(self) -> None:
        self.commit()
        with tempfile.TemporaryDirectory() as folder:
            self.state.save(f"{folder}/world.instar")
            self.state = StateManager.load(f"{folder}/world.instar", history_bytes=self.budget)
        self.oracle.restore(self.oracle.kept())
        self.kept = None
        self.begin_anew()

    def begin_anew(self) -> None:
        self.first = self.oracle.frame
        self.views.clear()

    @rule()
    def validate(self) -> None:
        self.commit()
        assert self.state.validate().faults == []
        assert self.state.validate(repair=True).faults == []

    @rule(
        data=st.data(),
        where=st.sampled_from(["committed", "live", "crc"]),
        place=st.floats(0, 0.999),
        bit=st.integers(0, 7),
    )
    def flip(self, data: st.DataObject, where: str, place: float, bit: int) -> None:
        """One bit anywhere is found, told and mended, whatever else is true."""
        self.commit()
        name, _, model = self.choose(data)
        column = data.draw(st.sampled_from(sorted(model.schema.fields)), "field")
        cells = len(model.column(column))
        if cells == 0:
            return
        room = 8 * -(-cells // CHUNK_BYTES) if where == "crc" else cells
        self.complete_checkpoints()
        flip_bit(self.state, name, column, byte=int(place * room), bit=bit, where=where)
        (fault,) = self.state.validate(repair=True).faults
        assert (fault.table, fault.column) == (name, column)
        assert fault.mended
        assert self.state.validate(repair=True).faults == []

    def complete_checkpoints(self) -> None:
        """One in the making is lost with the bytes and records that it still needs."""
        for checkpoint in self.state._checkpoints:
            checkpoint.wait()

    @precondition(lambda self: self.state.history_bytes)
    @rule(place=st.floats(0, 0.999), bit=st.integers(0, 7))
    def flip_in_the_history(self, place: float, bit: int) -> None:
        """One bit of a record is mended, so that no frame is lost."""
        self.commit()
        name, model = next((name, self.oracle[name]) for name in self.oracle.world.visible)
        self.complete_checkpoints()
        byte = int(place * self.state.history_bytes)
        flip_bit(self.state, name, next(iter(model.schema.fields)), byte=byte, bit=bit, where="history")
        faults = self.state.validate(repair=True).faults
        assert all(fault.mended for fault in faults), [str(f) for f in faults]
        assert self.state.validate(repair=True).faults == []

    @precondition(lambda self: len(self.oracle.world.visible) < len(TABLES))
    @rule(data=st.data())
    def add_a_table(self, data: st.DataObject) -> None:
        name = next(name for name in TABLES if name not in self.oracle.world.visible)
        wanted = data.draw(schemas(name), name)
        if self.is_left_to_the_machine_of_edits(wanted):
            return
        self.both(
            lambda: self.oracle.add(wanted),
            lambda: self.state.table(name, wanted.fields, capacity=wanted.capacity),
            MigrationError,
        )

    def is_left_to_the_machine_of_edits(self, wanted: Schema) -> bool:
        """Whether a field would become narrower again, or a parked one come back under another type."""
        if wanted.table not in self.oracle.world.tables:
            return False
        table = self.oracle.world.tables[wanted.table]
        shown = table.schema.fields if wanted.table in self.oracle.world.visible else {}
        parked = {name for name, _ in table.columns if name not in shown}
        return any(
            (name in parked and (name, field.type) not in table.columns)
            or (name in shown and not np.can_cast(shown[name].type.dtype, field.type.dtype, "safe"))
            for name, field in wanted.fields.items()
        )

    def drop_views_of_what_is_gone(self) -> None:
        layout = self.layout
        self.views = [
            view
            for view in self.views
            if view.table in layout
            and view.field in layout[view.table].fields
            and layout[view.table].fields[view.field].type == view.type
        ]

    @invariant()
    def frames_are_the_same(self) -> None:
        held = self.state.frames
        assert self.state.frame in held
        if self.budget == LARGE:
            assert held[0] == self.first
        self.oracle.forget_before(held[0])
        assert list(held) == sorted(self.oracle.frames)
        assert self.state.frame == self.oracle.frame

    @invariant()
    def tables_are_the_same(self) -> None:
        assert set(self.state.tables) == set(self.oracle.world.visible)
        for name, schema in self.layout.items():
            table, model = self.state[name], self.oracle[name]
            assert table.schema == schema
            assert len(table) == len(model.rows)
            assert table.id.tolist() == model.ids()
            for column in schema.fields:
                assert getattr(table, column).tobytes() == model.column(column), (name, column)
            self.given[name].update(model.ids())
            asked = sorted(self.given[name])
            rows = {row.id: at for at, row in enumerate(model.rows)}
            assert table.rows_of(asked).tolist() == [rows.get(one, -1) for one in asked]

    @invariant()
    def checksums_tell_worlds_apart_and_not_how_they_came_about(self) -> None:
        world, crc = self.oracle.frames[self.oracle.frame], self.state.crc
        cells = world.cells()
        assert self.crcs.setdefault(cells, crc) == crc
        layout = tuple((name, tuple(sorted(world.tables[name].schema.fields))) for name in sorted(world.visible))
        assert self.worlds.setdefault((layout, crc), cells) == cells


TestStateBesideOracle = StateBesideOracle.TestCase
TestStateBesideOracle.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
