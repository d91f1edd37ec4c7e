from __future__ import annotations

import ctypes
import gc
import sys

import numpy as np
import pytest

from instar.hmr.state.aging import Timeline, packer
from instar.native import CHUNK_BYTES, Column, HistoryError

ALWAYS = 3600.0
SIZE = 4 * CHUNK_BYTES


@pytest.fixture(autouse=True)
def small_stretches(monkeypatch):
    monkeypatch.setattr(packer, "AGE", 10)
    monkeypatch.setattr(packer, "STRETCH_BYTES", 4096)


def world(budget=1 << 20):
    history, column = Timeline(budget), Column(SIZE)
    history.add(column)
    column.extent = SIZE
    return history, column, np.frombuffer(column.live, np.int32)


def sparse(history, column, live, frames):
    """Frames that change the same few words, which packs well; returns all states by frame."""
    states = {history.current: live.tobytes()}
    for frame in range(history.current + 1, history.current + 1 + frames):
        live[:: live.size // 20] += 1
        history.commit(frame, [column])
        states[frame] = live.tobytes()
    return states


def noisy(history, column, live, frames):
    rng = np.random.default_rng(history.current)
    for frame in range(history.current + 1, history.current + 1 + frames):
        live[: live.size // 2] = rng.integers(-(2**31), 2**31, live.size // 2, np.int32)
        history.commit(frame, [column])


def packed(frames=200, budget=1 << 20):
    history, column, live = world(budget)
    states = sparse(history, column, live, frames)
    history.pack(ALWAYS)
    return history, column, live, states


def test_packs_what_is_old_and_keeps_what_is_young():
    history, _, _, _ = packed()
    assert history.packed[0].oldest == 0
    assert 200 - packer.AGE - 20 < history.packed[-1].newest <= 200 - packer.AGE
    assert history.packed_bytes < history.packed_ring_bytes * (1 - packer.LEAST_SAVING)
    assert history.packed_ring_bytes > 2 * packer.STRETCH_BYTES


def test_tells_what_it_packed():
    history, column, live = world()
    sparse(history, column, live, 200)
    used = history.used_bytes
    assert history.pack(ALWAYS) == history.packed_ring_bytes
    assert used - history.used_bytes == history.packed_ring_bytes - history.packed_bytes
    assert history.pack(ALWAYS) == 0


def test_packs_one_stretch_where_there_is_no_time():
    history, column, live = world()
    sparse(history, column, live, 200)
    history.pack(0.0)
    assert len(history.packed) == 1
    history.pack(0.0)
    assert len(history.packed) == 2


def test_all_frames_can_be_reached_and_left_again():
    history, column, live, states = packed()
    for frame in range(199, -1, -1):
        assert history.undo() == frame
        assert live.tobytes() == states[frame]
    with pytest.raises(HistoryError, match="no frame before 0 is held; the world stays there"):
        history.undo()
    for frame in range(1, 201):
        assert history.redo() == frame
        assert live.tobytes() == bytes(column.committed) == states[frame]
    with pytest.raises(HistoryError, match="no frame after 200"):
        history.redo()


def test_a_commit_among_packed_frames_drops_those_ahead():
    history, column, live, states = packed()
    while history.current > 50:
        history.undo()
    live[3] = 99
    history.commit(60, [column])
    assert (history.oldest, history.current, history.newest) == (0, 60, 60)
    with pytest.raises(HistoryError, match="no frame after 60"):
        history.redo()
    assert history.undo() == 50
    assert live.tobytes() == states[50]
    assert history.undo() == 49


def test_a_packed_frame_can_be_added_to():
    history, column, live, states = packed()
    while history.current > 50:
        history.undo()
    live[3] = 99
    history.commit(50, [column])
    added = live.tobytes()
    assert history.undo() == 49
    assert live.tobytes() == states[49]
    assert history.redo() == 50
    assert live.tobytes() == added
    while history.current > 0:
        history.undo()
    assert live.tobytes() == states[0]


def test_the_oldest_frame_has_no_record_to_add_to():
    history, column, live, _ = packed()
    while history.current > 0:
        history.undo()
    live[3] = 99
    history.commit(0, [column])
    assert (history.oldest, history.current, history.newest) == (0, 0, 0)
    assert live[3] == 99


def test_the_oldest_fall_off_where_the_budget_is_full():
    history, column, live = world(1 << 16)
    while history.oldest == 0:
        sparse(history, column, live, 10)
        history.pack(ALWAYS)
    before = history.newest - history.oldest
    assert history.packed_ring_bytes + history.used_bytes - history.packed_bytes > 1 << 16
    for _ in range(20):
        sparse(history, column, live, 10)
        history.pack(ALWAYS)
        assert history.used_bytes <= 1 << 16
        assert abs(history.newest - history.oldest - before) < 100


def test_a_frame_that_fills_the_budget_drops_all_before():
    history, column, live, _ = packed(budget=1 << 16)
    live += np.arange(live.size, dtype=np.int32)
    history.commit(201, [column])
    assert (history.oldest, history.newest) == (201, 201)
    assert not history.packed


def test_a_lower_limit_drops_packed_frames_first():
    history, _, live, states = packed(1500)
    ring = history.used_bytes - history.packed_bytes
    history.limit_bytes = 1 << 16
    assert ring < history.used_bytes <= 1 << 16
    assert history.packed[0].oldest == history.oldest > 0
    while history.current > history.oldest:
        history.undo()
    assert live.tobytes() == states[history.oldest]


def test_a_lower_limit_drops_frames_ahead_last():
    history, _, live, states = packed(1500)
    while history.current > 10:
        history.undo()
    history.limit_bytes = 1 << 16
    assert (history.oldest, history.newest) == (0, 10)
    while history.current > 0:
        history.undo()
    assert live.tobytes() == states[0]


def test_noise_stays_in_the_ring_and_is_tried_once(monkeypatch):
    history, column, live = world(8 << 20)
    noisy(history, column, live, 50)
    assert history.pack(ALWAYS) > 0
    assert not history.packed
    tried = []
    monkeypatch.setattr(history._archive, "pack", tried.append)
    assert history.pack(ALWAYS) == 0
    assert not tried


def test_noise_goes_along_where_what_follows_pays_for_it():
    history, column, live = world(8 << 20)
    noisy(history, column, live, 1)
    states = sparse(history, column, live, 600)
    history.pack(ALWAYS)
    first = history.packed[0]
    assert (first.oldest, first.newest) == (0, 1)
    assert first.ring_bytes > SIZE // 2
    assert history.packed_bytes < history.packed_ring_bytes * (1 - packer.LEAST_SAVING)
    while history.current > 1:
        history.undo()
    assert live.tobytes() == states[1]
    history.undo()
    assert not live.any()


def test_frames_of_many_stretches_size_are_left_to_fall_off():
    history, column, live = world(8 << 20)
    live[:] = 5
    history.commit(1, [column])
    sparse(history, column, live, 200)
    assert history.gather(-1, SIZE // 20, 100) is None
    assert history.gather(-1, SIZE // 10, 100).newest == 1


def test_a_rollback_before_packing_changes_nothing():
    history, column, live = world()
    sparse(history, column, live, 200)
    for _ in range(195):
        history.undo()
    assert history.pack(ALWAYS) == 0


def flip(stretch):
    """Flip two bits, so that nothing can mend it."""
    block = stretch.words.blocks[0]
    data = bytearray(block.data)
    data[3] ^= 1
    data[20] ^= 16
    stretch.words.blocks[0] = block._replace(data=bytes(data))


def test_damage_is_told_and_nothing_changes():
    history, _, live, states = packed()
    stretch = history.packed[1]
    flip(stretch)
    assert history.check() == [stretch.newest]
    assert history.check(1, stretch.newest - 1) == []
    while history.current > stretch.newest:
        history.undo()
    told = rf"frames {stretch.oldest + 1} to {stretch.newest} are damaged .* nothing was changed"
    with pytest.raises(HistoryError, match=told):
        history.undo()
    assert history.current == stretch.newest
    assert live.tobytes() == states[stretch.newest]


def test_mending_drops_what_lies_behind_the_damage():
    history, _, _, _ = packed()
    stretch, newest = history.packed[1], history.packed[-1].newest
    flip(stretch)
    assert history.mend() == ([], [stretch.newest])
    assert (history.oldest, history.packed[-1].newest) == (stretch.newest, newest)
    assert not history.check()


def test_mending_drops_what_lies_ahead_of_the_damage():
    history, _, live, states = packed()
    stretch = history.packed[2]
    while history.current > stretch.oldest - 3:
        history.undo()
    flip(stretch)
    assert history.mend() == ([], [stretch.newest])
    assert (history.oldest, history.newest) == (0, stretch.oldest - 3)
    history.undo()
    assert live.tobytes() == states[stretch.oldest - 4]


def test_a_copy_is_carried_through_packed_frames():
    history, column, _, states = packed()
    data = bytearray(states[20])
    history.carry(column, 0, data, 20, 198)
    assert bytes(data) == states[198]
    history.carry(column, 0, data, 198, 7)
    assert bytes(data) == states[7]
    with pytest.raises(HistoryError, match="frames 7 to 201 are not all held"):
        history.carry(column, 0, data, 7, 201)


def test_every_byte_has_its_column():
    history, column, _, _ = packed()
    other = Column(CHUNK_BYTES)
    history.add(other)
    other.extent = 8
    history.commit(201, [other])
    found = history.bytes_by_column()
    assert found[other] == 32
    assert history.packed_bytes * 0.5 < found[column] < history.used_bytes


def test_forgets_the_packed_frames_too():
    history, _, _, _ = packed()
    history.reset(7)
    assert (history.oldest, history.newest, history.used_bytes, history.packed) == (7, 7, 0, [])


class Allocated(ctypes.Structure):
    """What glibc's mallinfo2 returns."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in [
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        ]
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="glibc tells what is allocated")
def test_commits_allocate_nothing_beside_packed_frames():
    history, column, live, _ = packed()
    columns, frames = (column,), list(range(201, 701))
    allocated = ctypes.CDLL(None).mallinfo2
    allocated.restype = Allocated
    sparse_words = live[:: live.size // 20]
    counts = []
    gc.disable()
    try:
        for frame in frames:
            sparse_words += 1
            history.commit(frame, columns)
            if frame in (400, 700):
                used = allocated()
                counts.append((sys.getallocatedblocks(), used.hblkhd, used.uordblks))
    finally:
        gc.enable()
    (blocks, mapped, heap), (blocks_after, mapped_after, heap_after) = counts
    assert blocks_after - blocks < 20
    assert (mapped_after, heap_after) == (mapped, heap)
