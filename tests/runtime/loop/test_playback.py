"""Playback: which frames are run, and what speeds there are."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.faults import WorldError
from instar.loop.playback import Playback


@given(st.lists(st.sampled_from(["pause", "resume", "step", "advance"])))
def test_frames_are_run_unless_paused_and_as_many_as_were_asked_for(commands):
    playback, is_paused, steps = Playback(), False, 0
    for command in commands:
        if command == "advance":
            assert playback.advance() == (not is_paused or steps > 0)
            steps = max(0, steps - 1)
        elif command == "step":
            playback.step(2)
            is_paused, steps = True, steps + 2
        else:
            getattr(playback, command)()
            is_paused, steps = command == "pause", 0
        assert playback.is_paused == is_paused


@pytest.mark.parametrize("speed", [0, -1, 0.0001, 1001, math.nan, -math.inf, "fast", None, True])
def test_a_speed_that_is_none_is_refused_and_the_old_one_kept(speed):
    playback = Playback(2)
    with pytest.raises(WorldError, match=r"a speed is a number from 0\.001 to 1000"):
        playback.speed = speed
    assert playback.speed == 2.0
    with pytest.raises(WorldError):
        Playback(speed)
    playback.speed = math.inf
    assert playback.speed == math.inf


@pytest.mark.parametrize("frames", [0, -1, 1.5, True, None])
def test_a_number_of_frames_that_is_none_is_refused(frames):
    playback = Playback()
    with pytest.raises(WorldError, match="a whole number of at least 1"):
        playback.step(frames)
    assert not playback.is_paused
