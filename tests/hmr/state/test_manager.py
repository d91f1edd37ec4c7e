from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from instar.hmr.state import FrameError, MigrationError, Schema, SchemaError, StateManager, Table, f32, f64, field, i16
from instar.hmr.state.errors import TableError
from instar.hmr.state.fields import make_field


def schema(table: str = "boids", **fields) -> Schema:
    ready = {name: make_field(name, *(kind if isinstance(kind, tuple) else (kind,))) for name, kind in fields.items()}
    return Schema.build(table, ready, 10_000)


def snapshot(state: StateManager) -> dict:
    return {
        name: {"id": table.id.tolist(), **{f: getattr(table, f).tolist() for f in table.schema.fields}}
        for name, table in state.tables.items()
    }


@pytest.fixture
def state():
    return StateManager(history_bytes=1 << 20)


def test_the_example_of_the_docs():
    state = StateManager()
    boids = state.table("boids", {"x": f32, "y": f32}, capacity=1_000_000)
    boids.spawn(100_000)
    boids.x[:] = 0
    commit = state.commit()
    assert commit.frame == state.frame == 1
    assert commit.bytes == 64 * commit.lines > 0
    assert commit.seconds > 0
    assert state.commit().lines == 0


def test_rollback_and_redo_bring_back_rows_ids_and_order(state):
    boids = state.table("boids", {"x": f32}, capacity=1000)
    seen = [snapshot(state)]
    for frame in range(8):
        boids.spawn(40, x=np.arange(40) + frame)
        boids.despawn(np.arange(0, len(boids), 3))
        state.commit()
        seen.append(snapshot(state))
    for frame in (5, 2, 0):
        state.rollback(frame)
        assert snapshot(state) == seen[frame]
        assert state.frame == frame
    state.redo(8)
    assert snapshot(state) == seen[8]


def test_rollback_to_the_current_frame_drops_what_is_not_committed(state):
    boids = state.table("boids", {"x": f32})
    boids.spawn(10, x=1)
    state.commit()
    boids.x = 2
    boids.spawn(5)
    boids.despawn([0])
    state.rollback(state.frame)
    assert boids.x.tolist() == [1] * 10
    state.commit()
    assert len(boids) == 10


def test_frames_that_are_not_held_are_told(state):
    state.table("boids", {"x": f32})
    state.commit()
    with pytest.raises(FrameError, match="the history holds 0 to 1"):
        state.rollback(-1)
    with pytest.raises(FrameError, match=r"lies ahead of frame 1"):
        state.rollback(2)
    state.rollback(0)
    with pytest.raises(FrameError, match="is behind"):
        state.redo(-1)
    state.commit()
    with pytest.raises(FrameError, match="not held"):
        state.redo(2)


def test_a_table_is_declared_once(state):
    boids = state.table("boids", {"x": f32})
    boids.spawn(3)
    with pytest.raises(SchemaError, match="exists"):
        state.table("boids", {"x": f32})
    assert len(state["boids"]) == 3


def test_the_checksum_tells_worlds_apart_and_not_how_they_came_about(state):
    other = StateManager(history_bytes=1 << 20)
    for one in (state, other):
        one.table("boids", {"x": f32}).spawn(10, x=1)
        one.commit()
    assert state.crc == other.crc
    other["boids"].x[3] = 2
    other.commit()
    assert state.crc != other.crc
    other["boids"].x[3] = 1
    other.commit()
    assert state.crc == other.crc


def test_a_new_field_takes_its_default_and_a_removed_one_is_parked(state):
    state.migrate({"boids": schema(x=f32, energy=(f32, 2.5))})
    boids = state["boids"]
    boids.spawn(4, x=range(4), energy=[1, 2, 3, 4])
    state.commit()
    assert state.migrate({"boids": schema(x=f32)}) == ["boids: parked energy"]
    assert not hasattr(boids, "energy")
    boids.despawn([0])
    state.commit()
    boids.spawn(1, x=9)
    state.commit()
    steps = state.migrate({"boids": schema(x=f32, energy=(f32, 2.5), age=(i16, 7))})
    assert steps == ["boids: brought back energy", "boids: added age (i16, default 7)"]
    assert boids.x.tolist() == [3, 1, 2, 9]
    assert boids.energy.tolist() == [4, 2, 3, 2.5]
    assert boids.age.tolist() == [7] * 4


def test_a_table_that_is_gone_comes_back_with_its_rows(state):
    state.migrate({"boids": schema(x=f32), "hawks": schema("hawks", x=f32)})
    state["hawks"].spawn(3, x=[1, 2, 3])
    state.commit()
    assert state.migrate({"boids": schema(x=f32)}) == ["hawks: parked with 3 rows"]
    assert "hawks" not in state.tables
    state.commit()
    assert state.migrate({"boids": schema(x=f32), "hawks": schema("hawks", x=f32)}) == [
        "hawks: brought back with 3 rows"
    ]
    assert state["hawks"].x.tolist() == [1, 2, 3]


def test_a_rollback_across_a_change_of_type_writes_nothing(state):
    boids = state.table("boids", {"x": f32})
    boids.spawn(3, x=5)
    state.commit()
    state.migrate({"boids": Schema.build("boids", {"x": make_field("x", f64)}, boids.capacity)})
    boids.x = 7.5
    state.commit()
    state.rollback(0)
    state.redo(1)
    boids.x[0] += 0
    state.rollback(1)
    assert (boids.x.dtype, boids.x.tolist()) == (np.float64, [5, 5, 5])
    state.redo(2)
    assert (boids.x.dtype, boids.x.tolist()) == (np.float64, [7.5, 7.5, 7.5])
    state.migrate({"boids": Schema.build("boids", {"x": make_field("x", f32)}, boids.capacity)})
    state.commit()
    state.rollback(1)
    assert boids.x.tolist() == [5, 5, 5]
    state.redo(3)
    assert (boids.x.dtype, boids.x.tolist()) == (np.float32, [7.5, 7.5, 7.5])


def test_a_migration_moves_no_other_column(state):
    state.migrate({"boids": schema(x=f32)})
    state["boids"].spawn(5, x=1)
    state.commit()
    view = state["boids"].x
    state.migrate({"boids": schema(y=f32, x=f32)})
    state["boids"].x += 1
    assert view.tolist() == [2] * 5


def test_a_voided_frame_keeps_the_migration_before_it(state):
    state.migrate({"boids": schema(x=f32)})
    state["boids"].spawn(3)
    state.commit()
    state.migrate({"boids": schema(x=f32, energy=(f32, 4))})
    state["boids"].energy = 0
    state.rollback(state.frame)
    assert state["boids"].energy.tolist() == [4, 4, 4]


def test_a_rollback_past_a_migration_undoes_it_and_redo_does_it_again(state):
    state.migrate({"boids": schema(x=f32)})
    boids = state["boids"]
    boids.spawn(3, x=1)
    state.commit()
    state.commit()
    state.migrate({"boids": schema(x=f32, energy=(f32, 4))})
    boids.energy[0] = 9
    state.commit()
    state.rollback(1)
    assert list(boids.schema.fields) == ["x"]
    state.redo(2)
    assert boids.energy.tolist() == [4, 4, 4]
    state.redo(3)
    assert boids.energy.tolist() == [9, 4, 4]


def test_widening_keeps_values_and_undoing_it_too(state):
    state.migrate({"boids": schema(x=f32)})
    boids = state["boids"]
    boids.spawn(2, x=[0.1, 0.2])
    before = boids.x.copy()
    state.commit()
    assert state.migrate({"boids": schema(x=f64)}) == ["boids: x is now f64, was f32"]
    assert boids.x.dtype == np.float64
    state.commit()
    state.migrate({"boids": schema(x=f32)})
    assert boids.x.tobytes() == before.tobytes()


@pytest.mark.parametrize("new", [schema(x=i16), schema(x=f32[2])])
def test_an_edit_that_would_lose_values_is_refused_and_changes_nothing(state, new):
    state.migrate({"boids": schema(x=f32)})
    state["boids"].spawn(2, x=0.5)
    state.commit()
    with pytest.raises(MigrationError, match=r"(?s)boids\.x: f32 → .* all values are kept"):
        state.migrate({"boids": new})
    assert state["boids"].x.tolist() == [0.5, 0.5]


def test_a_capacity_below_the_rows_is_refused(state):
    state.migrate({"boids": schema(x=f32)})
    state["boids"].spawn(10)
    state.commit()
    with pytest.raises(MigrationError, match=r"capacity 10000 → 5 \(and it has 10 rows\)"):
        state.migrate({"boids": Schema.build("boids", {"x": make_field("x", f32)}, 5)})


FIELDS = {"x": f32, "vel": f32[2], "kind": i16}


class Frames(RuleBasedStateMachine):
    """Any sequence of edits, commits, rollbacks and migrations equals a list of snapshots."""

    @initialize(budget=st.sampled_from([1 << 16, 1 << 20]))
    def open(self, budget):
        self.state = StateManager(history_bytes=budget)
        self.state.migrate({"boids": schema(**FIELDS)})
        self.seen = {0: snapshot(self.state)}

    @property
    def boids(self):
        return self.state["boids"]

    @rule(count=st.integers(0, 60), x=st.floats(-9, 9, width=32))
    def spawn(self, count, x):
        self.boids.spawn(count, x=x)

    @rule(data=st.data())
    def despawn(self, data):
        rows = data.draw(st.lists(st.integers(0, max(0, len(self.boids) - 1)), max_size=20))
        if len(self.boids):
            self.boids.despawn(rows)

    @rule(step=st.integers(1, 50))
    def write(self, step):
        self.boids.x[::step] += 1
        if "vel" in self.boids.schema.fields:
            self.boids.vel[::step, 0] -= 1

    @rule()
    def commit(self):
        frame = self.state.commit().frame
        self.seen = {f: s for f, s in self.seen.items() if f < frame}
        self.seen[frame] = snapshot(self.state)

    @rule(fields=st.sets(st.sampled_from(["vel", "kind"])))
    def migrate(self, fields):
        self.state.rollback(self.state.frame)
        self.state.migrate(
            {"boids": schema(**{name: kind for name, kind in FIELDS.items() if name == "x" or name in fields})}
        )
        frame = self.state.frame
        if self.state.frames[-1] == frame:
            self.seen = {f: s for f, s in self.seen.items() if f <= frame}
        self.seen[frame] = snapshot(self.state)

    @precondition(lambda self: len(self.state.frames) > 1)
    @rule(data=st.data())
    def travel(self, data):
        frame = data.draw(st.sampled_from(list(self.state.frames)))
        (self.state.rollback if frame <= self.state.frame else self.state.redo)(frame)
        assert snapshot(self.state) == self.seen[frame]

    @invariant()
    def rows_are_dense_and_ids_are_found(self):
        boids = self.boids
        assert boids.rows_of(boids.id).tolist() == list(range(len(boids)))
        for lineage in boids._columns.visible.values():
            assert not lineage.cells(len(boids), len(boids) + 200).any()


TestFrames = Frames.TestCase
TestFrames.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_defaults_can_be_declared_with_field():
    declared = make_field("energy", f32, 3)
    assert declared.default == 3
    assert field(3).default == 3


def test_threads_share_the_commits_of_a_large_world():
    states = [StateManager(threads=threads) for threads in (1, 3)]
    rng = np.random.default_rng(1)
    values = rng.uniform(0, 1, 500_000).astype(np.float32)
    for state in states:
        state.table("boids", {"x": f32, "y": f32}).spawn(500_000, x=values, y=values[::-1])
    assert len({state.commit().lines for state in states}) == 1
    for state in states:
        state["boids"].x[::7] += 1
        state.commit()
        state.rollback(1)
        assert np.array_equal(state["boids"].x, values)
    assert states[0].crc == states[1].crc


@pytest.mark.parametrize("interrupted", ["spawn", "despawn", "rollback"])
def test_what_an_interrupt_leaves_half_done_is_never_committed(monkeypatch, interrupted):
    """Ctrl-C can come between the change of the index and that of the rows."""
    state = StateManager(history_bytes=1 << 20)
    hares = state.table("hares", {"x": f32})
    hares.spawn(10)
    state.commit()
    hares.spawn(3)
    state.commit()
    hares.despawn(0)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Table, "_set_rows", interrupt)
        with pytest.raises(KeyboardInterrupt):
            {"spawn": lambda: hares.spawn(2), "despawn": state.commit, "rollback": lambda: state.rollback(1)}[
                interrupted
            ]()
    for refused in (state.commit, state.checkpoint, lambda: hares.spawn(1)):
        with pytest.raises(
            TableError, match=r"an interrupt cut a change of the rows of hares short.*rollback\(state\.frame\)"
        ):
            refused()
    state.rollback(state.frame)
    assert len(hares) == (10 if interrupted == "rollback" else 13)
    assert state.validate().faults == []
    hares.spawn(1)
    assert state.commit().frame == state.frame


def test_a_world_that_is_let_go_of_is_gone_without_the_garbage_collector():
    state = StateManager(threads=2)
    boids = state.table("boids", {"x": f32})
    boids.spawn(100)
    state.commit()
    boids.x[:] = 1
    state.commit()
    state.validate()
    state.rollback(1)
    state.checkpoint().wait()
    parts = [weakref.ref(part) for part in (state, boids)]
    gc.disable()
    try:
        del state, boids
        assert [part() for part in parts] == [None, None]
    finally:
        gc.enable()
