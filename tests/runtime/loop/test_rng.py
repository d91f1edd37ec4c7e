from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from instar.loop.rng import Stream


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**40), st.integers(0, 2**40))
def test_numbers_depend_on_the_frame_and_on_nothing_drawn_before(seed, frame, other):
    stream = Stream(seed, "flock", "update")
    first = stream.at(frame).random(5).tolist()
    stream.at(other).standard_normal(3)
    assert stream.at(frame).random(5).tolist() == first
    assert Stream(seed, "flock", "update").at(frame).random(5).tolist() == first
    if other != frame:
        assert stream.at(other).random(5).tolist() != first


def test_seed_module_and_stream_each_make_other_numbers():
    draws = {
        tuple(Stream(seed, module, stream).at(3).random(4))
        for seed in (1, 2)
        for module in ("a", "b")
        for stream in ("update", "setup")
    }
    assert len(draws) == 8


def test_a_half_used_word_does_not_reach_the_next_frame():
    stream = Stream(1, "a", "update")
    fresh = stream.at(9).integers(0, 2**32, 4, dtype="uint32").tolist()
    stream.at(8).integers(0, 2**32, 1, dtype="uint32")
    assert stream.at(9).integers(0, 2**32, 4, dtype="uint32").tolist() == fresh
