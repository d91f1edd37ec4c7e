"""Blocks come back exactly, or as near as their field's step allows, and take what they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.hmr.state import f32, f64
from instar.hmr.state.checkpoint.blocks import BLOCK_BYTES, BlockCodec, Filter
from instar.hmr.state.checkpoint.quantise import quantised, restored
from instar.hmr.state.fields import Field, make_field
from instar.native import ELEMENT_BYTES

CODEC = BlockCodec()


def through(data: np.ndarray, element: int, field: Field | None = None) -> tuple[Filter, int, bytes]:
    given_bytes = data.view(np.uint8)
    block, expected = CODEC.encode(given_bytes, element, field)
    out = np.zeros(len(given_bytes), np.uint8)
    CODEC.decode(block, out, field)
    assert out.tobytes() == expected.tobytes()
    return block.filter, len(block.data), out.tobytes()


@pytest.mark.parametrize("element", ELEMENT_BYTES)
@given(st.binary(min_size=1, max_size=3000) | st.integers(1, 3000).map(lambda n: bytes(range(7)) * n))
def test_what_comes_back_is_what_was_stored(element, data):
    kept = data[:BLOCK_BYTES]
    assert through(np.frombuffer(kept, np.uint8), element)[2] == kept


def test_each_kind_gets_the_filter_that_suits_it(rng):
    count = BLOCK_BYTES // 8
    assert through(np.zeros(count), 8)[:2] == (Filter.ZERO, 0)
    assert through(rng.integers(0, 2**63, count), 8)[:2] == (Filter.RAW, BLOCK_BYTES)
    kind, stored, _ = through(np.arange(count), 8)
    assert kind in {Filter.SHUFFLE, Filter.BIT_SHUFFLE}
    assert stored < 0.02 * BLOCK_BYTES
    kind, stored, _ = through(rng.choice(4, BLOCK_BYTES, p=[0.7, 0.1, 0.1, 0.1]).astype(np.uint8), 1)
    assert kind == Filter.BIT_SHUFFLE
    assert stored < 0.4 * BLOCK_BYTES


@pytest.mark.parametrize("kind", [f32, f64])
@given(data=st.data(), step=st.sampled_from([1 / 64, 0.1, 3.0, 1e-3]))
def test_rounding_stays_within_half_a_step(kind, data, step):
    field = make_field("x", kind, step=step)
    values = (np.array(data.draw(st.lists(st.floats(-1e5, 1e5), min_size=1))) * step).astype(kind.dtype)
    found = quantised(values, field)
    assert found is not None
    whole, back = found
    assert restored(whole, field).tolist() == back.tolist()
    assert back.dtype == values.dtype
    slack = np.spacing(np.abs(values).max(initial=1)) * 2
    assert np.all(np.abs(back.astype(np.float64) - values) <= step / 2 + slack)
    again = quantised(back, field)
    assert again is not None
    assert again[0].tolist() == whole.tolist()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, 2.0**40])
def test_values_that_no_step_can_hold_stay_exact(value):
    field = make_field("x", f32, step=1 / 64)
    values = np.full(5000, 0.3, np.float32)
    values[17] = value
    assert through(values, 4, field)[2] == values.tobytes()


def test_rounding_never_leaves_the_bounds():
    field = make_field("x", f32, 0.1, min=0.1, step=0.25)
    values = np.full(5000, 0.1, np.float32)
    assert quantised(values, field) is None
    assert through(values, 4, field)[2] == values.tobytes()


def test_rounding_that_saves_nothing_is_left_out(rng):
    field = make_field("x", f32, step=2.0**-30)
    values = rng.uniform(-1, 1, 8).astype(np.float32)
    assert through(values, 4, field)[2] == values.tobytes()
