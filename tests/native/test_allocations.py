"""Commits of a world that has settled allocate nothing, by the counters of the allocators themselves."""

from __future__ import annotations

import ctypes
import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from instar.hmr.state import StateManager, f32, u64
from instar.native import CHUNK_BYTES, Column, History

WARM, COUNTED = 300, 200
"""Calls before the counting, in which rings and scratch memory fill up, and calls counted."""
ROWS = 50_000


class MallInfo(ctypes.Structure):
    """glibc's `struct mallinfo2`."""

    _fields_ = tuple(
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
    )


libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
mallinfo = getattr(libc, "mallinfo2", None)
if mallinfo is not None:
    mallinfo.restype = MallInfo


def heap_bytes() -> int:
    """Bytes that the C library's allocator has given out, in all of its arenas and mapped ones too."""
    if mallinfo is None:
        pytest.skip("this C library does not count what it gives out")
    found = mallinfo()
    return int(found.uordblks + found.hblkhd)


@pytest.fixture(autouse=True)
def no_collections() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def grown(counter: Callable[[], int], act: Callable[[], object]) -> int:
    """How much a counter grew over COUNTED calls of a warm function."""
    for _ in range(WARM):
        act()
    counter()
    before = counter()
    for _ in range(COUNTED):
        act()
    return counter() - before


def most_at_once(act: Callable[[], object]) -> int:
    """The most bytes that one call of a warm function took from Python's allocators, NumPy's among them, before it ended."""
    for _ in range(WARM):
        act()
    tracemalloc.start()
    try:
        most = 0
        for _ in range(20):
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            act()
            most = max(most, tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    return most


def commits_of_a_history() -> Callable[[], object]:
    """Every frame changes a share of the lines that runs through sparse, dense and nothing at all."""
    column, history = Column(40 * CHUNK_BYTES), History(1 << 20)
    history.add(column)
    column.extent = 40 * CHUNK_BYTES
    live = np.frombuffer(column.live, np.uint8)
    columns = [column]
    parts = [live[:0], live[::64], live[::1024], live]

    def act() -> None:
        frame = history.current + 1
        part = parts[frame % 4]
        np.add(part, 1, out=part)
        history.commit(frame, columns)

    return act


def commits_of_a_state() -> Callable[[], object]:
    state = StateManager(history_bytes=1 << 20)
    boids = state.table("boids", {"x": f32, "vel": f32[2], "kind": u64})
    boids.spawn(ROWS)

    def act() -> None:
        boids.x[::16] += 1
        state.commit()

    return act


def rollbacks_of_a_state() -> Callable[[], object]:
    state = StateManager(history_bytes=1 << 20)
    boids = state.table("boids", {"x": f32})
    boids.spawn(ROWS // 10)
    state.commit()

    def act() -> None:
        boids.x[::16] += 1
        state.commit()
        state.rollback(state.frame - 1)
        state.redo(state.frame + 1)

    return act


def churn_of_a_state() -> Callable[[], object]:
    state = StateManager(history_bytes=1 << 20)
    boids = state.table("boids", {"x": f32, "vel": f32[2]})
    boids.spawn(ROWS)

    def act() -> None:
        boids.despawn(slice(100, 200))
        state.commit()
        boids.spawn(100)
        state.commit()

    return act


WORK = [commits_of_a_history, commits_of_a_state, rollbacks_of_a_state, churn_of_a_state]


@pytest.mark.parametrize("make", WORK)
def test_nothing_is_kept_of_python_s_memory(make: Callable[[], Callable[[], object]]) -> None:
    assert grown(sys.getallocatedblocks, make()) < COUNTED // 10


@pytest.mark.parametrize("make", WORK)
def test_nothing_is_kept_of_the_heap(make: Callable[[], Callable[[], object]]) -> None:
    assert grown(heap_bytes, make()) < 8 * COUNTED


@pytest.mark.parametrize("make", WORK)
def test_no_call_takes_memory_in_proportion_to_what_it_commits(make: Callable[[], Callable[[], object]]) -> None:
    """Counts, tuples and views are small whatever the size of the world."""
    assert most_at_once(make()) < 16_384


def test_the_counters_see_what_is_kept() -> None:
    kept: list[object] = []
    assert grown(sys.getallocatedblocks, lambda: kept.append(object())) >= COUNTED
    assert grown(heap_bytes, lambda: libc.malloc(ctypes.c_size_t(64))) >= 64 * COUNTED
    assert most_at_once(lambda: np.ones(ROWS)) >= 8 * ROWS
