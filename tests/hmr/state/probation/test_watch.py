"""What has gone bad since an edit, found in the commit that made it so."""

from __future__ import annotations

import numpy as np
import pytest

from instar.hmr.state import Ref, StateManager, f32, f64, i32, u8
from instar.hmr.state.fields import make_field

BIG = 300_000


def begun(state):
    mark = state.mark()
    mark.keep()
    mark.watch()
    return mark


@pytest.fixture
def state():
    state = StateManager(history_bytes=64 << 20)
    fields = {
        "x": f32,
        "vel": f32[2],
        "energy": make_field("energy", f64, default=5.0, min=0.0, max=10.0),
        "age": make_field("age", i32, min=0, max=100),
        "fuel": make_field("fuel", u8),
        "awake": bool,
    }
    boids = state.table("boids", fields)
    boids.spawn(BIG)
    state.table("hunters", {"prey": Ref["boids"], "first": Ref["boids"]}).spawn(3000)
    state.commit()
    return state


@pytest.mark.parametrize(
    ("field", "value", "kind", "words"),
    [
        ("x", np.nan, "not_finite", "became nan"),
        ("x", -np.inf, "not_finite", "became -inf"),
        ("energy", np.nan, "not_finite", "were finite"),
        ("energy", np.inf, "not_finite", "became inf"),
        ("energy", 10.5, "bounds", "within the bounds from 0.0 to 10.0"),
        ("energy", -1e-300, "bounds", "became -1e-300"),
        ("age", 101, "bounds", "within the bounds from 0 to 100"),
        ("age", -1, "bounds", "became -1"),
    ],
)
@pytest.mark.parametrize("row", [0, 70_000, BIG - 1])
def test_a_bad_value_is_told_in_its_frame(state, field, value, kind, words, row):
    mark = begun(state)
    boids = state["boids"]
    boids.energy[row] = 10.0
    boids.age[row] = 100
    state.commit()
    assert mark.fault() is None
    getattr(boids, field)[row] = value
    frame = state.commit().frame
    fault = mark.fault()
    found = (fault.kind, fault.table, fault.column, fault.row, fault.id, fault.frame, fault.count)
    assert found == (kind, "boids", field, row, boids.id[row], frame, 1)
    for part in (f"boids.{field} of row {row:,} (id {boids.id[row]})", f"in frame {frame}", words):
        assert part in str(fault)
    assert mark.fault() is None  # it is told once


def test_bad_values_of_cells_and_bools_are_told(state):
    mark = begun(state)
    boids = state["boids"]
    boids.vel[7, 1] = np.inf
    boids.vel[9] = np.nan
    state.commit()
    fault = mark.fault()
    assert (fault.row, fault.value, fault.count) == (7, np.inf, 3)
    assert "one of 3 such values" in str(fault)
    boids.awake.view(np.uint8)[4] = 2
    state.commit()
    assert (fault := mark.fault()).kind == "not_bool"
    assert fault.row == 4


def test_values_that_may_be_anything_are_not_watched(state):
    mark = begun(state)
    state["boids"].fuel[:] = 255
    state.commit()
    assert mark.fault() is None


def test_a_column_that_was_bad_at_the_swap_may_go_on_so(state):
    boids = state["boids"]
    boids.x[5] = np.nan
    boids.age[5] = 1000
    state.commit()
    mark = begun(state)
    for _ in range(3):
        boids.x[:100] = np.inf
        boids.age[7] = -5
        state.commit()
        assert mark.fault() is None


def test_out_of_bounds_before_but_finite_must_stay_finite(state):
    boids = state["boids"]
    boids.energy[5] = 11
    state.commit()
    mark = begun(state)
    boids.energy[6] = 12
    state.commit()
    assert mark.fault() is None
    boids.energy[8] = np.nan
    state.commit()
    assert (fault := mark.fault()).row == 8
    assert fault.kind == "not_finite"


def test_infinite_before_but_within_bounds_must_stay_within():
    state = StateManager()
    one = state.table("one", {"reach": make_field("reach", f32, min=0.0)})
    one.spawn(10)
    one.reach[3] = np.inf
    state.commit()
    mark = begun(state)
    one.reach[4] = np.inf
    state.commit()
    assert mark.fault() is None
    one.reach[4] = -1
    state.commit()
    assert mark.fault().row == 4


def test_rows_that_come_and_go_are_watched(state):
    mark = begun(state)
    boids = state["boids"]
    boids.despawn(slice(0, 1000))
    boids.spawn(10)
    state.commit()
    assert mark.fault() is None
    boids.spawn(2, energy=[1.0, 99.0])
    state.commit()
    assert mark.fault().row == len(boids) - 1


def test_past_the_last_row_nothing_is_bad():
    state = StateManager()
    one = state.table("one", {"size": make_field("size", f32, default=2.0, min=1.0)})
    one.spawn(5000)
    state.commit()
    mark = begun(state)
    one.despawn(slice(1, None))
    state.commit()
    assert mark.fault() is None


def test_an_id_that_was_never_given_is_told(state):
    mark = begun(state)
    boids, hunters = state["boids"], state["hunters"]
    hunters.prey[:] = boids.id[:3000]
    state.commit()
    assert mark.fault() is None
    boids.despawn(slice(0, 100))
    state.commit()
    assert mark.fault() is None
    assert not hunters.prey[:100].any()
    hunters.prey[2500] = 12_345_678
    state.commit()
    fault = mark.fault()
    assert (fault.kind, fault.column, fault.row, fault.value) == ("reference", "prey", 2500, 12_345_678)
    assert "no agent of boids has or had that id" in str(fault)


def test_ids_that_were_never_given_before_are_let_be(state):
    hunters = state["hunters"]
    hunters.prey[1] = 12_345_678
    state.commit()
    mark = begun(state)
    hunters.prey[2] = 12_345_679
    state.commit()
    assert mark.fault() is None
    hunters.first[2] = 12_345_679
    state.commit()
    assert mark.fault().column == "first"


def test_what_was_voided_is_not_told(state):
    mark = begun(state)
    state["boids"].x[0] = np.nan
    state["hunters"].prey[0] = 12_345_678
    state.flush()
    state.rollback(state.frame)
    state["boids"].x[1] = 1
    state.commit()
    assert mark.fault() is None


def test_released_it_watches_no_more(state):
    mark = begun(state)
    mark.release()
    state["boids"].x[0] = np.nan
    state.commit()
    assert mark.fault() is None
    again = begun(state)
    state["boids"].x[1] = np.nan
    state.commit()
    assert again.fault() is None  # there was one before
