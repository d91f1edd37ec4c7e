from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from instar.hmr.state import StateManager, f32, i32
from instar.hmr.state.aging import Cold, Freezer, Timeline, freezer
from instar.native import CHUNK_BYTES, Column, InstarError, Snapshot, crc64
from instar.native.integrity import check_chunks, flip

SIZE = 20 * CHUNK_BYTES
ALWAYS = 3600.0


@pytest.fixture(autouse=True)
def soon_cold(monkeypatch):
    monkeypatch.setattr(freezer, "AGE", 3)


def world(count=2, budget=1 << 20):
    history, columns = Timeline(budget), [Column(SIZE) for _ in range(count)]
    for column in columns:
        history.add(column)
        column.extent = SIZE
    return history, columns, [np.frombuffer(column.live, np.int32) for column in columns]


def frozen(values=None):
    """A history with one column that changes and one that is packed."""
    history, columns, live = world()
    live[0][:] = np.arange(live[0].size) if values is None else values
    history.commit(1, columns)
    for frame in range(2, 7):
        live[1][0] = frame
        history.commit(frame, columns[1:])
    Freezer().freeze(history, [(column, 4) for column in columns], ALWAYS)
    return history, columns, live


def test_packs_what_no_commit_compared_for_long():
    _, (cold, warm), live = frozen()
    assert cold.packed is not None
    assert warm.packed is None
    assert cold.packed.stored_bytes < SIZE / 2
    assert cold.chunk_crcs().tolist() == [
        crc64(live[0].view(np.uint8)[at : at + CHUNK_BYTES]) for at in range(0, SIZE, CHUNK_BYTES)
    ]
    assert cold.packed is not None, "checksums need no bytes"


def test_goes_in_pieces():
    history, columns, live = world()
    live[0][:] = np.arange(live[0].size)
    history.commit(1, columns)
    history.commit(5, [])
    one = Freezer()
    rounds = 0
    while columns[0].packed is None:
        one.freeze(history, [(columns[0], 4)], 0.0)
        rounds += 1
    assert rounds == SIZE // (256 << 10) + 1


def test_leaves_noise_alone_and_tries_it_once(monkeypatch):
    history, columns, live = world(1)
    live[0][:] = np.random.default_rng(1).integers(-(2**31), 2**31, live[0].size, np.int32)
    history.commit(1, columns)
    history.commit(10, [])
    one = Freezer()
    one.freeze(history, [(columns[0], 4)], ALWAYS)
    assert columns[0].packed is None
    history.commit(100, [])
    monkeypatch.setattr(one._codec, "encode", None)
    one.freeze(history, [(columns[0], 4)], ALWAYS)


@pytest.mark.parametrize("extent", [CHUNK_BYTES, 4 * CHUNK_BYTES - 1])
def test_leaves_small_columns_alone(extent):
    history, columns, _ = world(1)
    columns[0].extent = extent
    history.commit(1, columns)
    history.commit(10, [])
    Freezer().freeze(history, [(columns[0], 4)], ALWAYS)
    assert columns[0].packed is None


def test_starts_anew_where_the_column_changes_meanwhile():
    history, columns, live = world(1)
    history.commit(1, columns)
    history.commit(10, [])
    one = Freezer()
    one.freeze(history, [(columns[0], 4)], 0.0)
    live[0][:] = 7
    history.commit(11, columns)
    history.commit(20, [])
    one.freeze(history, [(columns[0], 4)], ALWAYS)
    assert columns[0].packed is not None
    assert (np.frombuffer(columns[0].committed, np.int32) == 7).all()


def test_damaged_bytes_are_not_packed():
    history, columns, _ = world(1)
    history.commit(1, columns)
    history.commit(10, [])
    flip(columns[0], "committed", 17 * CHUNK_BYTES, 3)
    Freezer().freeze(history, [(columns[0], 4)], ALWAYS)
    assert columns[0].packed is None
    assert [one.chunk for one in check_chunks(columns[0], 0, 20, with_live=False)] == [17]


def commit_it(history, column, live):
    live[5] += 1
    history.commit(history.current + 1, [column])


def undo_it(history, column, live):
    while history.current > 0:
        history.undo()
    assert not live.any()


def restore_it(history, column, live):
    live[9] += 1
    history.discard([column])


def read_it(history, column, live):
    assert bytes(column.committed) == bytes(column.live)


@pytest.mark.parametrize("use", [commit_it, undo_it, restore_it, read_it])
def test_comes_back_for_whatever_needs_it(use):
    history, (cold, _), live = frozen()
    before = live[0].copy()
    use(history, cold, live[0])
    assert cold.packed is None
    assert bytes(cold.committed) == bytes(cold.live)
    assert not check_chunks(cold, 0, 20, with_live=True)
    if use is restore_it:
        assert (live[0] == before).all()


def test_a_discard_of_what_nobody_wrote_leaves_it_packed():
    history, columns, live = frozen()
    live[1][3] = 5
    history.discard(columns)
    assert columns[0].packed is not None
    assert live[1][3] == 0


def test_a_rollback_over_other_columns_leaves_it_packed():
    history, columns, _ = frozen()
    history.discard(columns)
    assert history.undo() == 5
    assert columns[0].packed is not None


def test_a_snapshot_reads_the_packed_bytes():
    history, columns, live = frozen()
    before = [bytes(one) for one in live]
    snapshot = Snapshot(history, columns)
    commit_it(history, columns[0], live[0])
    assert columns[0].packed is None
    assert [bytes(one) for one in snapshot.take()] == before


def test_is_not_packed_while_a_snapshot_is_to_be_taken():
    history, columns, _ = world(1)
    history.commit(1, columns)
    history.commit(10, [])
    snapshot = Snapshot(history, columns)
    Freezer().freeze(history, [(columns[0], 4)], ALWAYS)
    assert columns[0].packed is None
    snapshot.take()


def test_a_view_of_committed_bytes_keeps_them():
    history, columns, _ = world(1)
    history.commit(1, columns)
    view = columns[0].committed[:10]
    assert not columns[0].freeze(Cold([]))
    assert bytes(view) == bytes(10)


def test_a_loaded_column_forgets_what_was_packed():
    _, (cold, _), live = frozen()
    cold.load(np.full(50, 3, np.int32))
    assert cold.packed is None
    assert (live[0][:50] == 3).all()
    assert not live[0][50:].any()
    assert bytes(cold.committed) == bytes(cold.live)


def test_is_packed_once():
    _, (cold, _), _ = frozen()
    with pytest.raises(InstarError, match="packed already; nothing was changed"):
        cold.freeze(Cold([]))


def tear(column, block, byte=40):
    whole = column.packed.blocks[block]
    data = bytearray(whole.data)
    data[byte] ^= 4
    column.packed.blocks[block] = whole._replace(data=bytes(data))


def test_what_damage_took_comes_from_the_live_copy():
    history, (cold, _), live = frozen()
    tear(cold, 1)
    assert not cold.packed.is_whole(0, SIZE)
    assert cold.packed.is_whole(0, 256 << 10)
    commit_it(history, cold, live[0])
    assert not check_chunks(cold, 0, 20, with_live=True)
    while history.current > 1:
        history.undo()
    assert (live[0] == np.arange(live[0].size)).all()


def test_what_neither_copy_has_is_told_by_the_checksums():
    history, (cold, _), live = frozen()
    tear(cold, 1)
    live[0][(256 << 10) // 4 + 9] += 1
    history.commit(7, [cold])
    assert [one.chunk for one in check_chunks(cold, 0, 20, with_live=True)] == [16]


def manager(rows=50_000):
    state = StateManager()
    table = state.table("boids", {"x": f32, "kind": i32}, capacity=rows)
    table.spawn(rows, kind=np.arange(rows) % 7)
    state.commit()
    for _ in range(5):
        table.x[:] += 1
        state.commit()
    state.maintain(ALWAYS)
    return state, table, table._columns.column(table.schema.fields["kind"])


def test_validation_checks_packed_bytes_as_they_are():
    state, _, kind = manager()
    assert kind.packed is not None
    assert not state.validate().faults
    assert kind.packed is not None
    tear(kind, 0)
    report = state.validate(repair=True)
    assert [(fault.kind, fault.column, fault.chunk) for fault in report.faults] == [("crc", "kind", 0)]
    assert "from the live copy" in report.faults[0].mended
    assert not state.validate().faults


def test_validation_sees_damage_of_the_live_copy_of_packed_bytes():
    state, table, kind = manager()
    flip(kind, "live", 1000, 3)
    report = state.validate(repair=True)
    assert [(fault.kind, fault.column, fault.chunk) for fault in report.faults] == [("live_differs", "kind", 0)]
    assert (table.kind == np.arange(len(table)) % 7).all()


def test_a_checkpoint_of_packed_columns_is_whole():
    state, table, kind = manager()
    checkpoint = state.checkpoint()
    checkpoint.verify()
    assert kind.packed is not None
    crc = state.crc
    table.kind[:] = 0
    state.commit()
    state.restore(checkpoint)
    assert state.crc == crc
    assert (table.kind == np.arange(len(table)) % 7).all()


def test_the_account_tells_what_is_packed():
    state, table, kind = manager()
    with_cold = state.memory()["boids"]
    assert with_cold["cold"] >= kind.packed.stored_bytes
    table.kind[0] = 1
    state.commit()
    assert state.memory()["boids"]["committed"] - with_cold["committed"] == 200_704  # whole pages
    assert state.memory()["boids"]["cold"] < with_cold["cold"]


def test_parked_columns_are_packed_too():
    state, table, kind = manager()
    state.migrate({"boids": table.schema.__class__.build("boids", {"x": table.schema.fields["x"]}, table.capacity)})
    for _ in range(5):
        table.x[:] += 1
        state.commit()
    state.maintain(ALWAYS)
    assert kind.packed is not None
    table.despawn([0])
    state.commit()
    assert kind.packed is None
    state.rollback(1)
    assert (table.kind == np.arange(50_000) % 7).all()


class ColdBesideSnapshots(RuleBasedStateMachine):
    """Columns hold what they would hold if nothing were ever packed."""

    @initialize()
    def begin(self):
        self.history, self.columns, self.live = world(3, 1 << 19)
        self.freezer = Freezer()
        self.history.commit(0, self.columns)
        self.frames = {0: self.seen()}

    def seen(self):
        return tuple(map(bytes, self.live))

    @rule(which=st.sets(st.integers(0, 2)), seed=st.integers(0, 99), frames=st.integers(1, 6))
    def run_frames(self, which, seed, frames):
        rng = np.random.default_rng(seed)
        for _ in range(frames):
            for one in which:
                self.live[one][rng.integers(0, self.live[one].size, 9)] = rng.integers(0, 99, 9)
            current = self.history.current
            self.history.commit(current + 1, [self.columns[one] for one in which])
            self.frames = {at: kept for at, kept in self.frames.items() if at <= current} | {current + 1: self.seen()}

    @rule(seconds=st.sampled_from([0.0, ALWAYS]))
    def maintain(self, seconds):
        self.history.maintain([(column, 4) for column in self.columns], seconds)

    @rule(which=st.integers(0, 2))
    def write_and_discard(self, which):
        self.live[which][77] += 1
        self.history.discard(self.columns)

    @rule(which=st.integers(0, 2))
    def tear(self, which):
        column = self.columns[which]
        if column.packed is not None and len(column.packed.blocks[0].data) > 40:
            tear(column, 0)
            self.run_frames(set(), 0, 1)
            self.history.commit(self.history.current, [column])

    @rule(by=st.integers(-6, 6))
    def travel(self, by):
        self.history.discard(self.columns)
        for _ in range(abs(by)):
            if by < 0 and self.history.current > self.history.oldest:
                self.history.undo()
            if by > 0 and self.history.current < self.history.newest:
                self.history.redo()

    @precondition(lambda self: self.history.current > 10)
    @rule()
    def snapshot(self):
        snapshot = Snapshot(self.history, self.columns)
        wanted = self.seen()
        self.run_frames({0, 1, 2}, 5, 2)
        assert tuple(map(bytes, snapshot.take())) == wanted

    @invariant()
    def live_is_the_current_frame(self):
        assert self.seen() == self.frames[self.history.current]

    def teardown(self):
        if not hasattr(self, "history"):
            return
        for column, live in zip(self.columns, self.live, strict=True):
            assert bytes(column.committed) == bytes(live)
            assert not check_chunks(column, 0, 20, with_live=True)


class TestColdBesideSnapshots(ColdBesideSnapshots.TestCase):
    settings = settings(max_examples=60, stateful_step_count=30, deadline=None)

    @pytest.fixture(autouse=True)
    def soon(self, monkeypatch):
        monkeypatch.setattr(freezer, "AGE", 3)
