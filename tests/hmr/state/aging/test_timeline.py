from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from instar.hmr.state.aging import Timeline, packer
from instar.native import CHUNK_BYTES, Column, HistoryError, crc64

CAPACITIES = (1, 2 * CHUNK_BYTES + 1, 5 * CHUNK_BYTES)
WHICH = st.integers(0, len(CAPACITIES) - 1)
ALWAYS = 3600.0


@pytest.fixture(autouse=True)
def small_stretches(monkeypatch):
    monkeypatch.setattr(packer, "AGE", 3)
    monkeypatch.setattr(packer, "STRETCH_BYTES", 2048)


class TimelineBesideSnapshots(RuleBasedStateMachine):
    """A timeline does to columns what a list of whole snapshots would do, whenever frames are packed."""

    @initialize(budget=st.sampled_from([1 << 16, 100_000, 1 << 20]))
    def begin(self, budget):
        self.history = Timeline(budget)
        self.columns = [Column(capacity) for capacity in CAPACITIES]
        for column in self.columns:
            self.history.add(column)
            column.extent = column.capacity_bytes
        self.live = [np.frombuffer(column.live, np.uint8) for column in self.columns]
        self.history.commit(0, self.columns)
        self.snapshots = {0: self.see_live()}

    def see_live(self):
        return tuple(map(bytes, self.live)), tuple(column.extent for column in self.columns)

    def see_committed(self):
        return tuple(bytes(one.committed) for one in self.columns), tuple(one.committed_extent for one in self.columns)

    @property
    def frames(self):
        return [frame for frame in sorted(self.snapshots) if frame >= self.history.oldest]

    @rule(which=WHICH, share=st.floats(0, 1))
    def resize(self, which, share):
        column = self.columns[which]
        column.extent = round(share * column.capacity_bytes)
        self.live[which][column.extent :] = 0

    @rule(which=WHICH, seed=st.integers(0, 2**32), share=st.sampled_from([0.001, 0.01, 0.3, 1.0]))
    def write(self, which, seed, share):
        rng = np.random.default_rng(seed)
        cells = self.live[which][: self.columns[which].extent]
        places = np.flatnonzero(rng.random(cells.size) < share)
        cells[places] ^= rng.integers(0, 4, places.size).astype(np.uint8)

    @rule(step=st.integers(0, 3))
    def commit(self, step):
        wanted, current = self.see_live(), self.history.current
        self.history.commit(current + step, self.columns)
        self.snapshots = {at: kept for at, kept in self.snapshots.items() if at <= current} | {current + step: wanted}
        assert self.history.current == self.history.newest == current + step

    @rule(which=WHICH, seed=st.integers(0, 2**32), share=st.sampled_from([0.001, 0.1]), frames=st.integers(2, 30))
    def run_frames(self, which, seed, share, frames):
        for frame in range(frames):
            self.write(which, seed + frame, share)
            self.commit(1)
            self.pack(0.0)

    @rule(seconds=st.sampled_from([0.0, ALWAYS]))
    def pack(self, seconds):
        oldest, newest, used = self.history.oldest, self.history.newest, self.history.used_bytes
        packed = self.history.pack(seconds)
        assert packed + 4096 >= used - self.history.used_bytes
        assert newest == self.history.newest
        assert self.history.oldest == oldest or used > self.history.limit_bytes - 2048 * (packed // 2048 + 1)

    @rule(share=st.floats(0, 1))
    def limit(self, share):
        self.history.limit_bytes = 65_536 + round(share * (self.history.budget_bytes - 65_536))
        self.snapshots = {at: kept for at, kept in self.snapshots.items() if at <= self.history.newest}

    @rule(steps=st.integers(1, 30))
    def undo(self, steps):
        for _ in range(steps):
            self.travel(self.history.undo, -1)

    @rule(steps=st.integers(1, 30))
    def redo(self, steps):
        for _ in range(steps):
            self.travel(self.history.redo, 1)

    def travel(self, go, by):
        self.history.discard(self.columns)
        frames = self.frames
        index = frames.index(self.history.current) + by
        if not 0 <= index < len(frames):
            with pytest.raises(HistoryError, match="the world stays there"):
                go()
            return
        assert go() == frames[index] == self.history.current
        assert self.see_live() == self.snapshots[frames[index]]

    @rule(data=st.data(), which=WHICH)
    def carry(self, data, which):
        start, stop = (data.draw(st.sampled_from(self.frames)) for _ in range(2))
        (before, extents), (after, extents_after) = self.snapshots[start], self.snapshots[stop]
        column = self.columns[which]
        led = bytearray(before[which])
        self.history.carry(column, 0, led, start, stop)
        assert bytes(led) == after[which]
        assert self.history.extent_at(column, stop) == extents_after[which]
        assert self.history.carry_extent(column, extents[which], start, stop) == extents_after[which]
        chunks = [np.frombuffer(cells[which], np.uint8).reshape(-1, CHUNK_BYTES) for cells in (before, after)]
        differ = np.flatnonzero((chunks[0] != chunks[1]).any(axis=1))
        assert {*differ.tolist()} <= {*self.history.changed(start, stop).get(column, ())}

    @rule(data=st.data())
    def damage_a_bit_of_a_packed_block(self, data):
        stretches = [one for one in self.history._archive if one.words.length]
        if not stretches:
            return
        stretch = data.draw(st.sampled_from(stretches))
        whole = stretch.words.blocks[0]
        bit = data.draw(st.integers(0, 8 * len(whole.data) - 1)) if whole.data else 0
        if not whole.data:
            return
        flipped = bytearray(whole.data)
        flipped[bit // 8] ^= 1 << bit % 8
        stretch.words.blocks[0] = whole._replace(data=bytes(flipped))
        assert self.history.check() == [stretch.newest]
        assert self.history.mend() == ([stretch.newest], [])
        assert stretch.words.blocks[0] == whole

    @invariant()
    def committed_is_the_current_snapshot(self):
        assert self.see_committed() == self.snapshots[self.history.current]

    @invariant()
    def frames_are_in_order(self):
        assert self.history.oldest == self.frames[0] <= self.history.current <= self.history.newest == self.frames[-1]
        assert not self.history.check()

    @invariant()
    def budget_is_kept(self):
        assert 0 <= self.history.used_bytes <= self.history.limit_bytes
        assert sum(self.history.bytes_by_column().values()) <= self.history.used_bytes

    @invariant()
    def checksums_are_those_of_the_chunks(self):
        for column in self.columns:
            chunks = -(-column.committed_extent // CHUNK_BYTES)
            cells = np.frombuffer(column.committed, np.uint8)[: chunks * CHUNK_BYTES].reshape(chunks, CHUNK_BYTES)
            assert column.chunk_crcs().tolist() == [crc64(chunk) for chunk in cells]

    def teardown(self):
        if not hasattr(self, "history"):
            return
        self.pack(ALWAYS)
        while self.history.current > self.history.oldest:
            self.travel(self.history.undo, -1)
        while self.history.current < self.history.newest:
            self.travel(self.history.redo, 1)


class TestTimelineBesideSnapshots(TimelineBesideSnapshots.TestCase):
    settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

    @pytest.fixture(autouse=True)
    def small(self, monkeypatch):
        monkeypatch.setattr(packer, "AGE", 3)
        monkeypatch.setattr(packer, "STRETCH_BYTES", 2048)
