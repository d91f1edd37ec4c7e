from __future__ import annotations

import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from instar.native import Column, Despawns, Index, InstarError
from instar.native.integrity import seen_outside, watch

CAPACITY = 4096
LOW, HALF, ONE = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(1)
LAST_GENERATION = np.uint64(0xFFFFFFFF)


class InNumPy:
    """The reference: the same over arrays."""

    def __init__(self) -> None:
        self.ids = np.zeros(CAPACITY, np.uint64)
        self.slots = np.zeros(CAPACITY, np.uint64)
        self.free = np.zeros(CAPACITY, np.uint32)
        self.cells = [np.zeros((CAPACITY, size), np.uint8) for size in SIZES]
        self.used = self.waiting = self.rows = 0

    def write(self, column: int, values: NDArray[np.uint8]) -> None:
        self.cells[column][: self.rows] = values

    def spawn(self, count: int) -> None:
        reused = min(count, self.waiting)
        fresh = count - reused
        top = self.free[self.waiting - reused : self.waiting]
        slots = np.concatenate([top[::-1].astype(np.uint64), np.arange(self.used, self.used + fresh, dtype=np.uint64)])
        top[:] = 0
        self.waiting -= reused
        self.used += fresh
        generations = self.slots[slots] & ~LOW
        self.slots[slots] = generations | np.arange(self.rows, self.rows + count, dtype=np.uint64)
        self.ids[self.rows : self.rows + count] = (generations | slots) + ONE
        self.rows += count

    def despawn(self, rows: list[int]) -> None:
        dead = np.unique(np.array(rows, np.int64))
        kept = self.rows - len(dead)
        inner = np.searchsorted(dead, kept)
        holes = dead[:inner]
        tail = np.ones(self.rows - kept, np.bool_)
        tail[dead[inner:] - kept] = False
        movers = np.flatnonzero(tail) + kept
        slots = (self.ids[dead] - ONE) & LOW
        generations = self.slots[slots] >> HALF
        self.slots[slots] = ((generations + ONE) << HALF) | LOW
        again = slots[generations < LAST_GENERATION - ONE]
        self.free[self.waiting : self.waiting + len(again)] = again
        self.waiting += len(again)
        moved = (self.ids[movers] - ONE) & LOW
        self.slots[moved] = (self.slots[moved] & ~LOW) | holes.astype(np.uint64)
        for cells in (self.ids, *self.cells):
            cells[holes] = cells[movers]
            cells[kept : self.rows] = 0
        self.rows = kept

    def rows_of(self, ids: NDArray[np.uint64]) -> list[int]:
        slots = (ids - ONE) & LOW
        known = slots < np.uint64(self.used)
        entries = self.slots[np.where(known, slots, 0)]
        alive = known & (entries >> HALF == (ids - ONE) >> HALF) & (entries & LOW != LOW)
        rows: list[int] = np.where(alive, entries & LOW, ~np.uint64(0)).view(np.int64).tolist()
        return rows

    def forget(self, ids: NDArray[np.uint64]) -> list[int]:
        slots = (ids - ONE) & LOW
        given = (ids != 0) & (slots < np.uint64(self.used))
        gone = given & ((ids - ONE) >> HALF < self.slots[np.where(given, slots, 0)] >> HALF)
        left: list[int] = np.where(gone, 0, ids).tolist()
        return left

    def seen(self) -> list[bytes]:
        return [array.tobytes() for array in (self.ids, self.slots, self.free, *self.cells)]


class Native:
    def __init__(self) -> None:
        self.columns = [Column(8 * CAPACITY), Column(8 * CAPACITY), Column(4 * CAPACITY)]
        self.cells = [(Column(size * CAPACITY), size) for size in SIZES]
        self.references = Column(8 * CAPACITY)
        self.index = Index(*self.columns)
        self.despawns = Despawns()
        self.rows = 0

    def write(self, column: int, values: NDArray[np.uint8]) -> None:
        cells, size = self.cells[column]
        np.frombuffer(cells.live, np.uint8)[: self.rows * size] = values.reshape(-1)

    def spawn(self, count: int) -> None:
        self.index.spawn(self.rows, count)
        self.rows += count

    def despawn(self, rows: list[int]) -> None:
        assert self.despawns.mark_rows(np.array(rows, np.int64), self.rows) is None
        gone = len(self.despawns)
        self.index.despawn(self.despawns, self.rows, self.cells)
        assert len(self.despawns) == 0
        self.rows -= gone

    def rows_of(self, ids: NDArray[np.uint64]) -> list[int]:
        rows = np.empty(len(ids), np.int64)
        self.index.rows_of(ids, rows)
        return rows.tolist()

    def forget(self, ids: NDArray[np.uint64]) -> list[int]:
        references = np.frombuffer(self.references.live, np.uint64)[: len(ids)]
        references[:] = ids
        forgotten = self.index.forget(self.references, len(ids), True)
        assert forgotten == np.count_nonzero(ids) - np.count_nonzero(references)
        left: list[int] = references.tolist()
        return left

    def seen(self) -> list[bytes]:
        room = [8, 8, 4, *SIZES]
        columns = [*self.columns, *(column for column, _ in self.cells)]
        return [bytes(column.live[: size * CAPACITY]) for column, size in zip(columns, room, strict=True)]


SIZES = (1, 2, 4, 8, 12, 16, 20)
TURNS = st.lists(st.tuples(st.booleans(), st.integers(0, 2**32), st.floats(0, 1)), min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(turns=TURNS)
def test_it_does_what_numpy_does(turns: list[tuple[bool, int, float]]) -> None:
    wanted, native = InNumPy(), Native()
    known = np.array([0, 5, 2**64 - 1, 3 << 32], np.uint64)
    for grow, seed, share in turns:
        rng = np.random.default_rng(seed)
        for one in (wanted, native):
            if grow:
                one.spawn(int(share * min(300, CAPACITY - one.rows)))
        for column, size in enumerate(SIZES):
            values = rng.integers(0, 255, (wanted.rows, size), np.uint8)
            wanted.write(column, values)
            native.write(column, values)
        known = np.unique(np.concatenate([known, wanted.ids[: wanted.rows]]))
        if not grow:
            chosen = (
                rng.integers(-wanted.rows, wanted.rows, int(share * wanted.rows * 2)).tolist() if wanted.rows else []
            )
            wanted.despawn([row % wanted.rows for row in chosen])
            native.despawn(chosen)
        assert native.seen() == wanted.seen()
        assert (native.rows, native.index.slots_used, native.index.free_count) == (
            wanted.rows,
            wanted.used,
            wanted.waiting,
        )
        assert native.rows_of(known) == wanted.rows_of(known)
        assert native.forget(known) == wanted.forget(known)


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 65, 200])
def test_masks_ranges_and_rows_mark_the_same(rows: int) -> None:
    rng = np.random.default_rng(rows)
    ranges = [range(rows), range(0, rows, 3), range(rows - 1, -1, -1), range(rows // 2, rows), range(rows - 1, -1, -7)]
    for chosen in [*ranges, range(rows // 3, rows // 3 + min(rows // 2, 64))]:
        seen = []
        for way in range(3):
            native = Native()
            native.spawn(rows)
            if way == 0:
                native.despawns.mark_range(chosen, rows)
            elif way == 1:
                mask = np.zeros(rows, np.uint8)
                mask[list(chosen)] = rng.integers(1, 256, len(chosen))
                native.despawns.mark_mask(mask.view(np.bool_))
            else:
                native.despawns.mark_rows(np.array(list(chosen) * 2, np.int64), rows)
            assert len(native.despawns) == len(chosen)
            native.index.despawn(native.despawns, rows, native.cells)
            seen.append(native.seen())
        assert seen[0] == seen[1] == seen[2]


def test_a_slot_whose_generations_are_used_up_is_not_handed_out_again() -> None:
    for generation, comes_back in ((2**32 - 3, True), (2**32 - 2, False)):
        native = Native()
        native.spawn(1)
        np.frombuffer(native.columns[1].live, np.uint64)[0] = generation << 32
        np.frombuffer(native.columns[0].live, np.uint64)[0] = (generation << 32) + 1
        native.despawn([0])
        assert native.index.free_count == comes_back
        native.spawn(1)
        assert np.frombuffer(native.columns[0].live, np.uint64)[0] == (((2**32 - 2) << 32) + 1 if comes_back else 2)


def test_churn_asks_for_no_memory() -> None:
    native = Native()
    native.spawn(3000)
    rows = np.arange(0, 3000, 2)
    mask = np.zeros(3000, np.bool_)
    mask[::3] = True

    def churn() -> None:
        native.despawns.mark_rows(rows, 3000)
        native.despawns.mark_mask(mask)
        native.despawns.mark_range(range(5, 900), 3000)
        gone = len(native.despawns)
        native.index.despawn(native.despawns, 3000, native.cells)
        native.index.spawn(3000 - gone, gone)

    churn()
    held, growths = native.despawns.scratch_bytes, native.despawns.growths
    assert growths == 2
    assert held <= 3000 // 8 + 8 + 8 * 3000
    tracemalloc.start()
    try:
        churn()
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        for _ in range(20):
            churn()
        now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert now - before < 1024
    assert peak - before < 2048
    assert (native.despawns.scratch_bytes, native.despawns.growths) == (held, growths)


def test_scratch_grows_by_doubling() -> None:
    despawns = Despawns()
    for rows in range(64, 64 * 200, 64):
        despawns.mark_range(range(rows), rows)
        assert len(despawns) == rows
    assert despawns.growths <= 9
    despawns.clear()
    assert len(despawns) == 0


def damage(native: Native, column: int, place: int, value: int) -> None:
    np.frombuffer(native.columns[column].live, np.uint32 if column == 2 else np.uint64)[place] = value


@pytest.mark.parametrize(
    ("column", "place", "value"),
    [(0, 3, 0), (0, 3, 2**64 - 1), (0, 3, 5), (0, 9, 0), (1, 3, 4), (1, 3, 2**32 - 1), (1, 9, 1 << 32)],
)
def test_a_damaged_index_is_left_as_it_is(column: int, place: int, value: int) -> None:
    native = Native()
    native.spawn(10)
    damage(native, column, place, value)
    before = native.seen()
    native.despawns.mark_rows(np.array([3]), 10)
    with pytest.raises(InstarError, match="index is damaged; nothing was changed"):
        native.index.despawn(native.despawns, 10, native.cells)
    assert native.seen() == before


@pytest.mark.parametrize("value", [7, 2, 2**32 - 1])
def test_a_damaged_free_list_is_left_as_it_is(value: int) -> None:
    native = Native()
    native.spawn(5)
    native.despawn([1, 3])
    damage(native, 2, 0, value)
    before = native.seen()
    with pytest.raises(InstarError, match="index is damaged; nothing was changed"):
        native.index.spawn(3, 2)
    assert native.seen() == before


def test_what_does_not_fit_is_refused() -> None:
    native = Native()
    room = 2 * 16384 // 8
    with pytest.raises(InstarError, match="no room for"):
        native.index.spawn(0, room + 1)
    with pytest.raises(InstarError, match="cannot have"):
        native.index.restore(1 << 40, 0)
    native.spawn(10)
    assert native.despawns.mark_rows(np.array([1, 10, -11]), 10) == 10
    assert native.despawns.mark_rows(np.array([1, -11]), 10) == -11
    assert len(native.despawns) == 0
    with pytest.raises(InstarError, match="does not lie within"):
        native.despawns.mark_range(range(8, 11), 10)
    with pytest.raises(InstarError, match="at most"):
        native.despawns.mark_range(range(5), 2**31 + 1)
    native.despawns.mark_range(range(5), 10)
    with pytest.raises(InstarError, match="cannot go from"):
        native.index.despawn(native.despawns, 4, [])
    with pytest.raises(InstarError, match="do not fit"):
        native.index.despawn(native.despawns, 10, [(Column(16384), 16384)])
    with pytest.raises(InstarError, match="room for 3 rows"):
        native.index.rows_of(np.zeros(2, np.uint64), np.zeros(3, np.int64))
    with pytest.raises(InstarError, match="initialised once"):
        native.index.__init__(*native.columns)  # type: ignore[misc]


def test_only_references_that_were_written_are_looked_at() -> None:
    native = Native()
    native.spawn(4)
    native.despawn([0])
    references = np.frombuffer(native.references.live, np.uint64)
    references[:3] = [1, 2, 1]
    assert native.index.forget(native.references, 3, False) == 2
    assert references[:3].tolist() == [0, 2, 0]
    assert native.index.forget(native.references, 3, False) == 0


def test_ids_that_were_never_given_stay_and_are_told() -> None:
    native = Native()
    native.spawn(4)
    watch(native.references, None)
    references = np.frombuffer(native.references.live, np.uint64)
    references[:5] = [1, 0, 2, 77, 1 << 63]
    assert native.index.forget(native.references, 3, False) == 0
    assert seen_outside(native.references) is None
    assert native.index.forget(native.references, 5, False) == 0
    assert references[3] == 77
    assert seen_outside(native.references) == 0
    assert seen_outside(native.references) is None


def test_threads_get_in_nobodys_way() -> None:
    room = 200_000
    columns = [Column(8 * room), Column(8 * room), Column(4 * room)]
    index, despawns = Index(*columns), Despawns()
    index.spawn(0, room)
    ids = np.frombuffer(columns[0].live, np.uint64)[:room].copy()
    refused = []

    def look() -> None:
        rows = np.empty(room, np.int64)
        for _ in range(20):
            index.rows_of(ids, rows)
            try:
                despawns.mark_range(range(1), 1)
            except InstarError as error:
                refused.append(error)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    rows = room
    for _ in range(20):
        despawns.mark_range(range(0, rows, 2), rows)
        gone = len(despawns)
        index.despawn(despawns, rows, [])
        index.spawn(rows - gone, gone)
    for thread in threads:
        thread.join()
    found = np.empty(room, np.int64)
    index.rows_of(np.frombuffer(columns[0].live, np.uint64)[:room].copy(), found)
    assert found.tolist() == list(range(room))
    assert all("another thread" in str(error) for error in refused)
