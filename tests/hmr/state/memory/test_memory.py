from __future__ import annotations

import mmap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.hmr.state import MemoryLimitError, Schema, StateManager, f32
from instar.hmr.state.fields import make_field
from instar.hmr.state.memory.account import PURPOSES, SHARED

PAGE = mmap.PAGESIZE


def pages(size: int) -> int:
    return -(-size // PAGE) * PAGE


def schema(table: str, *fields: str) -> Schema:
    return Schema.build(table, {name: make_field(name, f32) for name in fields})


def busy(state: StateManager, frames: int) -> None:
    for table in state.tables.values():
        for frame in range(frames):
            table.x[:] = np.arange(len(table)) * (frame + 1)
            state.commit()


def test_each_purpose_is_counted_by_table():
    state = StateManager(history_bytes=1 << 22)
    boids = state.table("boids", {"x": f32, "y": f32[2]})
    state.table("hawks", {"x": f32}).spawn(3)
    boids.spawn(50_000, x=1)
    assert state.memory()["boids"]["live"] == pages(4 * 50_000) + pages(8 * 50_000)
    assert state.memory()["boids"]["committed"] == 0
    state.commit()
    boids.x[:] = np.arange(50_000)
    state.commit()
    checkpoint = state.checkpoint()
    checkpoint.wait()
    use = state.memory()
    assert set(use) == {"boids", "hawks", SHARED}
    assert all(tuple(sizes) == PURPOSES for sizes in use.values())
    assert use["boids"]["committed"] == pages(4 * 50_000) + pages(8 * 50_000) + 2 * PAGE
    assert use["boids"]["indexes"] == 2 * (PAGE + 2 * pages(8 * 50_000)) + 3 * PAGE
    assert use["hawks"]["live"] == PAGE
    assert use["boids"]["history"] > 50_000 > use["hawks"]["history"] > 0
    assert use.purposes["history"] + use.purposes["cold"] == state.history_bytes
    assert use["boids"]["checkpoints"] > use["hawks"]["checkpoints"] > 0
    assert use.purposes["checkpoints"] <= checkpoint.bytes
    assert use.total == sum(sum(sizes.values()) for sizes in use.values())
    del checkpoint
    assert state.memory().purposes["checkpoints"] == 0


def test_parked_tables_and_columns_count():
    state = StateManager(history_bytes=1 << 20)
    state.migrate({"boids": schema("boids", "x", "y"), "hawks": schema("hawks", "x")})
    for table in state.tables.values():
        table.spawn(10_000)
    state.commit()
    before = state.memory()
    state.migrate({"boids": schema("boids", "x")})
    assert state.memory()["boids"]["live"] == before["boids"]["live"]
    assert state.memory()["hawks"]["committed"] == before["hawks"]["committed"]


def test_packed_frames_are_cold_and_belong_to_their_table():
    state = StateManager(history_bytes=1 << 22)
    boids = state.table("boids", {"x": f32})
    state.table("hawks", {"x": f32}).spawn(10)
    boids.spawn(20_000)
    for frame in range(300):
        boids.x[::20] = frame
        state.commit()
    before = state.memory()
    assert before["boids"]["cold"] == 0
    while state._history.pack(1.0):
        pass
    after = state.memory()
    assert after["boids"]["cold"] > 0
    assert after["boids"]["history"] < before["boids"]["history"]
    assert after.purposes["cold"] == state._history.packed_bytes
    assert after.total < before.total


def test_the_summary_has_the_same_sums():
    state = StateManager(history_bytes=1 << 20, memory_limit=1 << 24)
    state.table("boids", {"x": f32}).spawn(10_000)
    busy(state, 3)
    use = state.memory()
    assert state.memory_summary() == {"total": use.total, "limit": 1 << 24, "purposes": use.purposes}
    assert use.document()["tables"]["boids"] == use["boids"]


def test_people_can_read_it():
    state = StateManager(history_bytes=1 << 20, memory_limit=1 << 24)
    state.table("boids", {"x": f32}).spawn(10_000)
    lines = str(state.memory()).split("\n")
    assert lines[0].split() == [*PURPOSES, "total"]
    assert lines[1].split()[:3] == ["boids", "41.0", "KB"]
    assert lines[-2].startswith("total ")
    assert lines[-1] == "limit 16.8 MB"


def test_the_history_is_cut_first_and_it_is_said():
    state = StateManager(history_bytes=1 << 22, memory_limit=6 << 20)
    boids = state.table("boids", {"x": f32})
    boids.spawn(30_000)
    busy(state, 40)
    assert state.history_bytes > 3 << 20
    assert state.memory_notice is None
    held = len(state.frames)
    boids.spawn(60_000)
    busy(state, 1)
    assert "the history is cut to" in state.memory_notice
    assert "frames" in state.memory_notice
    assert 1 < len(state.frames) < held
    assert state.memory().total <= 6 << 20
    state.rollback(state.frames[0])
    assert len(boids) == 30_000


def test_a_spawn_without_room_is_refused_and_all_is_kept():
    state = StateManager(history_bytes=1 << 22, memory_limit=4 << 20)
    boids = state.table("boids", {"x": f32})
    state.table("hawks", {"x": f32}).spawn(10)
    boids.spawn(30_000, x=7)
    busy(state, 20)
    crc, frames = state.crc, state.frames
    with pytest.raises(MemoryLimitError, match=r"boids cannot spawn 900,000 rows: with 930,000 rows it takes 4\d\.\d MB.*"
                       r"limited to 4\.2 MB\. Nothing was spawned, and all agents and the history are kept.*memory_limit=") as error:  # fmt: skip
        boids.spawn(900_000)
    assert "memory = " in str(error.value)
    assert (len(boids), state.crc, state.frames) == (30_000, crc, frames)
    boids.spawn(100)
    boids.despawn(slice(0, 30_000))
    state.commit()
    boids.spawn(30_000)
    state.commit()
    assert len(boids) == 30_100


def test_a_history_gets_back_what_tables_no_longer_take():
    state = StateManager(history_bytes=1 << 22, memory_limit=5 << 20)
    boids = state.table("boids", {"x": f32})
    checkpoints = []
    for _ in range(4):
        boids.spawn(15_000, x=np.random.default_rng(1).random(15_000))
        state.commit()
        checkpoints.append(state.checkpoint())
        checkpoints[-1].wait()
    assert state._history.limit_bytes < 1 << 22
    cut = state._history.limit_bytes
    boids.despawn(slice(0, 60_000))
    state.commit()
    checkpoints.clear()
    state.checkpoint().wait()
    assert state._history.limit_bytes > cut


@given(st.lists(st.tuples(st.sampled_from(["boids", "hawks"]), st.integers(1, 40_000)), max_size=12))
def test_no_spawn_goes_over_the_limit(spawns):
    limit = 4 << 20
    state = StateManager(history_bytes=1 << 21, memory_limit=limit)
    state.migrate({"boids": schema("boids", "x", "y"), "hawks": schema("hawks", "x")})
    for name, count in spawns:
        before = len(state[name])
        try:
            state[name].spawn(count, x=count)
        except MemoryLimitError:
            assert len(state[name]) == before
        state.commit()
        assert state.memory().total <= limit


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, 999_999])
def test_a_limit_that_is_none_is_refused(limit):
    with pytest.raises(MemoryLimitError, match="must be a whole number of bytes, 1,000,000 or more"):
        StateManager(memory_limit=limit)
