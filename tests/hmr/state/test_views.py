"""What nothing can have written is skipped at a commit, and nothing else is."""

from __future__ import annotations

import gc
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from instar.hmr.state import StateManager, f32, i16

FIELDS = {"x": f32, "y": f32, "vel": f32[2], "kind": i16}


@pytest.fixture
def state():
    state = StateManager(history_bytes=1 << 20)
    state.table("boids", FIELDS, capacity=5_000).spawn(10)
    state.commit()
    return state


def compared(state):
    """The fields that the next commit would compare, by the columns it would be given."""
    boids = state["boids"]
    names = {lineage.column: name for name, lineage in boids._columns.visible.items()}
    return {names[column] for column in boids._changeable() if column in names}


def is_all_committed(state):
    return all(
        bytes(column.live[: column.extent]) == bytes(column.committed[: column.committed_extent])
        for column in state["boids"]._native_columns()
    )


def test_what_nobody_touched_is_skipped(state):
    boids = state["boids"]
    assert compared(state) == set()
    boids.x[3] = 1
    assert compared(state) == {"x"}
    assert state.commit().lines == 1
    assert compared(state) == set()
    boids.y = 2
    boids.kind += 1
    assert compared(state) == {"y", "kind"}
    assert state.commit().lines == 2
    assert state.commit().lines == 0
    assert compared(state) == set()


def test_rows_that_come_or_go_and_edits_compare_everything(state):
    boids = state["boids"]
    boids.spawn(1)
    assert compared(state) == set(FIELDS)
    state.commit()
    boids.despawn(0)
    state.flush()
    assert compared(state) == set(FIELDS)
    state.commit()
    state.migrate({"boids": boids.schema})
    assert compared(state) == set()


class Sub(np.ndarray):
    """A kind of array that NumPy does not fold into its base."""


class Interfaced:
    """Lends its memory the way foreign libraries do."""

    def __init__(self, lender):
        self.lender = lender
        self.__array_interface__ = lender.__array_interface__


WAYS = {
    "the view": lambda t: t.x,
    "a slice of a slice": lambda t: t.x[2:9][1:4],
    "reshaped": lambda t: t.x.reshape(2, 5).T,
    "reversed": lambda t: t.x[::-1],
    "another dtype": lambda t: t.x.view(np.uint32),
    "a subclass": lambda t: t.x.view(Sub)[1:],
    "a memoryview": lambda t: np.asarray(memoryview(t.x)[2:]),
    "a cast memoryview": lambda t: np.frombuffer(memoryview(t.x).cast("B"), np.float32),
    "its base": lambda t: np.frombuffer(t.x.base, np.float32),
    "the base of its slice": lambda t: t.x[3:].base,
    "a slice of its base": lambda t: np.frombuffer(t.x.base[8:], np.float32),
    "ctypes": lambda t: np.ctypeslib.as_array(np.ctypeslib.as_ctypes(t.x)),
    "an array interface": lambda t: np.asarray(Interfaced(t.x)),
    "dlpack": lambda t: np.from_dlpack(t.x),
    "strides": lambda t: np.lib.stride_tricks.as_strided(t.x, (3,), (8,)),
    "a field of records": lambda t: t.x.view(np.dtype([("a", np.float32)]))["a"],
    "broadcast": lambda t: np.broadcast_to(t.x[:1], (3, 1)).base,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_view_that_is_kept_is_compared_for_as_long_as_it_lives(state, way):
    boids = state["boids"]
    kept = WAYS[way](boids)
    for frame in range(3):
        state.commit()
        assert compared(state) == {"x"}
        kept.flat[0] = 1 + frame
        assert state.commit().lines == 1
        assert is_all_committed(state)
    del kept
    gc.collect()
    state.commit()
    assert compared(state) == set()


def test_views_of_cells_with_a_shape(state):
    boids = state["boids"]
    assert boids.vel.shape == (10, 2)
    east = boids.vel[:, 0]
    state.commit()
    east[9] = 5
    assert state.commit().lines == 1
    state.rollback(state.frame - 1)
    assert boids.vel[9, 0] == 0
    assert east[9] == 0
    del east
    state.commit()
    state.commit()
    assert compared(state) == set()


def test_a_view_that_a_hook_keeps_in_its_globals(state):
    module = SimpleNamespace(__dict__={})
    source = "def remember(boids):\n    global x\n    x = boids.x[:5]\ndef write(value):\n    x[:] = value\n"
    scope = vars(module)
    exec(source, scope)
    scope["remember"](state["boids"])
    state.commit()
    state.commit()
    scope["write"](3)
    assert state.commit().lines == 1
    assert state["boids"].x.tolist() == [3] * 5 + [0] * 5


def test_a_view_that_outlives_its_rows_writes_nothing_past_the_end(state):
    boids = state["boids"]
    old = boids.x
    boids.despawn(slice(5, 10))
    state.commit()
    old[:] = 7
    assert state.commit().lines == 1
    assert is_all_committed(state)
    assert not any(bytes(boids._columns.visible["x"].column.live[5 * 4 :]))
    old[:] = 8
    state.rollback(state.frame - 1)
    boids.spawn(5)
    assert boids.x.tolist() == [0] * 10


def test_views_of_a_parked_field_keep_its_values_and_change_nothing(state):
    boids = state["boids"]
    boids.x[:] = 3
    state.commit()
    before, old = boids.schema, boids.x
    part = old[2:]
    state.migrate({"boids": type(before).build("boids", {"y": before.fields["y"]}, 5_000)})
    assert not hasattr(boids, "x")
    with pytest.raises(ValueError, match="read-only"):
        old[:] = 7
    part[:] = 7  # NumPy keeps no list of what was made of a view
    assert state.commit().lines == 0
    assert is_all_committed(state)
    state.migrate({"boids": before})
    assert boids.x.tolist() == [3] * 10
    boids.x = 4
    assert old.tolist() == [3, 3, *[7] * 8]


def test_what_a_thread_writes_while_a_commit_runs_is_in_that_commit_or_the_next(state):
    boids = state["boids"]
    stop = threading.Event()

    def write():
        while not stop.is_set():
            boids.x[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(300):
            state.commit()
    finally:
        stop.set()
        writer.join()
    state.commit()
    assert is_all_committed(state)


def test_a_commit_that_fails_forgets_nothing(state, monkeypatch):
    boids = state["boids"]

    def fail(frame, columns):
        raise RuntimeError

    boids.x[0] = 1
    history = state._history
    monkeypatch.setattr(state, "_history", SimpleNamespace(commit=fail, current=history.current, newest=history.newest))
    with pytest.raises(RuntimeError):
        state.commit()
    monkeypatch.setattr(state, "_history", history)
    assert compared(state) == {"x"}
    assert state.commit().lines == 1


def test_ids_cannot_be_made_writable(state):
    ids = state["boids"].id
    with pytest.raises(ValueError, match="WRITEABLE"):
        ids.flags.writeable = True
    with pytest.raises((ValueError, TypeError)):
        np.frombuffer(ids.base, np.uint64).flags.writeable = True


def test_fields_are_listed(state):
    assert {"x", "y", "vel", "kind", "id", "spawn"} <= set(dir(state["boids"]))


class Skips(RuleBasedStateMachine):
    """Whatever is done and kept, what a commit leaves out has not changed."""

    def __init__(self):
        super().__init__()
        self.state = StateManager(history_bytes=1 << 20)
        self.boids = self.state.table("boids", FIELDS, capacity=5_000)
        self.kept = []
        self.value = 0

    @rule(count=st.integers(0, 20))
    def spawn(self, count):
        self.boids.spawn(count, x=count)

    @rule(data=st.data())
    def despawn(self, data):
        if len(self.boids):
            self.boids.despawn(data.draw(st.integers(0, len(self.boids) - 1)))

    @rule(name=st.sampled_from(list(FIELDS)))
    def read(self, name):
        getattr(self.boids, name)

    @rule(name=st.sampled_from(list(FIELDS)), start=st.integers(0, 30))
    def write(self, name, start):
        self.value += 1
        getattr(self.boids, name)[start:] = self.value

    @rule(name=st.sampled_from(list(FIELDS)), start=st.integers(0, 30))
    def keep(self, name, start):
        self.kept.append(getattr(self.boids, name)[start:])

    @rule(data=st.data())
    def derive(self, data):
        if self.kept:
            self.kept.append(data.draw(st.sampled_from(self.kept)).view(np.uint8)[::2])

    @rule(data=st.data())
    def drop(self, data):
        if self.kept:
            self.kept.pop(data.draw(st.integers(0, len(self.kept) - 1)))

    @rule(data=st.data())
    def write_late(self, data):
        if self.kept:
            self.value += 1
            self.kept[data.draw(st.integers(0, len(self.kept) - 1))][:] = self.value % 120

    @rule()
    def flush(self):
        self.state.flush()

    @rule()
    def amend(self):
        self.state.amend()

    @rule()
    def commit(self):
        self.state.commit()
        assert is_all_committed(self.state)

    @rule(data=st.data())
    def travel(self, data):
        frame = data.draw(st.sampled_from(list(self.state.frames)))
        (self.state.rollback if frame <= self.state.frame else self.state.redo)(frame)
        assert is_all_committed(self.state)

    @invariant()
    def what_is_skipped_has_not_changed(self):
        if self.boids._doomed:
            return
        chosen = set(self.boids._changeable())
        for column in self.boids._native_columns():
            if column not in chosen:
                assert bytes(column.live[: 5_000 * 2]) == bytes(column.committed[: 5_000 * 2])


TestSkips = Skips.TestCase
TestSkips.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


def test_a_commit_with_nothing_to_compare_runs_little_python(state):
    """The figure is in the benchmarks; here stands that no work grows with the columns."""

    def lines():
        count = 0

        def trace(frame, event, argument):
            nonlocal count
            count += event == "line"
            return trace

        sys.settrace(trace)
        try:
            state.commit()
        finally:
            sys.settrace(None)
        return count

    few = lines()
    state["boids"].x  # noqa: B018
    assert lines() > few
    assert lines() == few
