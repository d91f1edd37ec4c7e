from __future__ import annotations

from concurrent.futures import Future

import numpy as np
import pytest

from instar.hmr.state import DamageError, StateManager, f32
from instar.hmr.state.fields import make_field
from instar.hmr.state.validation import kept
from instar.loop.slack.validation import ROUND_FRAMES, Validation
from instar.testing import flip_bit

SLACK = 10_000_000


class Told(list):
    """The messages that people were shown."""

    def __call__(self, text: str) -> None:
        self.append(text)


class AtOnce:
    """A worker that needs no time, as these frames have none to give."""

    def submit(self, work, *args) -> Future:
        done: Future = Future()
        done.set_result(work(*args))
        return done


@pytest.fixture(autouse=True)
def _verified_at_once(monkeypatch) -> None:
    monkeypatch.setattr(kept, "_worker", AtOnce())


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def state() -> StateManager:
    state = StateManager()
    boids = state.table("boids", {"x": f32, "energy": make_field("energy", f32, 1.0, min=0)})
    boids.spawn(20_000, x=np.arange(20_000))
    state.commit()
    return state


def repeat(times, action) -> None:
    for _ in range(times):
        action()


def frames(validation: Validation, state: StateManager, count: int, slack: int = SLACK) -> None:
    for _ in range(count):
        state["boids"].x[::50] += 1
        state.commit()
        validation.maintain(slack)


def test_a_round_is_complete_every_300_frames(state, told):
    validation = Validation(state, 1 / 60, told)
    frames(validation, state, ROUND_FRAMES)
    assert validation.runs == 1
    frames(validation, state, 2 * ROUND_FRAMES)
    assert validation.runs == 3
    document = validation.document()
    assert (document["runs"], document["found"], document["faults"]) == (3, 0, [])
    assert document["last_frame"] > ROUND_FRAMES
    assert document["seconds"] > 0
    assert document["bytes"] > 0
    assert told == []


@pytest.mark.parametrize("slack", [0, -5_000_000])
def test_without_slack_a_round_is_spread_over_its_frames(state, told, slack):
    validation = Validation(state, 1e-9, told)
    frames(validation, state, 20, slack)
    assert validation.runs == 0
    frames(validation, state, ROUND_FRAMES - 20, slack)
    assert validation.runs == 1


@pytest.mark.parametrize("where", ["live", "committed", "crc", "history"])
def test_what_flips_is_mended_and_told(state, told, where):
    validation = Validation(state, 1 / 60, told)
    frames(validation, state, ROUND_FRAMES)
    flip_bit(state, "boids", "energy", byte=7, bit=2, where=where)
    repeat(2 * ROUND_FRAMES, lambda: validation.maintain(SLACK))
    (fault,) = validation.document()["faults"]
    assert fault["mended"]
    assert (validation.found, validation.mended) == (1, 1)
    assert len(told) == 1
    assert "mended" in told[0]
    assert state.validate(repair=True).faults == []


def test_a_bad_value_is_told_once_and_counted_each_time(state, told):
    state["boids"].energy[7] = -1
    validation = Validation(state, 1 / 60, told)
    frames(validation, state, 3 * ROUND_FRAMES)
    assert validation.found == 3
    (message,) = told
    assert "boids.energy" in message
    state["boids"].energy[7] = 0
    frames(validation, state, ROUND_FRAMES)
    state["boids"].energy[7] = -1
    frames(validation, state, ROUND_FRAMES)
    assert len(told) == 2, "it was gone, and came back"


def test_what_is_lost_ends_the_run(state, told):
    validation = Validation(state, 1 / 60, told)
    state._history.reset(state.frame)
    for byte in (5, 900, 4_000):
        flip_bit(state, "boids", "energy", byte=byte, bit=1)
        flip_bit(state, "boids", "energy", byte=byte + 1, bit=1, where="live")
    with pytest.raises(DamageError, match=r"boids\.energy: rows 0 to 4,095 are lost"):
        repeat(ROUND_FRAMES, lambda: validation.maintain(SLACK))
    assert "lost" in told[0]


def test_a_round_leaves_a_keyframe_from_which_later_damage_is_mended(told):
    state = StateManager(history_bytes=1 << 16)
    boids = state.table("boids", {"x": f32, "energy": f32})
    boids.spawn(20_000, energy=np.arange(20_000))
    state.commit()
    validation = Validation(state, 1 / 60, told)
    while not validation.runs:
        frames(validation, state, 1)
    assert validation.keyframe is not None
    frame = validation.keyframe.frame
    assert validation.document()["keyframe"] == frame
    validation.keyframe.wait()
    frames(validation, state, 2)
    wanted = state.crc
    for where in ("committed", "live"):
        for byte in range(0, 16_000, 40):
            flip_bit(state, "boids", "energy", byte=byte + (where == "live"), bit=3, where=where)
    (fault,) = [fault for fault in state.validate(repair=True).faults if fault.kind == "crc"]
    assert fault.mended == f"from the checkpoint of frame {frame}, carried forward by the history"
    assert state.crc == wanted
    assert not state.validate().faults


def test_where_memory_is_short_there_is_no_keyframe(told):
    state = StateManager(memory_limit=8_000_000)
    boids = state.table("boids", {"x": f32})
    boids.spawn(100_000)
    state.commit()
    assert state.memory_notice is not None
    validation = Validation(state, 1 / 60, told)
    frames(validation, state, ROUND_FRAMES)
    assert validation.runs == 1
    assert validation.keyframe is None
