from __future__ import annotations

import numpy as np
import pytest

from instar.hmr.state import StateManager, f32
from instar.native import HistoryError, InstarError
from instar.native.integrity import flip_record


def test_a_flipped_bit_of_a_record_is_corrected(state, image):
    rng = np.random.default_rng(3)
    for _ in range(12):
        before = bytes(np.random.default_rng(0).bytes(1)), image(state)
        flip_record(state._history, int(rng.integers(state._history.used_bytes)), int(rng.integers(8)))
        told = state.validate().faults
        assert len(told) == 1
        mended = state.validate(repair=True).faults
        assert [fault.kind for fault in told] == [fault.kind for fault in mended]
        assert all(fault.kind == "history" and fault.mended for fault in mended)
        assert state.validate().faults == []
        assert image(state) == before[1]
    newest = state.frame
    assert list(state.frames) == list(range(newest + 1))
    state.rollback(0)
    state.redo(newest)
    assert image(state) == before[1]


def test_a_record_beyond_correction_costs_frames_and_says_so(state):
    newest = state.frame
    used = state._history.used_bytes
    for byte in range(used - 60, used, 7):
        flip_record(state._history, byte, 2)
    report = state.validate(repair=True)
    assert {fault.kind for fault in report.faults} == {"history"}
    assert [fault.frame for fault in report.faults if fault.mended is None] == [newest]
    assert "no longer held" in str(report)
    assert state.validate(repair=True).faults == []
    assert state.frame == newest


def test_only_what_is_held_can_be_flipped(state):
    with pytest.raises(InstarError, match="lies outside"):
        flip_record(state._history, state._history.used_bytes, 0)


@pytest.mark.parametrize("bit", [0, 5, 7])
def test_the_bit_that_is_mended_is_the_one_that_flipped(bit):
    """A mend that makes a record's check right by another bit would give frames and places that never were."""
    state = StateManager(history_bytes=1 << 16)
    boids = state.table("boids", {"x": f32})
    boids.spawn(5)
    state.commit()
    boids.x = 2
    state.commit()
    state.commit()
    for byte in range(state.history_bytes):
        flip_record(state._history, byte, bit)
        assert all(fault.mended for fault in state.validate(repair=True).faults)
        for frame in (2, 1, 0):
            state.rollback(frame)
            assert state.frames == range(4)
        assert len(boids) == 0
        state.redo(3)
        assert boids.x.tolist() == [2] * 5


def test_a_rollback_that_a_damaged_record_stops_leaves_a_whole_frame():
    state = StateManager(history_bytes=1 << 20)
    hares = state.table("hares", {"x": f32})
    crcs = {0: state.crc}
    for _ in range(6):
        hares.spawn(100)
        state.commit()
        crcs[state.frame] = state.crc
    damaged = state.history_bytes // 2
    for bit in range(2):  # a record with two flipped bits is not mended on the way
        flip_record(state._history, damaged, bit)
    with pytest.raises(HistoryError, match="damaged; the world stays at frame"):
        state.rollback(0)
    assert 0 < state.frame < 6
    assert len(hares) == 100 * state.frame
    assert state.crc == crcs[state.frame]
    hares.despawn(0)
    state.commit()
    assert [fault for fault in state.validate().faults if fault.kind != "history"] == []


@pytest.mark.parametrize("bit", range(0, 8, 3))
def test_what_stands_between_records_is_mended_too(bit):
    """A dense record is aligned by a pad before it; bytes of a pad that say nothing may be any."""
    state = StateManager(history_bytes=1 << 20)
    boids = state.table("boids", {"x": f32})
    boids.spawn(4096, x=np.arange(4096))
    images = [state.commit() and boids.x.copy()]
    for _ in range(3):
        boids.x += np.float32(0.37)
        images.append(state.commit() and boids.x.copy())
    end = state.history_bytes - 16_384
    for byte in range(end - 24 - 64, end):
        flip_record(state._history, byte, bit)
        assert all(fault.mended for fault in state.validate(repair=True).faults)
        assert not state.validate().faults
        for frame in (3, 2, 4):
            (state.redo if frame == 4 else state.rollback)(frame)
            assert np.array_equal(boids.x, images[frame - 1])
