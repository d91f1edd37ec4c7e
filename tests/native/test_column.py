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


def test_sealed_views_keep_their_values() -> None:
    column, history = Column(CHUNK_BYTES), History(1 << 20)
    history.add(column)
    live = np.frombuffer(column.live, np.uint8)
    column.extent = 1
    live[0] = 1
    history.commit(1, [column])
    live[0] = 2
    history.commit(2, [column])
    column.seal()
    history.undo()
    history.discard([column])
    assert live[0] == 2
    assert column.live.readonly
    assert not np.frombuffer(column.live, np.uint8).flags.writeable
    assert np.frombuffer(column.committed, np.uint8)[0] == 1


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
