from __future__ import annotations

import doctest

import numpy as np
import pytest

import instar.testing
from instar import World, f32
from instar.hmr import StateManager
from instar.hmr.state import CheckpointError
from instar.testing import InjectionError, fail_after, flip_bit, tear_file


@pytest.fixture
def state():
    state = StateManager()
    boids = state.table("boids", {"x": f32})
    boids.spawn(5_000, x=np.random.default_rng(1).random(5_000))
    state.commit()
    return state


def test_the_example_of_the_docs():
    assert doctest.testmod(instar.testing) == (0, 8)


@pytest.mark.parametrize(
    ("where", "kind"), [("committed", "crc"), ("crc", "crc"), ("live", "live_differs"), ("history", "history")]
)
def test_a_flipped_bit_is_a_fault(state, where, kind):
    flip_bit(state, "boids", "x", byte=9, bit=3, where=where)
    (fault,) = state.validate(repair=True).faults
    assert fault.kind == kind
    assert fault.mended
    assert state.validate(repair=True).faults == []


def test_a_world_has_a_state_to_damage():
    world = World.open("tutorial")
    name = next(iter(world.tables))
    flip_bit(world, name, "id", byte=0, bit=0, where="live")
    assert len(world.state.validate(repair=True).faults) == 1


def test_a_checkpoint_can_be_damaged(state):
    checkpoint = state.checkpoint()
    flip_bit(state, "boids", "x", byte=0, bit=3, where=checkpoint)
    (fault,) = state.validate().faults
    assert (fault.kind, fault.frame) == ("checkpoint", 1)
    with pytest.raises(CheckpointError):
        state.restore(checkpoint)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"table": "birds"}, "no table 'birds'"),
        ({"column": "y"}, "no column 'y'"),
        ({"byte": 20_000}, "byte 20,000 is not there: the committed bytes of boids.x are 20,000 bytes"),
        ({"byte": -1}, "byte -1 is not there"),
        ({"bit": 8}, "bit=8"),
        ({"where": "swap"}, "where='swap' is no memory"),
        ({"where": "history", "byte": 1 << 30}, "the history's records"),
    ],
)
def test_only_what_is_there_can_be_damaged(state, asked, says):
    with pytest.raises(InjectionError) as caught:
        flip_bit(state, **{"table": "boids", "column": "x", "byte": 0, "bit": 0, **asked})
    assert says in str(caught.value)
    assert state.validate(repair=True).faults == []


def test_a_checkpoint_has_only_its_own_columns(state):
    checkpoint = state.checkpoint()
    with pytest.raises(InjectionError, match=r"holds no column boids\.y"):
        flip_bit(state, "boids", "y", byte=0, bit=0, where=checkpoint)
    with pytest.raises(InjectionError, match="is not there"):
        flip_bit(state, "boids", "x", byte=1 << 30, bit=0, where=checkpoint)


@pytest.mark.parametrize("blank", [0, 512])
@pytest.mark.parametrize("at", [None, 0, 300, -1])
def test_a_torn_file_is_refused(state, tmp_path, at, blank):
    path = tmp_path / "world.instar"
    state.save(path)
    size = path.stat().st_size
    tear_file(path, size - 1 if at == -1 else at, blank=blank)
    assert (path.stat().st_size == size) == bool(blank)
    if blank and at == -1:
        return  # its last byte may have been zero
    with pytest.raises(CheckpointError):
        StateManager.load(path)


def test_a_file_tears_where_it_is(tmp_path):
    (tmp_path / "small").write_bytes(b"abc")
    with pytest.raises(InjectionError, match="byte 3 is not there"):
        tear_file(tmp_path / "small", 3)
    tear_file(tmp_path / "small", 1, blank=1)
    assert (tmp_path / "small").read_bytes() == b"a\0c"


def test_however_a_save_fails_the_file_is_as_it_was(state, tmp_path):
    path = tmp_path / "world.instar"
    state.save(path)
    before = path.read_bytes()
    state["boids"].x[:] = 0
    state.commit()
    for failures in range(100):
        with fail_after(failures) as operations:
            try:
                state.save(path)
            except CheckpointError as error:
                told = str(error)
            else:
                break
        assert "disk is full" in told
        assert len(operations.done) == failures
        assert path.read_bytes() == before
        assert [entry.name for entry in tmp_path.iterdir()] == ["world.instar"]
    assert operations.done[0] == "create"
    assert operations.done[-2:] == ["sync", "replace"]
    assert failures == len(operations.done)
    assert path.read_bytes() != before


def test_another_error_can_be_chosen(state, tmp_path):
    with fail_after(1, error=PermissionError(1, "no")), pytest.raises(CheckpointError, match="does not permit"):
        state.save(tmp_path / "world.instar")
    state.save(tmp_path / "world.instar")


def test_packed_records_are_out_of_reach():
    state = StateManager(history_bytes=1 << 20)
    boids = state.table("boids", {"x": f32})
    boids.spawn(20_000)
    for frame in range(400):
        boids.x[frame % 100 :: 50] = frame
        state.commit()
        state.maintain(0.01)
    assert sum(use["cold"] for use in state.memory().values()) > 0
    with pytest.raises(InjectionError, match="the history's records that are not packed"):
        flip_bit(state, "boids", "x", byte=state.history_bytes - 1, bit=0, where="history")
