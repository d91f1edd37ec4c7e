from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instar.native import CHUNK_BYTES, Column, History, HistoryError, InstarError, Snapshot, crc64

PIECE = 64 * CHUNK_BYTES


def world(capacities, budget=8 << 20):
    history, columns = History(budget), [Column(capacity) for capacity in capacities]
    for column in columns:
        history.add(column)
        column.extent = column.capacity_bytes
    live = [np.frombuffer(column.live, np.uint8) for column in columns]
    return history, columns, live


def write(live, rng, share):
    for cells in live:
        places = rng.integers(0, cells.size, max(1, round(share * cells.size)))
        cells[places] = rng.integers(0, 256, places.size)


@given(
    seed=st.integers(0, 2**32),
    sizes=st.lists(st.sampled_from([1, PIECE, 3 * PIECE // 2]), min_size=1, max_size=3),
    undone=st.integers(0, 3),
    later=st.lists(st.sampled_from(["commit", "dense", "amend", "forget", "undo", "redo", "reset"]), max_size=4),
    budget=st.sampled_from([1 << 20, 8 << 20]),
)
@settings(max_examples=60, deadline=None)
def test_is_the_world_as_it_was(seed, sizes, undone, later, budget):
    rng = np.random.default_rng(seed)
    history, columns, live = world(sizes, budget)
    for frame in range(4):
        write(live, rng, 0.001)
        history.commit(frame, columns)
    for _ in range(undone):
        history.undo()
    wanted = [bytes(column.committed) for column in columns]
    crcs = [column.chunk_crcs() for column in columns]
    snapshot = Snapshot(history, columns)
    for step in later:
        go_on(history, columns, live, rng, step)
    assert snapshot.frame == 3 - undone
    assert [bytes(part) for part in snapshot.take()] == wanted
    assert list(snapshot.chunk_crcs) == crcs
    assert snapshot.complete


def go_on(history, columns, live, rng, step):
    if step in {"commit", "dense", "amend"}:
        write(live, rng, 1.5 if step == "dense" else 0.0005)
        history.commit(history.current + (step != "amend"), columns)
    elif step == "forget":
        history.commit(history.current, [])
    elif step == "undo" and history.current > history.oldest:
        history.discard(columns)
        history.undo()
    elif step == "redo" and history.current < history.newest:
        history.discard(columns)
        history.redo()
    elif step == "reset":
        history.reset(history.current)


def test_a_thread_takes_while_frames_are_committed():
    rng = np.random.default_rng(5)
    history, columns, live = world([4 * PIECE, PIECE], 64 << 20)
    write(live, rng, 0.1)
    history.commit(1, columns)
    for _ in range(10):
        wanted = [crc64(column.committed) for column in columns]
        snapshot, taken = Snapshot(history, columns), []
        worker = threading.Thread(target=lambda snapshot=snapshot, taken=taken: taken.extend(snapshot.take()))
        worker.start()
        for _ in range(4):
            write(live, rng, 0.01)
            history.commit(history.current + 1, columns)
        worker.join()
        assert [crc64(part) for part in taken] == wanted


def commit(history, columns, live, value):
    live[0][:1000] = value
    history.commit(history.current + 1, columns)


@pytest.mark.parametrize("undone", [1, 2, 3])
@pytest.mark.parametrize("forgotten", [False, True])
def test_frames_that_were_undone_are_dropped_without_it(undone, forgotten):
    history, columns, live = world([PIECE])
    history.commit(0, columns)
    for value in range(1, 4):
        commit(history, columns, live, value)
    for _ in range(undone):
        history.undo()
    snapshot = Snapshot(history, columns)
    if forgotten:
        history.commit(history.current, [])
    for value in range(7, 10):
        commit(history, columns, live, value)
    assert not snapshot.complete  # Nobody has taken bytes: neither had the commits to.
    assert set(bytes(snapshot.take()[0])[:1000]) == {3 - undone}


def test_the_only_frame_held_is_evicted_without_it():
    history, columns, live = world([8 * CHUNK_BYTES, 1])
    history.commit(0, columns)
    live[0][:] = np.random.default_rng(3).integers(0, 256, live[0].size, np.uint8)
    history.commit(1, columns)
    wanted = bytes(columns[0].committed)
    history.limit_bytes = history.used_bytes
    snapshot = Snapshot(history, columns)
    live[1][0] = 7
    history.commit(2, columns[1:])
    assert history.oldest == 1
    assert not snapshot.complete
    first, second = snapshot.take()
    assert bytes(first) == wanted
    assert second[0] == 0


@pytest.mark.parametrize("undone", [0, 1, 2])
def test_it_is_completed_before_the_ring_comes_round(undone):
    rng = np.random.default_rng(6)
    history, columns, live = world([4 * CHUNK_BYTES], 256 << 10)
    history.commit(0, columns)
    for frame in (1, 2):
        write(live, rng, 1)
        history.commit(frame, columns)
    for _ in range(undone):
        history.undo()
    wanted = bytes(columns[0].committed)
    snapshot = Snapshot(history, columns)
    commits = 0
    while history.oldest <= snapshot.frame:
        assert not snapshot.complete or commits > 3
        write(live, rng, 0.01)
        history.commit(history.current + 1, columns)
        commits += 1
    assert snapshot.complete
    assert bytes(snapshot.take()[0]) == wanted


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_several_are_of_their_frames_whichever_is_taken_first(order):
    history, columns, live = world([4 * PIECE])
    snapshots, wanted = [], []
    for frame in (1, 2, 3):
        write(live, np.random.default_rng(frame), 0.0001)
        history.commit(frame, columns)
        snapshots.append(Snapshot(history, columns))
        wanted.append(bytes(columns[0].committed))
        assert not snapshots[-1].complete
    for number in order:
        write(live, np.random.default_rng(10 + number), 0.0001)
        history.commit(4 + order.index(number), columns)
        assert history.snapshot_pending
        assert bytes(snapshots[number].take()[0]) == wanted[number]
    assert not history.snapshot_pending


def test_one_that_is_given_up_leaves_the_others():
    history, columns, live = world([4 * PIECE])
    history.commit(1, columns)
    kept = [Snapshot(history, columns) for _ in range(3)]
    wanted = bytes(columns[0].committed)
    kept.pop(1).abandon()
    live[0][:] = 9
    history.commit(2, columns)
    assert [bytes(one.take()[0]) == wanted for one in kept] == [True, True]
    history.commit(3, columns)
    assert not history.snapshot_pending


def test_takes_committed_extents():
    history, columns, live = world([100])
    columns[0].extent = 40
    live[0][:40] = 3
    history.commit(1, columns)
    columns[0].extent = 50
    snapshot = Snapshot(history, columns)
    assert bytes(snapshot.take()[0]) == b"\3" * 40
    assert snapshot.extents == (40,)


def test_outlives_its_history():
    history, columns, live = world([PIECE])
    live[0][:] = 7
    history.commit(1, columns)
    snapshot = Snapshot(history, columns)
    del history, columns
    assert bytes(snapshot.take()[0]) == b"\7" * PIECE


def test_refuses_columns_of_others():
    history, _, _ = world([1])
    with pytest.raises(InstarError, match="does not know"):
        Snapshot(history, [Column(1)])
    assert history.commit(1, []) == (0, 0)


def test_an_abandoned_one_holds_nobody_up():
    history, columns, live = world([4 * PIECE])
    write(live, np.random.default_rng(1), 0.1)
    history.commit(1, columns)
    snapshot = Snapshot(history, columns)
    assert history.snapshot_pending
    snapshot.abandon()
    assert not history.snapshot_pending
    write(live, np.random.default_rng(2), 0.1)
    history.commit(2, columns)
    with pytest.raises(HistoryError, match="cannot be taken"):
        snapshot.take()


def test_a_complete_one_is_kept_though_it_is_abandoned():
    history, columns, live = world([PIECE])
    write(live, np.random.default_rng(1), 0.1)
    history.commit(1, columns)
    wanted = bytes(columns[0].committed)
    snapshot = Snapshot(history, columns)
    history.commit(1, columns)  # to add to the frame completes it
    snapshot.abandon()
    write(live, np.random.default_rng(2), 0.1)
    history.commit(2, columns)
    assert bytes(snapshot.take()[0]) == wanted


def test_tells_what_the_history_keeps_for_it():
    history, columns, live = world([4 * PIECE])
    write(live, np.random.default_rng(1), 0.1)
    history.commit(1, columns)
    snapshot = Snapshot(history, columns)
    used = history.used_bytes
    assert snapshot.followed_bytes == 0
    for frame in (2, 3):
        write(live, np.random.default_rng(frame), 0.1)
        history.commit(frame, columns)
        assert snapshot.followed_bytes == history.used_bytes - used > 0
    history.settle()
    assert snapshot.followed_bytes == 0


def test_settled_nobody_reads_the_columns_any_more():
    history, columns, live = world([4 * PIECE])
    write(live, np.random.default_rng(1), 0.1)
    history.commit(1, columns)
    wanted = bytes(columns[0].committed)
    snapshot = Snapshot(history, columns)
    history.settle()
    assert snapshot.complete
    assert bytes(snapshot.take()[0]) == wanted
    history.settle()
