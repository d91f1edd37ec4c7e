from __future__ import annotations

import numpy as np
import pytest

from instar.hmr.state import DamageError, StateManager, f32
from instar.native import CHUNK_BYTES
from instar.native.integrity import flip


def test_a_sound_world_is_clean(state):
    report = state.validate()
    assert report.faults == []
    assert report.frame == state.frame
    assert report.bytes > 6_000 * 17
    assert report.seconds > 0
    assert "clean" in str(report)
    assert state.validate(repair=True).faults == []


@pytest.mark.parametrize("name", ["header", "id", "slots", "free", "x", "energy", "alive", "n"])
@pytest.mark.parametrize("where", ["committed", "live", "crc"])
def test_one_flip_is_found_and_mended(state, image, column_of, name, where):
    before = image(state)
    flip(column_of(state, name), where, 3, 4)
    assert image(state) != before or where == "crc"
    if where != "live":
        assert [(fault.kind, fault.column) for fault in state.validate().faults] == [("crc", name)]
    (fault,) = state.validate(repair=True).faults
    assert (fault.kind, fault.table, fault.column) == ("live_differs" if where == "live" else "crc", "boids", name)
    assert fault.chunk == 0
    assert fault.mended
    assert fault.mended in str(fault)
    assert image(state) == before
    assert state.validate(repair=True).faults == []


def test_reporting_changes_nothing(state, image, column_of):
    flip(column_of(state, "x"), "committed", 100, 0)
    damaged = image(state)
    (fault,) = state.validate().faults
    assert fault.mended is None
    assert not fault.lost
    assert image(state) == damaged


def test_what_is_written_between_commits_is_no_fault_until_repair_is_asked_for(state, image):
    boids = state["boids"]
    before = image(state)
    boids.x[:] = -1
    boids.spawn(100)
    assert state.validate().faults == []
    assert boids.x[0] == -1
    kinds = {fault.kind for fault in state.validate(repair=True).faults}
    assert kinds == {"live_differs"}
    assert len(boids) == 6_000
    assert image(state) == before


def test_a_single_bit_is_corrected_where_live_has_gone_on(state, column_of):
    column = column_of(state, "x")
    before = bytes(column.committed[:CHUNK_BYTES])
    state["boids"].x[:] = 3
    flip(column, "committed", 1_000, 6)
    faults = {fault.kind: fault for fault in state.validate(repair=True).faults}
    assert faults["crc"].mended.startswith("bit 6 of byte 1,000")
    assert bytes(column.committed[:CHUNK_BYTES]) == before


def test_one_line_of_live_is_enough(state, column_of):
    column = column_of(state, "x")
    before = bytes(column.committed[:CHUNK_BYTES])
    state["boids"].x[:10] = 3
    for byte in (1_000, 1_001, 1_003):
        flip(column, "committed", byte, 6)
    faults = {fault.kind: fault for fault in state.validate(repair=True).faults}
    assert faults["crc"].mended == "from one line of the live copy"
    assert bytes(column.committed[:CHUNK_BYTES]) == before


def test_the_history_is_a_source_where_it_holds_the_first_write(column_of):
    state = StateManager()
    boids = state.table("boids", {"x": f32})
    boids.spawn(4_096, x=np.arange(4_096))
    state.commit()
    column = column_of(state, "x")
    before = bytes(column.committed[:CHUNK_BYTES])
    boids.x[:] = -1
    for byte in range(0, 4_096, 5):
        flip(column, "committed", byte, byte % 8)
    crc = next(fault for fault in state.validate(repair=True).faults if fault.kind == "crc")
    assert crc.mended.startswith("from the history")
    assert bytes(column.committed[:CHUNK_BYTES]) == before


def test_damage_that_a_commit_has_covered_costs_the_frames_before_it(state, image, column_of):
    column = column_of(state, "x")
    flip(column, "committed", 1_000, 6)
    state["boids"].x[:] = 5
    state.commit()
    before = image(state)
    (fault,) = state.validate(repair=True).faults
    assert "frames before were dropped" in fault.mended
    assert image(state) == before
    assert list(state.frames) == [state.frame]
    assert state.validate(repair=True).faults == []


@pytest.fixture
def lose(column_of):
    """Damages more than any source reproduces: several bits of committed and of live, and no history."""

    def damage(state, name="x", chunk=1):
        column = column_of(state, name)
        state._history.reset(state.frame)
        for byte in (5, 900, 4_000):
            flip(column, "committed", chunk * CHUNK_BYTES + byte, 1)
            flip(column, "live", chunk * CHUNK_BYTES + byte + 1, 1)

    return damage


def test_what_nothing_reproduces_is_named(state, lose):
    lose(state)
    (fault,) = state.validate().faults
    assert fault.lost
    assert fault.rows == range(4_096, 6_000)
    with pytest.raises(DamageError) as caught:
        state.validate(repair=True)
    error = caught.value
    assert (error.table, error.column, error.rows, error.checkpoint) == ("boids", "x", [range(4_096, 6_000)], None)
    assert error.frames == state.frames
    assert "boids.x: rows 4,096 to 5,999 are lost" in str(error)
    assert error.report.lost


def test_what_can_be_mended_is_mended_beside_what_is_lost(state, lose, column_of):
    lose(state)
    before = bytes(column_of(state, "n").committed[:100])
    flip(column_of(state, "n"), "committed", 9, 1)
    with pytest.raises(DamageError):
        state.validate(repair=True)
    assert bytes(column_of(state, "n").committed[:100]) == before


def test_bytes_past_the_last_row_are_cleared(state, column_of):
    column = column_of(state, "x")
    memory = np.frombuffer(column.live, np.uint8)
    memory[24_000:24_003] = 7
    state._history.commit(state.frame, state._catalog.native)
    (fault,) = state.validate().faults
    assert (fault.kind, fault.column, fault.count) == ("past_end", "x", 3)
    (fault,) = state.validate(repair=True).faults
    assert fault.mended
    assert state.validate(repair=True).faults == []
    assert not memory[24_000:24_003].any()
    assert not np.frombuffer(column.committed, np.uint8)[24_000:24_003].any()


def test_a_rollback_mends_first_what_it_would_carry_into_both_copies(state, image, column_of):
    newest = state.frame
    frames = {}
    for frame in (newest - 2, newest):
        (state.rollback if frame < state.frame else state.redo)(frame)
        frames[frame] = image(state)
    flip(column_of(state, "x"), "committed", 28, 1)
    state.rollback(newest - 2)
    assert image(state) == frames[newest - 2]
    state.redo(newest)
    assert image(state) == frames[newest]
    (fault,) = state.validate().faults
    assert (fault.kind, fault.column, fault.mended) == ("crc", "x", "from the live copy")
    assert state.validate().faults == []


def test_a_rollback_refuses_to_carry_what_is_lost(state, column_of):
    state._history.reset(state.frame)
    state["boids"].x[:] = 5
    frame = state.commit().frame
    for byte in (5, 900, 1_000):
        flip(column_of(state, "x"), "committed", byte, 1)
    state["boids"].x[:] = 6
    with pytest.raises(DamageError, match="rows 0 to 4,095 are lost"):
        state.rollback(frame - 1)
    assert state.frame == frame
    assert state["boids"].x[0] == 6


def test_a_kept_checkpoint_is_a_source_with_the_deltas_since(state, column_of):
    kept = [state.checkpoint() for _ in range(2)]
    for one in kept:
        one.wait()
    for value in (4, 5):
        state["boids"].x[value::9] = value
        state.commit()
    before = bytes(column_of(state, "x").committed[: 2 * CHUNK_BYTES])
    state["boids"].x[:] = -1
    for byte in range(0, CHUNK_BYTES, 50):
        flip(column_of(state, "x"), "committed", byte, 3)
    told = [fault.mended for fault in state.validate(repair=True).faults if fault.kind == "crc"]
    assert told == [f"from the checkpoint of frame {kept[0].frame}, carried forward by the history"]
    assert bytes(column_of(state, "x").committed[: 2 * CHUNK_BYTES]) == before


def test_what_is_lost_names_the_last_good_checkpoint(state, lose):
    good = state.checkpoint()
    good.wait()
    state["boids"].x[:] += 1
    state.commit()
    bad = state.checkpoint()
    for packed in bad.columns["boids"]:
        block = packed.blocks[0]
        packed.blocks[0] = block._replace(data=bytes(len(block.data) + 1))
    lose(state)
    with pytest.raises(DamageError, match=f"last good checkpoint that is kept is of frame {good.frame}") as caught:
        state.validate(repair=True)
    assert caught.value.checkpoint == good.frame
    assert {fault.kind for fault in caught.value.report.faults} == {"crc", "checkpoint"}
    state.restore(good)
    assert state.validate(repair=True).lost == []


@pytest.mark.parametrize("written", [[], [0], [26]])
def test_a_rollback_to_the_current_frame_spreads_no_damage(state, image, column_of, written):
    """What a void frame does: it makes live state what was committed, damage and all, unless that is mended first."""
    before = image(state)
    flip(column_of(state, "x"), "committed", 4 * 25 + 2, 3)
    state["boids"].x[written] = -1
    frames = state.frames
    state.rollback(state.frame)
    assert image(state) == before
    (fault,) = state.validate(repair=True).faults
    assert fault.mended
    assert (image(state), state.frames) == (before, frames)
