"""Despawns and spawns as tables see them; the reference for the native side stands in tests/native/test_rows.py."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from instar.hmr.state import Field, StateManager, TableError, f32, i16


@pytest.fixture
def state():
    return StateManager(history_bytes=1 << 20)


@pytest.fixture
def boids(state):
    return state.table("boids", {"x": f32, "vel": f32[3], "kind": i16}, capacity=10_000)


def test_rows_that_came_after_a_despawn_was_asked_for_stay(state, boids):
    boids.spawn(3, x=[1, 2, 3])
    boids.despawn([0, 2])
    boids.spawn(500, x=7)
    state.flush()
    assert len(boids) == 501
    assert sorted(set(boids.x.tolist())) == [2, 7]
    assert boids.rows_of(boids.id).tolist() == list(range(501))


def test_despawning_all_and_coming_back(state, boids):
    boids.spawn(100, kind=3)
    first = boids.id.copy()
    boids.despawn(np.ones(100, np.bool_))
    boids.despawn(slice(None))
    state.commit()
    assert len(boids) == 0
    boids.spawn(100)
    assert not set(boids.id.tolist()) & set(first.tolist())
    assert boids.kind.tolist() == [0] * 100
    state.rollback(1)
    assert len(boids) == 0


def test_churn_holds_on_to_no_memory(state, boids):
    boids.spawn(8_000)
    rows = np.arange(0, 8_000, 2)
    mask = np.zeros(8_000, np.bool_)
    mask[::5] = True

    def churn():
        boids.despawn(rows)
        boids.despawn(mask)
        boids.despawn(slice(3, 100))
        state.flush()
        boids.spawn(8_000 - len(boids), x=1.0)

    churn()
    scratch = boids._doomed.scratch_bytes, boids._doomed.growths
    tracemalloc.start()
    try:
        churn()
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        for _ in range(50):
            churn()
        now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert now - before < 2_000
    assert peak - before < 8_000  # no array of rows or cells among it: those have 8,000 rows
    assert (boids._doomed.scratch_bytes, boids._doomed.growths) == scratch


def test_a_damaged_index_is_refused_with_the_table_s_name(state, boids):
    boids.spawn(10)
    state.commit()
    np.frombuffer(boids._index.columns["slots"].live, np.uint64)[4] = 77
    boids.despawn(4)
    with pytest.raises(TableError, match=r"boids.despawn: the id index is damaged; nothing was changed"):
        state.flush()
    assert len(boids) == 10
    state.rollback(1)
    boids.despawn(4)
    state.flush()
    assert len(boids) == 9
    np.frombuffer(boids._index.columns["free"].live, np.uint32)[0] = 77
    with pytest.raises(TableError, match="boids: the id index is damaged; nothing was changed"):
        boids.spawn(1, x=4)
    assert len(boids) == 9
    assert not any(bytes(boids._columns.visible["x"].column.live[9 * 4 :]))


def test_a_value_that_warns_spawns_nothing(state, boids):
    boids.spawn(1)
    with pytest.raises(RuntimeWarning, match="overflow"):
        boids.spawn(2, vel=1.0, x=np.array([1.0, 1e300]))
    assert len(boids) == 1
    boids.spawn(2)
    assert boids.x.tolist() == [0, 0, 0]
    assert not boids.vel.any()


def test_growth_up_to_the_capacity_moves_no_column(state, boids):
    boids.spawn(1, x=5)
    places = {name: getattr(boids, name).ctypes.data for name in ("id", "x", "vel", "kind")}
    view = boids.x
    for _ in range(9):
        boids.spawn(1_111)
        state.commit()
    assert len(boids) == boids.capacity
    assert {name: getattr(boids, name).ctypes.data for name in places} == places
    view[0] = 6
    assert boids.x[0] == 6


def test_a_default_whose_bytes_are_not_zero_is_written(state):
    table = state.table("signs", {"minus": Field("minus", f32, -0.0), "plus": f32})
    table.spawn(2)
    assert np.signbit(table.minus).tolist() == [True, True]
    assert np.signbit(table.plus).tolist() == [False, False]
