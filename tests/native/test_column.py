from __future__ import annotations

import gc

import numpy as np
import pytest

from instar.native import CHUNK_BYTES, Column, History, InstarError, ReservationError, crc64


def test_capacity_is_rounded_up_to_chunks() -> None:
    assert Column(1).capacity_bytes == CHUNK_BYTES
    assert Column(CHUNK_BYTES).capacity_bytes == CHUNK_BYTES
    assert Column(CHUNK_BYTES + 1).capacity_bytes == 2 * CHUNK_BYTES


def test_begins_with_zeros_at_a_line() -> None:
    column = Column(100_000)
    live = np.frombuffer(column.live, np.uint8)
    assert live.ctypes.data % 64 == 0
    assert len(column.live) == column.live.nbytes == live.size == column.capacity_bytes
    assert not live.any()


def test_reserves_more_than_there_is_memory() -> None:
    column = Column(1 << 40)
    live = np.frombuffer(column.live, np.uint8)
    live[-1] = 7
    assert live[-1] == 7


@pytest.mark.parametrize("capacity", [0, -1, 1 << 60])
def test_refuses_an_impossible_capacity(capacity: int) -> None:
    with pytest.raises(InstarError, match="capacity must lie between"):
        Column(capacity)


def test_says_what_the_system_did_not_give() -> None:
    with pytest.raises(ReservationError, match=r"did not give [\d,]+ bytes of address space") as caught:
        [Column(1 << 46) for _ in range(5)]
    assert isinstance(caught.value, MemoryError)


def test_committed_is_read_only() -> None:
    column = Column(1)
    assert not np.frombuffer(column.committed, np.uint8).flags.writeable
    assert memoryview(column.committed).readonly
    assert not memoryview(column.live).readonly


def test_views_outlive_the_column() -> None:
    column = Column(64)
    live = np.frombuffer(column.live, np.uint8)
    del column
    gc.collect()
    live[:] = 3
    assert live.sum() == 3 * live.size


@pytest.mark.parametrize("extent", [-1, CHUNK_BYTES + 1])
def test_refuses_an_extent_outside(extent: int) -> None:
    column = Column(1)
    column.extent = 5
    with pytest.raises(InstarError, match="it keeps 5"):
        column.extent = extent
    assert column.extent == 5


def test_checksums_of_the_committed_chunks() -> None:
    column, history = Column(3 * CHUNK_BYTES), History(1 << 20)
    history.add(column)
    assert column.chunk_crcs().tolist() == []
    column.extent = CHUNK_BYTES + 5
    live = np.frombuffer(column.live, np.uint8)
    live[CHUNK_BYTES + 4] = 9
    history.commit(1, [column])
    chunks = live[: 2 * CHUNK_BYTES].reshape(2, -1)
    assert column.committed_extent == CHUNK_BYTES + 5
    assert column.chunk_crcs().tolist() == [crc64(chunk) for chunk in chunks]


@pytest.mark.parametrize("more", [0, 5 * CHUNK_BYTES])
def test_a_renewed_column_goes_on_elsewhere_and_old_views_keep_their_values(more: int) -> None:
    column, history = Column(CHUNK_BYTES), History(1 << 20)
    history.add(column)
    old = np.frombuffer(column.live, np.uint8)
    column.extent = 1
    for frame in (1, 2):
        old[0] = frame
        history.commit(frame, [column])
    crcs = column.chunk_crcs()
    column.renew(more)
    assert column.capacity_bytes == max(CHUNK_BYTES, more)
    assert (column.live[0], column.committed[0], column.chunk_crcs()) == (2, 2, crcs)
    history.undo()
    assert (column.live[0], column.committed[0], old[0]) == (1, 1, 2)
    old[0] = 9
    assert column.live[0] == 1
    assert history.commit(3, [column]) == (0, 0)


def test_a_column_that_grows_without_views_takes_its_bytes_along() -> None:
    column, history = Column(3 << 20), History(1 << 20)
    history.add(column)
    data = np.random.default_rng(1).integers(0, 256, 3 << 20, np.uint8)
    column.load(data)
    column.renew(64 << 20)
    assert column.capacity_bytes == 64 << 20
    assert bytes(column.live[: 3 << 20]) == bytes(column.committed[: 3 << 20]) == data.tobytes()
    assert not any(column.live[3 << 20 : (3 << 20) + CHUNK_BYTES])
    np.frombuffer(column.live, np.uint8)[5] ^= 1
    assert history.commit(1, [column]) == (1, 64)
    column.renew(64 << 20)
    with pytest.raises(InstarError, match="holds at most"):
        column.renew(1 << 47)


@pytest.mark.parametrize(
    ("cell", "count"), [(b"\0" * 4, 9), (b"abcd", 9000), (b"abc", 11_000), (b"xy" * 9000, 3), (b"a", 0)]
)
def test_a_fresh_column_is_filled_with_cells_and_their_checksums(cell: bytes, count: int) -> None:
    column, same = Column(1 << 17), Column(1 << 17)
    column.fill(cell, count)
    same.load(cell * count)
    assert column.extent == column.committed_extent == len(cell) * count
    assert bytes(column.live) == bytes(column.committed) == bytes(same.live)
    assert column.chunk_crcs() == same.chunk_crcs()
    column.fill(b"other", 77)
    column.fill(cell, count)
    assert bytes(column.live) == bytes(column.committed) == bytes(same.live)
    assert column.chunk_crcs() == same.chunk_crcs()
    History(1 << 20).add(column)
    with pytest.raises(InstarError, match="a history knows"):
        column.fill(cell, count)
    with pytest.raises(InstarError, match="cannot hold"):
        Column(1).fill(b"abc", 10_000)


def test_memory_of_a_fresh_column_can_be_found_before_it_is_needed() -> None:
    column = Column(1 << 17)
    column.touch(1 << 20)
    assert not any(column.live)
    assert column.extent == 0
    column.fill(b"abcd", 9)
    with pytest.raises(InstarError, match="in use"):
        column.touch(1)


def test_what_was_written_into_a_fresh_column_is_settled_with_its_checksums() -> None:
    column, same = Column(1 << 17), Column(1 << 17)
    data = np.random.default_rng(1).integers(0, 256, 50_000, np.uint8)
    np.frombuffer(column.live, np.uint8)[: len(data)] = data
    column.settle(len(data))
    same.load(data)
    assert bytes(column.committed) == bytes(same.live)
    assert column.chunk_crcs() == same.chunk_crcs()
    with pytest.raises(InstarError, match="in use"):
        column.settle(1)
    with pytest.raises(InstarError, match="cannot hold"):
        Column(1).settle(1 << 20)


def test_is_initialised_once() -> None:
    column = Column(1)
    with pytest.raises(InstarError, match="initialised once"):
        column.__init__(1)


def test_views_of_live_are_counted_for_as_long_as_anything_made_of_them_lives() -> None:
    column = Column(100)
    assert column.live_views == 0
    array = np.frombuffer(column.live, np.uint8)
    part = memoryview(array[10:])[5:]
    other = column.live
    assert column.live_views == 2
    del array
    other.release()
    assert column.live_views == 1
    del part
    assert column.live_views == 0
