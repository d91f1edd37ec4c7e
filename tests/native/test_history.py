from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from instar.native import CHUNK_BYTES, LINE_BYTES, Column, History, HistoryError, InstarError, crc64

CAPACITIES = (1, 2 * CHUNK_BYTES + 1, 5 * CHUNK_BYTES)
Cells = np.ndarray[tuple[int], np.dtype[np.uint8]]
WHICH = st.integers(0, len(CAPACITIES) - 1)


class Snapshot(NamedTuple):
    """All columns: their bytes and extents."""

    cells: tuple[bytes, ...]
    extents: tuple[int, ...]


class HistoryBesideSnapshots(RuleBasedStateMachine):
    """A history does to columns what a list of whole snapshots would do."""

    @initialize(budget=st.sampled_from([1 << 16, 100_000, 1 << 20]))
    def begin(self, budget: int) -> None:
        self.history = History(budget)
        self.columns = [Column(capacity) for capacity in CAPACITIES]
        assert [self.history.add(column) for column in self.columns] == [0, 1, 2]
        self.live = [np.frombuffer(column.live, np.uint8) for column in self.columns]
        for column in self.columns:
            column.extent = column.capacity_bytes
        self.history.commit(0, self.columns)
        self.snapshots = {0: self.see_live()}

    def see_live(self) -> Snapshot:
        return Snapshot(tuple(map(bytes, self.live)), tuple(column.extent for column in self.columns))

    def see_committed(self) -> Snapshot:
        committed = tuple(bytes(column.committed) for column in self.columns)
        return Snapshot(committed, tuple(column.committed_extent for column in self.columns))

    @property
    def frames(self) -> list[int]:
        """The frames that the history says it holds, by the model."""
        return [frame for frame in sorted(self.snapshots) if frame >= self.history.oldest]

    @rule(which=WHICH, share=st.floats(0, 1))
    def resize(self, which: int, share: float) -> None:
        column = self.columns[which]
        column.extent = round(share * column.capacity_bytes)
        self.live[which][column.extent :] = 0

    @rule(which=WHICH, seed=st.integers(0, 2**32), share=st.sampled_from([0.001, 0.01, 0.3, 1.0]))
    def write(self, which: int, seed: int, share: float) -> None:
        rng = np.random.default_rng(seed)
        cells = self.live[which][: self.columns[which].extent]
        places = np.flatnonzero(rng.random(cells.size) < share)
        cells[places] = rng.integers(0, 256, places.size)

    @rule(step=st.integers(0, 3))
    def commit(self, step: int) -> None:
        """A step of 0 adds to the current frame."""
        before, wanted = self.see_committed(), self.see_live()
        current = self.history.current
        frame = current + step
        lines, changed = self.history.commit(frame, self.columns)
        assert lines == sum(map(count_lines, before.cells, wanted.cells))
        assert changed == lines * LINE_BYTES
        self.snapshots = {at: kept for at, kept in self.snapshots.items() if at <= current} | {frame: wanted}
        assert self.history.current == self.history.newest == frame
        assert self.history.oldest in self.snapshots

    @rule(
        which=WHICH, seed=st.integers(0, 2**32), share=st.sampled_from([0.0005, 0.005, 0.3]), frames=st.integers(2, 12)
    )
    def run_frames(self, which: int, seed: int, share: float, frames: int) -> None:
        """Enough frames to fill the smaller budgets several times over, so that the ring wraps and old frames are dropped."""
        for frame in range(frames):
            self.write(which, seed + frame, share)
            self.commit(1)

    @rule(share=st.floats(0, 1), touched=st.sampled_from([0, 1, 1 << 15, 1 << 30]))
    def limit(self, share: float, touched: int) -> None:
        """A lower limit drops frames at once: the oldest, and those ahead only when none are left behind."""
        budget = self.history.budget_bytes
        self.history.limit_bytes = 65_536 + round(share * (budget - 65_536))
        if self.history.newest < max(self.snapshots):
            assert self.history.oldest == self.history.current
            self.snapshots = {at: kept for at, kept in self.snapshots.items() if at <= self.history.newest}
        assert self.history.touch_ahead(touched) <= min(touched, budget)

    @rule()
    def discard(self) -> None:
        self.history.discard(self.columns)
        assert self.see_live() == self.see_committed()

    @rule()
    def undo(self) -> None:
        self.travel(self.history.undo, -1)

    @rule()
    def redo(self) -> None:
        self.travel(self.history.redo, 1)

    def travel(self, go: object, by: int) -> None:
        assert callable(go)
        self.history.discard(self.columns)
        frames = self.frames
        index = frames.index(self.history.current) + by
        if not 0 <= index < len(frames):
            before = self.see_live()
            with pytest.raises(HistoryError, match="the world stays there"):
                go()
            assert self.see_live() == before
            return
        assert go() == frames[index] == self.history.current
        assert self.see_live() == self.snapshots[frames[index]]

    @precondition(lambda self: self.history.current > 20)
    @rule()
    def reset(self) -> None:
        self.history.reset(0)
        self.snapshots = {0: self.see_committed()}
        assert self.history.used_bytes == 0

    @invariant()
    def committed_is_the_current_snapshot(self) -> None:
        assert self.see_committed() == self.snapshots[self.history.current]

    @invariant()
    def frames_are_in_order(self) -> None:
        assert self.history.oldest == self.frames[0] <= self.history.current <= self.history.newest == self.frames[-1]

    @invariant()
    def budget_is_kept(self) -> None:
        assert 0 <= self.history.used_bytes <= self.history.limit_bytes <= self.history.budget_bytes
        assert (self.history.used_bytes == 0) == (self.history.oldest == self.history.newest)

    @invariant()
    def checksums_are_those_of_the_chunks(self) -> None:
        for column in self.columns:
            chunks = -(-column.committed_extent // CHUNK_BYTES)
            cells = np.frombuffer(column.committed, np.uint8)[: chunks * CHUNK_BYTES].reshape(chunks, CHUNK_BYTES)
            assert column.chunk_crcs().tolist() == [crc64(chunk) for chunk in cells]

    def teardown(self) -> None:
        if not hasattr(self, "history"):
            return
        while self.history.current > self.history.oldest:
            self.undo()
        while self.history.current < self.history.newest:
            self.redo()
            self.checksums_are_those_of_the_chunks()


def count_lines(before: bytes, after: bytes) -> int:
    lines = [np.frombuffer(cells, np.uint8).reshape(-1, LINE_BYTES) for cells in (before, after)]
    return int((lines[0] != lines[1]).any(axis=1).sum())


TestHistoryBesideSnapshots = HistoryBesideSnapshots.TestCase
TestHistoryBesideSnapshots.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)


def one_column(capacity: int, budget: int = 1 << 20) -> tuple[History, Column, Cells]:
    history, column = History(budget), Column(capacity)
    history.add(column)
    column.extent = capacity
    return history, column, np.frombuffer(column.live, np.uint8)


def test_holds_all_frames_that_fit() -> None:
    history, column, live = one_column(CHUNK_BYTES)
    for frame in range(1, 12_001):
        live[frame % 100] += 1
        history.commit(frame, [column])
    # A frame of one word takes a frame record, a chunk header and 7 bytes, rounded up; room for a whole chunk stays free, and as
    # much may be lost where the ring ends.
    held, spare = history.newest - history.oldest, 280 * LINE_BYTES
    assert 96 * held >= history.budget_bytes - 2 * spare - 96
    assert 96 * held <= history.used_bytes <= 96 * held + spare


def test_a_frame_over_the_budget_is_committed_without_a_delta() -> None:
    history, column, live = one_column(1 << 20, budget=1 << 16)
    live[0] = 1
    history.commit(1, [column])
    live[:] = 5
    assert history.commit(2, [column]) == ((1 << 20) // 64, 1 << 20)
    assert bytes(column.committed) == bytes(live)
    assert (history.oldest, history.current, history.newest) == (2, 2, 2)
    with pytest.raises(HistoryError, match="no frame before 2"):
        history.undo()
    live[3] = 1
    history.commit(3, [column])
    assert history.undo() == 2
    assert live[3] == 5


def test_drops_no_more_frames_than_it_must() -> None:
    history, column, live = one_column(2 * CHUNK_BYTES, budget=1 << 16)
    for frame in (1, 2):
        live[:] = frame
        history.commit(frame, [column])
    assert (history.oldest, history.newest) == (1, 2)
    assert history.undo() == 1
    assert (live == 1).all()


def test_a_frame_may_be_empty() -> None:
    history, column, _ = one_column(1)
    history.commit(1, [column])
    assert history.commit(2, [column]) == (0, 0)
    assert history.undo() == 1


def test_commits_only_the_columns_it_is_given() -> None:
    history, column, live = one_column(1)
    other = Column(1)
    assert history.add(other) == 1
    assert history.add(column) == 0
    live[0] = 1
    assert history.commit(1, [other]) == (0, 0)
    assert column.committed_extent == 0
    assert history.commit(2, [column, column]) == (1, 64)


def test_refuses_frames_of_the_past() -> None:
    history, column, _ = one_column(1)
    history.commit(5, [column])
    with pytest.raises(InstarError, match="frame 4 cannot be committed after frame 5; nothing was changed"):
        history.commit(4, [column])
    assert history.current == 5


def test_refuses_columns_it_does_not_know() -> None:
    history, column, live = one_column(1)
    live[0] = 1
    for act in (lambda: history.commit(1, [Column(1)]), lambda: history.discard([Column(1)])):
        with pytest.raises(InstarError, match="does not know"):
            act()
    assert history.commit(1, [column]) == (1, 64)


@pytest.mark.parametrize("budget", [0, 65_535, 1 << 60])
def test_refuses_an_impossible_budget(budget: int) -> None:
    with pytest.raises(InstarError, match="budget must lie between"):
        History(budget)


def test_is_initialised_once() -> None:
    history, _, _ = one_column(1)
    with pytest.raises(InstarError, match="initialised once"):
        history.__init__(1 << 16)


def test_many_columns() -> None:
    history = History(1 << 20)
    columns = [Column(1) for _ in range(70)]
    assert [history.add(column) for column in columns] == list(range(70))
    for column in columns:
        column.extent = 1
        np.frombuffer(column.live, np.uint8)[0] = 1
    assert history.commit(1, columns) == (70, 70 * 64)
    history.undo()
    assert not any(np.frombuffer(column.live, np.uint8).any() for column in columns)


def numbered_frames(budget: int = 1 << 20, frames: int = 6) -> tuple[History, Column, Cells, list[bytes]]:
    """A history of frames of a column of three chunks, and the bytes of each."""
    rng = np.random.default_rng(3)
    history, column, live = one_column(3 * CHUNK_BYTES, budget)
    seen = [bytes(column.committed)]
    for frame in range(1, frames + 1):
        live[rng.integers(0, live.size, 40)] ^= 255
        history.commit(frame, [column])
        seen.append(bytes(column.committed))
    return history, column, live, seen


@pytest.mark.parametrize("start", range(7))
@pytest.mark.parametrize("stop", range(7))
def test_carries_a_copy_from_any_held_frame_to_any_other(start: int, stop: int) -> None:
    history, column, _, seen = numbered_frames()
    history.undo()
    data = bytearray(seen[start][CHUNK_BYTES:])
    history.carry(column, 1, data, start, stop)
    assert bytes(data) == seen[stop][CHUNK_BYTES:]


def test_carries_only_what_it_holds() -> None:
    history, column, _, _ = numbered_frames()
    with pytest.raises(HistoryError, match="frames 3 to 9 are not all held; nothing was read"):
        history.carry(column, 0, bytearray(CHUNK_BYTES), 3, 9)
    with pytest.raises(InstarError, match="whole chunks"):
        history.carry(column, 0, bytearray(5), 3, 4)


def test_knows_which_chunks_changed_and_how_far_they_reached() -> None:
    history, column, live = one_column(3 * CHUNK_BYTES)
    live[[0, 2 * CHUNK_BYTES]] = 1
    history.commit(1, [column])
    column.extent = CHUNK_BYTES
    live[CHUNK_BYTES:] = 0
    history.commit(2, [column])
    assert history.changed(0, 2) == {column: [0, 2]}
    assert history.changed(2, 1) == {column: [2]}
    assert history.changed(2, 2) == {}
    assert [history.extent_at(column, frame) for frame in range(3)] == [0, 3 * CHUNK_BYTES, CHUNK_BYTES]
    history.undo()
    assert [history.extent_at(column, frame) for frame in range(3)] == [0, 3 * CHUNK_BYTES, CHUNK_BYTES]


def test_tells_the_bytes_of_each_column() -> None:
    history, column, live = one_column(3 * CHUNK_BYTES)
    other = Column(1)
    history.add(other)
    live[[0, 2 * CHUNK_BYTES]] = 1
    history.commit(1, [column, other])
    assert history.bytes_by_column() == {
        column: 32 + 2 * 32
    }  # an extent; two headers of 24, an element of 7 and a byte of room
    other.extent = 1
    history.commit(2, [column, other])
    assert history.bytes_by_column() == {column: 96, other: 32}
    history.undo()
    assert sum(history.bytes_by_column().values()) == history.used_bytes - 2 * 64


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="the system does not tell how much memory is resident"
)
def test_a_lower_limit_gives_memory_back() -> None:
    history, column, live = one_column(1 << 20, budget=64 << 20)
    for frame in range(1, 80):
        live[:] = frame
        history.commit(frame, [column])
    before = resident_bytes()
    history.limit_bytes = 8 << 20
    assert before - resident_bytes() > 50 << 20
    assert (history.newest, history.oldest) == (79, 72)
    live[:] = 0
    history.commit(80, [column])
    assert history.used_bytes <= 8 << 20
    while history.current > history.oldest:
        assert history.undo() == history.current
        assert (live == history.current).all()


@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="the system does not tell how much memory is resident"
)
def test_touches_what_is_written_next_once() -> None:
    history, column, live = one_column(CHUNK_BYTES, budget=64 << 20)
    before = resident_bytes()
    assert history.touch_ahead(32 << 20) == 32 << 20
    assert resident_bytes() - before >= 31 << 20
    assert history.touch_ahead(32 << 20) == 0
    live[:] = 1
    history.commit(1, [column])
    assert history.touch_ahead(32 << 20) == history.used_bytes
    assert history.touch_ahead(1 << 30) == (32 << 20) - history.used_bytes
    assert history.touch_ahead(1 << 30) == 0


@pytest.mark.parametrize("limit", [0, 65_535, (1 << 20) + 1])
def test_refuses_an_impossible_limit(limit: int) -> None:
    history, _, _ = one_column(1)
    with pytest.raises(InstarError, match=f"limit must lie between .* got {limit:,}; it keeps 1,048,576"):
        history.limit_bytes = limit


def test_threads_commit_what_one_thread_commits() -> None:
    rng = np.random.default_rng(11)
    histories = [History(24 << 20), History(24 << 20, 3)]
    assert [history.threads for history in histories] == [1, 3]
    columns = [[Column(90 * CHUNK_BYTES), Column(70 * CHUNK_BYTES), Column(1)] for _ in histories]
    for frame in range(1, 30):
        seed, share = rng.integers(1 << 32), rng.choice([0.0001, 0.01, 1.0])
        for history, own in zip(histories, columns, strict=True):
            change(own, np.random.default_rng(seed), share, frame)
            for column in own:
                history.add(column)
        one, three = (history.commit(frame, own) for history, own in zip(histories, columns, strict=True))
        assert one == three
    history = histories[1]
    while history.current > history.oldest:
        assert [bytes(column.committed) for column in columns[0]] == [bytes(column.live) for column in columns[1]]
        assert [column.chunk_crcs() for column in columns[0]] == [column.chunk_crcs() for column in columns[1]]
        assert not history.check(history.current, 1)
        if histories[0].current == histories[0].oldest:
            break
        assert histories[0].undo() == history.undo()
    assert history.current < 25


def change(columns: list[Column], rng: np.random.Generator, share: float, frame: int) -> None:
    for column in columns:
        column.extent = column.capacity_bytes // (1 + frame % 3)
        live = np.frombuffer(column.live, np.uint8)
        live[column.extent :] = 0
        places = rng.integers(0, column.extent, round(1 + share * column.extent))
        live[places] = rng.integers(0, 256, places.size)
