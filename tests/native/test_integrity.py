from __future__ import annotations

import random

import numpy as np
import pytest

from instar.native import CHUNK_BYTES, Column, History, InstarError, crc64, integrity
from instar.native.integrity import (
    Bounds,
    RecordWalk,
    check_chunks,
    count_outside,
    find_flip,
    flip,
    flip_record,
    linear_crc,
    mend_committed,
    mend_crc,
    mend_live,
    seen_outside,
    watch,
)

LOW = 0xFFFFFFFF


def committed_column(values: np.ndarray) -> Column:
    """A column whose live and committed bytes are the values."""
    column = Column(4 * CHUNK_BYTES)
    history = History(1 << 20)
    history.add(column)
    np.frombuffer(column.live, values.dtype)[: values.size] = values
    column.extent = values.nbytes
    history.commit(1, [column])
    return column


@pytest.fixture
def column():
    return committed_column(np.random.default_rng(1).random(10_000, np.float32))


def test_sound_chunks_are_no_suspects(column):
    assert check_chunks(column, 0, 100, with_live=True, bounds=Bounds("f32", 0.0, 1.0)) == []


@pytest.mark.parametrize("byte", [0, 63, CHUNK_BYTES, 39_999])
@pytest.mark.parametrize("where", ["committed", "live", "crc"])
def test_a_flip_is_found_and_undone(column, where, byte):
    before = [bytes(column.committed[:CHUNK_BYTES]), bytes(column.live[:CHUNK_BYTES])]
    flip(column, where, byte // 4096 if where == "crc" else byte, 3)
    (suspect,) = check_chunks(column, 0, 3, with_live=True)
    assert suspect.chunk == (byte // 4096 // 8 if where == "crc" else byte // CHUNK_BYTES)
    assert suspect.lines == (0 if where == "crc" else 1)
    assert (suspect.syndrome != 0) == (where != "live")
    if where == "live":
        assert check_chunks(column, 0, 3, with_live=False) == []
        assert mend_live(column, suspect.chunk) == 1
    elif where == "crc":
        assert suspect.syndrome.bit_count() == 1
        assert find_flip(suspect.syndrome, CHUNK_BYTES) is None
        mend_crc(column, suspect.chunk)
    else:
        assert find_flip(suspect.syndrome, CHUNK_BYTES) == (byte % CHUNK_BYTES) * 8 + 3
        at = suspect.chunk * CHUNK_BYTES
        mend_committed(column, suspect.chunk, column.live[at : at + CHUNK_BYTES])
    assert check_chunks(column, 0, 3, with_live=True) == []
    assert [bytes(column.committed[:CHUNK_BYTES]), bytes(column.live[:CHUNK_BYTES])] == before


def test_many_suspects_are_all_told():
    column = Column(200 * CHUNK_BYTES)
    history = History(1 << 20)
    history.add(column)
    column.extent = 200 * CHUNK_BYTES
    history.commit(1, [column])
    for chunk in range(200):
        flip(column, "committed", chunk * CHUNK_BYTES, 0)
    assert [s.chunk for s in check_chunks(column, 0, 200, with_live=False)] == list(range(200))
    assert [s.chunk for s in check_chunks(column, 7, 9, with_live=False)] == [7, 8]


def test_bytes_past_the_extent_are_zero(column):
    flip(column, "committed", 40_000, 0)
    (suspect,) = check_chunks(column, 0, 3, with_live=False)
    assert (suspect.chunk, suspect.past_end) == (2, 1)


@pytest.mark.parametrize(
    ("element", "dtype"),
    {
        "f32": "f4",
        "f64": "f8",
        "i8": "i1",
        "i16": "i2",
        "i32": "i4",
        "i64": "i8",
        "u8": "u1",
        "u16": "u2",
        "u32": "u4",
        "u64": "u8",
        "bool": "u1",
    }.items(),
)
def test_values_outside_the_bounds_are_counted(element, dtype):
    low, high = (0, 1) if element == "bool" else (3, 100)
    values = np.random.default_rng(2).integers(0, 120, 8_000).astype(dtype)
    column = committed_column(values)
    outside = (values < low) | (values > high)
    found = check_chunks(column, 0, 9, with_live=True, bounds=Bounds(element, low, high))
    assert sum(s.outside for s in found) == outside.sum() > 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("element", "dtype"), [("f32", np.float32), ("f64", np.float64)])
def test_what_is_not_finite_lies_outside_the_finite_numbers(element, dtype, bad):
    values = np.full(5_000, np.finfo(dtype).max, dtype)
    bounds = Bounds(element, float(np.finfo(dtype).min), float(np.finfo(dtype).max))
    assert check_chunks(committed_column(values), 0, 9, with_live=False, bounds=bounds) == []
    values[1_000] = bad
    assert [s.outside for s in check_chunks(committed_column(values), 0, 9, with_live=False, bounds=bounds)] == [1]


def test_integers_have_all_of_their_range():
    values = np.array([2**64 - 1, 2**63, 0], np.uint64)
    column = committed_column(values)
    assert check_chunks(column, 0, 1, with_live=False, bounds=Bounds("u64", 0, 2**64 - 1)) == []
    assert check_chunks(column, 0, 1, with_live=False, bounds=Bounds("u64", 0, 2**64 - 2))[0].outside == 1
    with pytest.raises(OverflowError):
        Bounds("u64", -1, 5)
    with pytest.raises(InstarError, match="names no element"):
        Bounds("f16", 0, 1)


@pytest.mark.parametrize("size", [1, 9, 1_000, CHUNK_BYTES])
def test_the_syndrome_names_the_bit(size):
    rng = random.Random(size)
    data = bytearray(rng.randbytes(size))
    sound = crc64(data)
    for bit in {0, 7, size * 8 - 1, rng.randrange(size * 8), rng.randrange(size * 8)}:
        data[bit // 8] ^= 1 << bit % 8
        assert find_flip(sound ^ crc64(data), size) == bit
        damage = bytearray(size)
        damage[bit // 8] = 1 << bit % 8
        assert linear_crc(damage) == sound ^ crc64(data)
        data[bit // 8] ^= 1 << bit % 8
    data[0] ^= 3
    assert find_flip(sound ^ crc64(data), size) is None


def test_what_does_not_exist_is_not_mended(column):
    with pytest.raises(InstarError, match="chunk 4 lies outside"):
        mend_live(column, 4)
    with pytest.raises(InstarError, match="a chunk has 16384 bytes"):
        mend_committed(column, 0, b"short")
    with pytest.raises(InstarError, match="no memory of a column"):
        flip(column, "dead", 0, 0)
    with pytest.raises(InstarError, match="lies outside"):
        flip(column, "live", 4 * CHUNK_BYTES, 0)
    with pytest.raises(InstarError, match="lies outside"):
        flip(column, "live", 0, 8)


def test_ids_lead_to_their_slots_and_back():
    rows = np.array(
        [2, 0, 3], np.uint64
    )  # the slots of rows 0, 1, 2; slot 1 is free, slot 4 has used up its generations
    slots = np.array([7 << 32 | 1, 5 << 32 | LOW, 0 << 32 | 0, 1 << 32 | 2, 2**64 - 1], np.uint64)
    ids = (slots[rows.astype(int)] & ~np.uint64(LOW) | rows) + np.uint64(1)
    slots_column, ids_column = committed_column(slots), committed_column(ids)
    free = committed_column(np.array([1, 1, 0, 9], np.uint32))
    assert integrity.stray_rows(ids_column, 0, 3, slots_column, 5) == (0, 0)
    assert integrity.dead_slots(slots_column, 5) == (2, 1)
    assert integrity.bad_free(free, 1, slots_column, 5) == 0
    assert integrity.bad_free(free, 2, slots_column, 5) == 1, "a slot comes twice"
    assert integrity.bad_free(free, 4, slots_column, 5) == 3, "a slot is taken, another does not exist"
    flip(ids_column, "committed", 8, 1)
    assert integrity.stray_rows(ids_column, 0, 3, slots_column, 5) == (1, 1)
    assert integrity.stray_rows(ids_column, 2, 3, slots_column, 5) == (0, 0)
    with pytest.raises(InstarError, match="lie outside"):
        integrity.stray_rows(ids_column, 0, 1 << 40, slots_column, 5)


def grown(history: History, column: Column, frames: range) -> None:
    """Commit a changed line in each frame."""
    for frame in frames:
        column.live[frame % 100] ^= 255
        history.commit(frame, [column])


def walked(walk: RecordWalk, size: int) -> tuple[int, int]:
    """Walk to the end in steps; the steps and the bytes it took."""
    steps = total = 0
    while not walk.done:
        seen, sound = walk.advance(size)
        assert sound
        assert not walk.astray
        steps, total = steps + 1, total + seen
    return steps, total


@pytest.fixture
def history():
    column = Column(CHUNK_BYTES)
    column.extent = CHUNK_BYTES
    history = History(1 << 16)
    history.add(column)
    grown(history, column, range(1, 200))
    return history, column


def test_records_are_walked_in_steps(history):
    history, _ = history
    steps, total = walked(RecordWalk(history), 1)
    assert steps >= 2 * (history.newest - history.oldest)
    assert walked(RecordWalk(history), 1 << 40) == (1, total)
    assert 0.5 * history.used_bytes < total < 2 * history.used_bytes


def test_a_walk_goes_on_while_frames_are_added_and_dropped(history):
    history, column = history
    walk = RecordWalk(history)
    frame = history.newest
    while not walk.done:
        assert walk.advance(100)[1]
        assert not walk.astray
        frame += 1
        grown(history, column, range(frame, frame + 1))


def test_a_walk_goes_astray_where_its_frames_are_undone(history):
    history, _ = history
    walk = RecordWalk(history)
    for _ in range(20):
        history.undo()
    assert walk.advance(1_000) == (0, True)
    assert walk.astray
    assert not walk.done


def test_a_walk_finds_what_has_flipped(history):
    history, _ = history
    for byte in range(64, history.used_bytes, history.used_bytes // 40):
        flip_record(history, byte, 5)
        walk, sound = RecordWalk(history), True
        while sound and not walk.done and not walk.astray:
            _, sound = walk.advance(500)
        assert walk.astray or not sound
        assert history.check()
        assert history.mend()[1] == []


def test_references_are_none_or_alive():
    slots = np.array([7 << 32 | 0, 5 << 32 | LOW], np.uint64)
    alive, stale, dead, unknown = (7 << 32 | 0) + 1, (6 << 32 | 0) + 1, (5 << 32 | 1) + 1, (0 << 32 | 2) + 1
    column = committed_column(np.array([0, alive, alive, stale, 0, dead, unknown], np.uint64))
    assert integrity.dangling(column, 0, 3, committed_column(slots), 2) == (0, 0)
    assert integrity.dangling(column, 0, 7, committed_column(slots), 2) == (3, 3)


def test_the_highest_bits_of_a_record_are_mended_where_they_flipped():
    column = Column(CHUNK_BYTES)
    column.extent = CHUNK_BYTES
    history = History(1 << 16)
    history.add(column)
    grown(history, column, range(1, 6))
    for byte in range(7, history.used_bytes, 8):
        for bit in (5, 6, 7):
            flip_record(history, byte, bit)
            assert history.check()
            mended, lost = history.mend()
            assert (len(mended), lost) == (1, [])
    for _ in range(5):
        history.undo()
    assert not any(column.committed[:CHUNK_BYTES])


@pytest.mark.parametrize("threads", [1, 4])
def test_a_watched_commit_tells_the_first_chunk_that_it_made_bad(threads):
    history, column, other = History(8 << 20, threads), Column(2 << 20), Column(2 << 20)
    live = np.frombuffer(column.live, np.float32)
    for one in (column, other):
        history.add(one)
        one.extent = one.capacity_bytes
    live[5] = np.nan
    history.commit(1, [column, other])
    bounds = Bounds("f32", 0.0, 9.0)
    watch(column, bounds)
    history.commit(2, [column, other])
    assert seen_outside(column) is None  # nothing was changed
    live[:] += 1
    live[[9 * CHUNK_BYTES // 4, 100 * CHUNK_BYTES // 4]] = [9.5, np.inf]
    np.frombuffer(other.live, np.float32)[3] = np.nan
    history.commit(3, [column, other])
    assert seen_outside(column) == 0
    assert seen_outside(column) is None
    assert seen_outside(other) is None
    live[5] = 9
    history.commit(4, [column])
    assert seen_outside(column) is None
    live[9 * CHUNK_BYTES // 4] = -1
    history.commit(5, [column])
    live[11 * CHUNK_BYTES // 4] = -1
    history.commit(6, [column])
    assert seen_outside(column) == 9
    live[11 * CHUNK_BYTES // 4] = -2
    history.commit(7, [column])
    watch(column, None)
    live[5] = np.nan
    history.commit(8, [column])
    assert seen_outside(column) is None


def test_what_lies_past_the_extent_is_not_watched():
    history, column = History(1 << 20), Column(4 * CHUNK_BYTES)
    history.add(column)
    watch(column, Bounds("u64", 1, 9))
    live = np.frombuffer(column.live, np.uint64)
    live[:3000] = 1
    column.extent = 3000 * 8
    history.commit(1, [column])
    live[10:3000] = 0
    column.extent = 10 * 8
    history.commit(2, [column])
    assert seen_outside(column) is None
    column.extent = 11 * 8
    live[9] = 2
    history.commit(3, [column])
    assert seen_outside(column) == 0


def test_elements_outside_bounds_are_counted_in_any_buffer():
    values = np.array([0.5, np.nan, 2.0, -1.0, 1.0])
    assert count_outside(values, Bounds("f64", 0.0, 1.0)) == 3
    assert count_outside(b"", Bounds("u8", 0, 1)) == 0
