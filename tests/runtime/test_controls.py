"""Controls: what each key does to a run."""

from __future__ import annotations

import math

import pytest

from instar.controls import Controls
from instar.loop.playback import Playback


@pytest.fixture
def stopped():
    return []


@pytest.fixture
def controls(stopped):
    made = Controls(Playback(), lambda: stopped.append(True))
    made.playback = made._playback
    return made


def test_space_pauses_and_goes_on(controls):
    controls.press(" ")
    assert not controls.playback.advance()
    controls.press(" ")
    assert controls.playback.advance()


def test_a_dot_is_one_frame(controls):
    controls.press(".")
    assert [controls.playback.advance() for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("keys", "speed"),
    [("+", 2), ("=+", 4), ("-", 0.5), ("_-", 0.25), ("++1", 1), ("+" * 20, 1000), ("-" * 20, 0.001), ("xQ\n", 1)],
)
def test_speeds_are_doubled_and_halved_within_what_is_possible(controls, keys, speed):
    for key in keys:
        controls.press(key)
    assert controls.playback.speed == speed


def test_from_the_most_speed_slower_is_normal(controls):
    controls.playback.speed = math.inf
    controls.press("+")
    assert controls.playback.speed == math.inf
    controls.press("-")
    assert controls.playback.speed == 1


def test_q_ends(controls, stopped):
    controls.press("q")
    assert stopped == [True]
