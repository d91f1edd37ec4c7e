from __future__ import annotations

import numpy as np
import pytest

from instar.hmr.state import StateManager, f32, i8
from instar.hmr.state.fields import make_field


@pytest.mark.parametrize(
    ("value", "kind", "says"),
    [
        (np.nan, "not_finite", "1 row has a value that is not finite (such as nan)"),
        (-np.inf, "not_finite", "such as -inf"),
        (-0.5, "bounds", "1 row has a value outside the bounds from 0 to 10 (such as -0.5)"),
        (10.5, "bounds", "such as 10.5"),
    ],
)
def test_a_value_gone_bad_is_named(state, value, kind, says):
    state["boids"].energy[5_000] = value
    assert state.validate().faults == [], "it is not committed yet"
    state.commit()
    (fault,) = state.validate(repair=True).faults
    assert (fault.kind, fault.table, fault.column, fault.rows, fault.count) == (kind, "boids", "energy", (5_000,), 1)
    assert fault.mended is None
    assert not fault.lost
    assert says in str(fault)


def test_many_bad_values_are_one_fault(state):
    state["boids"].energy[100:5_000] = np.nan
    state["boids"].energy[5_500] = 11
    state.commit()
    strange, outside = sorted(state.validate().faults, key=lambda fault: fault.kind, reverse=True)
    assert (strange.kind, strange.count, strange.rows) == ("not_finite", 4_900, tuple(range(100, 108)))
    assert (outside.kind, outside.count, outside.rows) == ("bounds", 1, (5_500,))
    assert "rows 100, 101, 102, 103, 104, 105, 106, 107 …" in str(strange)


def test_a_bool_is_0_or_1(state):
    state["boids"].alive.view(np.uint8)[3] = 2
    state.commit()
    (fault,) = state.validate().faults
    assert (fault.kind, fault.column, fault.rows) == ("not_bool", "alive", (3,))


def test_a_row_with_bytes_in_two_chunks_counts_once():
    state = StateManager()
    fields = {"v": make_field("v", f32[3], 1.0, max=2), "k": make_field("k", i8, 0, min=-3)}
    ants = state.table("ants", fields)
    ants.spawn(3_000)
    ants.v[1_365] = 9  # bytes 16,380 to 16,392
    ants.k[7] = -4
    state.commit()
    v, k = state.validate().faults
    assert (v.rows, v.count) == ((1_365,), 1)
    assert (k.kind, k.rows) == ("bounds", (7,))


def test_bounds_without_finite_take_infinities_but_no_nan():
    state = StateManager()
    ants = state.table("ants", {"v": make_field("v", f32, 1.0, min=0)})
    ants.spawn(3, v=[np.inf, np.nan, -np.inf])
    state.commit()
    (fault,) = state.validate().faults
    assert (fault.kind, fault.rows) == ("bounds", (1, 2))


def test_a_bound_is_rounded_as_the_column_rounds():
    state = StateManager()
    ants = state.table("ants", {"v": make_field("v", f32, 0.1, min=0.1, max=0.1)})
    ants.spawn(3, v=0.1)
    state.commit()
    assert state.validate().faults == []
