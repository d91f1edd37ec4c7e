from __future__ import annotations

import numpy as np
import pytest

from instar.hmr.state import Agents, Ref, Schema, SchemaError, f32, f64, field, i8, u64
from instar.hmr.state.fields import make_field


def test_a_field_says_what_its_values_must_be():
    class Ants(Agents):
        energy: f32 = field(1.5, min=0, max=2.5, finite=True, step=1 / 64)
        x: f32

    energy, x = Schema.of(Ants).fields.values()
    assert (energy.default, energy.min, energy.max, energy.finite, energy.step) == (1.5, 0, 2.5, True, 1 / 64)
    assert str(energy) == "energy (f32, default 1.5, min 0, max 2.5, step 0.015625, finite)"
    assert (x.min, x.max, x.finite, x.step, x.target) == (None, None, False, None, None)
    assert str(x) == "x (f32, default 0.0)"


def test_bounds_are_compared_in_the_dtype_of_the_column():
    assert make_field("x", f32, 0.1, max=0.1).max == 0.1
    assert make_field("x", u64, 2**64 - 1, max=2**64 - 1).max == 2**64 - 1


def test_every_element_of_a_cell_has_the_same_bounds():
    with pytest.raises(SchemaError, match=r"the default \(0, 3\) is above max=2"):
        make_field("v", f32[2], (0, 3), max=2)


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        (f32, {"min": 1}, "the default 0 is below min=1"),
        (f32, {"max": -1}, "the default 0 is above max=-1"),
        (f32, {"default": np.nan, "min": 0}, "the default nan is below min=0"),
        (f32, {"default": np.inf, "finite": True}, "is not finite"),
        (f32, {"min": 3, "max": 2}, "min=3 is above max=2"),
        (f32, {"min": "low"}, "min='low' is no number that f32 can hold"),
        (f32, {"min": True}, "min=True is no number"),
        (f32, {"max": float("nan")}, "max=nan is no number"),
        (f32, {"max": 1e300}, "no number that f32 can hold"),
        (f32[2], {"max": (1, 2)}, "give one for all of the cell"),
        (f64, {"max": 10**400}, "no number that f64 can hold"),
        (i8, {"max": 128}, "max=128 is no number that i8 can hold"),
        (i8, {"min": 0.5}, "min=0.5 is no number that i8 can hold"),
        (i8, {"max": np.inf}, "max=inf is no number that i8 can hold"),
        (bool, {"max": 1}, "max=1 is for numbers, and bool holds none"),
        (i8, {"finite": True}, "finite=True is for floats"),
        (f32, {"finite": 1}, "finite=1 must be True or False"),
        (i8, {"step": 1}, "step=1 is for floats"),
        (f32, {"step": 0}, "step=0 must be a number above 0"),
        (f32, {"step": -0.5}, "step=-0.5 must be"),
        (f32, {"step": 1e-60}, "step=1e-60 must be"),
        (f32, {"step": "fine"}, "step='fine' must be"),
    ],
)
def test_options_that_do_not_fit_are_refused(kind, options, says):
    with pytest.raises(SchemaError) as caught:
        make_field("x", kind, **options)
    assert says in str(caught.value)


def test_a_reference_has_a_target_and_no_bounds():
    kind = Ref["hawks"]
    assert make_field("prey", kind).target == "hawks"
    with pytest.raises(SchemaError, match="is for numbers"):
        make_field("prey", kind, max=5)
