"""Checkpoints bring worlds back, bit for bit, and hold what is committed only."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instar.hmr.state import (
    Checkpoint,
    CheckpointError,
    MigrationError,
    Schema,
    StateManager,
    f32,
    f64,
    i16,
    i64,
    u8,
    u64,
)
from instar.hmr.state.checkpoint.layout import lay_out
from instar.hmr.state.fields import make_field
from instar.hmr.state.references import Ref

TYPES = [f32, f64, u8, i16, i64, u64, f32[2], u8[3], f64[2, 2]]
NAMES = ["a", "b", "c", "d"]

fields = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(TYPES), min_size=1)
step = st.one_of(
    st.tuples(st.just("spawn"), st.integers(0, 60)),
    st.tuples(st.just("despawn"), st.integers(0, 2**32)),
    st.tuples(st.just("write"), st.integers(0, 2**32)),
    st.tuples(st.just("commit"), st.just(0)),
    st.tuples(st.just("edit"), fields),
)
steps = st.lists(step, max_size=12)


def do(state: StateManager, what: str, given_value: Any) -> None:
    table = state["hares"]
    if what == "spawn":
        table.spawn(given_value)
    elif what == "despawn":
        table.despawn(np.random.default_rng(given_value).random(len(table)) < 0.4)
        state.flush()
    elif what == "write":
        for name in table.schema.fields:
            view = getattr(table, name)
            noise = np.random.default_rng(given_value).bytes(view.nbytes)
            view[:] = np.frombuffer(noise, view.dtype).reshape(view.shape)
    elif what == "commit":
        state.commit()
    else:
        state.commit()
        edit(state, given_value)


def edit(state: StateManager, types: dict[str, Any]) -> None:
    """Take new fields; where values would be lost, keep the old ones."""
    with contextlib.suppress(MigrationError), np.errstate(over="ignore"):
        state.migrate(
            {"hares": Schema.build("hares", {name: make_field(name, kind) for name, kind in types.items()}, 5000)}
        )


@settings(max_examples=80, deadline=None)
@given(fields, steps, steps, steps)
def test_a_world_comes_back_bit_for_bit_and_goes_on_as_it_would_have(everything, types, before, between, after):
    state = StateManager(history_bytes=1 << 20)
    state.table("hares", types, capacity=5000)
    for one in before:
        do(state, *one)
    state.commit()
    checkpoint = state.checkpoint()
    fresh = StateManager(history_bytes=1 << 20)
    data = b"".join(lay_out(checkpoint._encoded, checkpoint._columns.result()))
    fresh.restore(Checkpoint.from_bytes(data, "test"))
    expected = everything(state) | {"frames": range(state.frame, state.frame + 1)}
    assert everything(fresh) == expected
    for one in between:
        do(state, *one)
    state.restore(checkpoint)
    assert everything(state) == expected
    for one in after:
        do(state, *one)
        do(fresh, *one)
    state.commit()
    fresh.commit()
    assert everything(state) == everything(fresh)


def test_views_and_tables_stay_the_same_objects(small):
    table = small["hares"]
    view, values, ids = table.x, table.x.copy(), table.id.copy()
    checkpoint = small.checkpoint()
    view[:] = 9
    table.spawn(5)
    small.commit()
    small.restore(checkpoint)
    assert small["hares"] is table
    assert view.tolist() == values.tolist() == table.x.tolist()
    assert np.shares_memory(view, table.x)
    assert table.id.tolist() == ids.tolist()
    view += 1
    assert small.commit().lines > 0


def test_the_history_begins_anew(small):
    checkpoint = small.checkpoint()
    for _ in range(3):
        small["hares"].x += 1
        small.commit()
    small.restore(checkpoint)
    assert small.frames == range(2, 3)
    small["hares"].x += 1
    small.commit()
    small.rollback(2)
    assert small["hares"].x.tolist() == [77.0, 2.5]


def test_tables_that_came_later_go(small):
    checkpoint = small.checkpoint()
    small.table("owls", {"x": f32}).spawn(3)
    small.commit()
    small.restore(checkpoint)
    assert list(small.tables) == ["hares"]
    assert len(small.table("owls", {"x": f32})) == 0


def test_parked_columns_and_tables_come_back_with_their_values(small_file, restored):
    state = restored(small_file)
    schema = state["hares"].schema
    old = make_field("old", f32[2])
    state.migrate({"hares": Schema.build("hares", {**schema.fields, "old": old}, 100)})
    assert state["hares"].old.tolist() == [[7, 7], [7, 7]]


def test_the_program_goes_on_while_a_worker_compresses(everything):
    state = StateManager()
    table = state.table("hares", {"x": f64, "y": f64}, capacity=300_000)
    table.spawn(200_000, x=np.random.default_rng(1).random(200_000))
    state.commit()
    expected = everything(state)["tables"]
    checkpoint = state.checkpoint()
    for _ in range(5):
        table.x += 1
        table.despawn(np.arange(0, len(table), 7))
        state.commit()
    state.restore(checkpoint)
    assert everything(state)["tables"] == expected


@pytest.mark.parametrize("back", [1, 2, 3])
def test_a_frame_that_was_rolled_back_to_is_kept_as_it_was(monkeypatch, everything, back):
    state = StateManager()
    table = state.table("hares", {"x": f64}, capacity=200_000)
    table.spawn(150_000)
    state.amend()  # The oldest frame has rows as well.
    for _ in range(3):
        table.x += 1
        state.commit()
    state.rollback(3 - back)
    expected = everything(state)["tables"]
    turn = threading.Event()
    with ThreadPoolExecutor(1) as worker:
        monkeypatch.setattr("instar.hmr.state.checkpoint.checkpoint._worker", worker)
        worker.submit(turn.wait)
        checkpoint = state.checkpoint()
        for _ in range(2):
            table.x[:100] -= 5
            state.commit()
        is_left_to_the_worker = state._history.snapshot_pending
        turn.set()
        checkpoint.wait()
    assert is_left_to_the_worker
    state.restore(checkpoint)
    assert everything(state)["tables"] == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.x.__setitem__(1, 3), r"checkpoint: hares\.x was written \(row 1 is the first"),
        (lambda table: table.spawn(1), "rows of hares were spawned or despawned"),
        (lambda table: table.despawn(0), "rows of hares wait to be despawned"),
        (
            lambda table: (table.despawn(0), table._flush(), table.spawn(1)),
            r"hares\.\w+ was written|spawned or despawned",
        ),
    ],
)
def test_what_is_not_committed_is_not_lost_silently(small, everything, change, message):
    change(small["hares"])
    before = everything(small)
    with pytest.raises(CheckpointError, match=message) as caught:
        small.checkpoint()
    assert "call commit() first" in str(caught.value)
    assert everything(small) == before
    small.commit()
    small.checkpoint()


def test_saving_says_the_same(small, tmp_path):
    small["hares"].x += 1
    with pytest.raises(CheckpointError, match=r"save: hares\.x was written"):
        small.save(tmp_path / "world.instar")
    assert list(tmp_path.iterdir()) == []


def test_a_file_brings_the_world_back(small, everything, tmp_path):
    small.save(tmp_path / "world.instar", {"note": 1})
    assert everything(StateManager.load(tmp_path / "world.instar")) == everything(small) | {"frames": range(2, 3)}
    read = Checkpoint.read(tmp_path / "world.instar")
    assert read.meta == {"note": 1}
    assert read.bytes == (tmp_path / "world.instar").stat().st_size


def test_a_migration_that_would_lose_values_changes_nothing(small, everything):
    checkpoint = small.checkpoint()
    small["hares"].x += 1
    small.commit()
    before = everything(small)
    narrower = Schema.build("hares", {"x": make_field("x", u8)}, 100)
    with pytest.raises(MigrationError, match="x: f32 → u8"):
        small.restore(checkpoint, {"hares": narrower})
    assert everything(small) == before


def test_restoring_migrates_to_the_schemas_asked_for(small):
    checkpoint = small.checkpoint()
    wider = Schema.build("hares", {"x": make_field("x", f64), "speed": make_field("speed", f32, 2)}, 100)
    steps = small.restore(checkpoint, {"hares": wider})
    assert "hares: x is now f64, was f32" in steps
    assert small["hares"].x.tolist() == [77.0, 2.5]
    assert small["hares"].speed.tolist() == [2, 2]
    assert small.frames == range(2, 3)


def test_references_stay_references():
    state = StateManager(history_bytes=1 << 20)
    hares, owls = state.table("hares", {"x": f32}), state.table("owls", {"prey": Ref["hares"], "both": Ref["hares"][2]})
    hares.spawn(3)
    owls.spawn(2, prey=hares.id[1:], both=hares.id[0])
    state.commit()
    fresh = StateManager(history_bytes=1 << 20)
    checkpoint = state.checkpoint()
    data = b"".join(lay_out(checkpoint._encoded, checkpoint._columns.result()))
    fresh.restore(Checkpoint.from_bytes(data, "test"))
    assert fresh["owls"].schema == owls.schema
    assert fresh["owls"].schema.fields["prey"].target == "hares"
    fresh["hares"].despawn(1)
    fresh.commit()
    assert fresh["owls"].prey.tolist() == [0, hares.id[2]]


def test_values_are_rounded_to_the_step_and_no_further(rng):
    state = StateManager()
    exact = rng.uniform(-500, 500, 100_000).astype(np.float32)
    table = state.table("hares", {"x": make_field("x", f32, step=1 / 64), "y": f32})
    table.spawn(len(exact), x=exact, y=exact)
    state.commit()
    checkpoint = state.checkpoint()
    assert table.x.tolist() == exact.tolist()
    state.restore(checkpoint)
    assert table.y.tolist() == exact.tolist()
    assert table.x.tolist() == (np.rint(exact * 64) / 64).astype(np.float32).tolist()
    stored = {
        c.name: p.stored_bytes
        for c, p in zip(checkpoint.tables["hares"].columns, checkpoint.columns["hares"], strict=True)
    }
    assert stored["x"] < 0.52 * exact.nbytes < stored["y"]
    again = state.checkpoint()
    state.restore(again)
    assert table.x.tolist() == (np.rint(exact * 64) / 64).astype(np.float32).tolist()


@pytest.mark.parametrize("meta", [{"x": object()}, {"x": float("nan")}, {"x": {1, 2}}, {"x": b"bytes"}])
def test_metadata_is_plain_json(small, meta):
    with pytest.raises(CheckpointError, match="metadata must be plain JSON"):
        small.checkpoint(meta)


def test_damaged_memory_makes_no_checkpoint(small):
    column = small["hares"]._columns.column(small["hares"].schema.fields["x"])
    address = np.frombuffer(column.committed, np.uint8).__array_interface__["data"][0]
    np.ctypeslib.as_array((__import__("ctypes").c_uint8 * 1).from_address(address))[0] ^= 4
    small["hares"].x[:] = np.frombuffer(column.committed, np.float32, 2)
    with pytest.raises(CheckpointError, match=r"committed bytes of hares\.x are damaged in chunk 0"):
        small.checkpoint().verify()


def test_single_columns_and_chunks_can_be_asked_for(small):
    checkpoint = small.checkpoint()
    assert checkpoint.column("hares", "x").view(np.float32).tolist() == [77.0, 2.5]
    chunk = checkpoint.chunk("hares", "kind", 0)
    assert chunk[:2].tolist() == [3, 2]
    assert len(chunk) == 16384
    assert not chunk[2:].any()
    with pytest.raises(KeyError):
        checkpoint.column("hares", "old")
    with pytest.raises(KeyError):
        checkpoint.chunk("hares", "kind", 16)


def test_a_checkpoint_shows_itself(small):
    assert repr(small.checkpoint()) == "<checkpoint of frame 2: hares: 2 rows>"


def test_what_came_after_the_frame_is_no_part_of_it(tmp_path):
    """A rollback keeps later tables and columns for a redo; a save of the earlier frame must do without them."""
    state = StateManager(history_bytes=1 << 20)
    hares = state.table("hares", {"a": f32})
    hares.spawn(3, a=[1, 2, 3])
    state.commit()
    state.commit()
    later = {"hares": {"a": make_field("a", f32), "b": make_field("b", f64)}, "owls": {"a": make_field("a", u8)}}
    state.migrate({name: Schema.build(name, own, 1000) for name, own in later.items()})
    state["owls"].spawn(5)
    state.commit()
    state.rollback(1)
    checkpoint = state.save(tmp_path / "world")
    assert StateManager.load(tmp_path / "world").crc == state.crc
    state.redo(3)
    assert len(state["owls"]) == 5
    state.restore(checkpoint)
    assert (state.frame, list(state.tables), hares.a.tolist()) == (1, ["hares"], [1, 2, 3])


def test_tables_are_saved_before_their_first_commit(tmp_path):
    state = StateManager(history_bytes=1 << 20)
    state.table("hares", {"a": f32}).spawn(2)
    state.commit()
    state.table("owls", {"a": f32})
    state.save(tmp_path / "world")
    assert list(StateManager.load(tmp_path / "world").tables) == ["hares", "owls"]
    state.rollback(0)
    state.restore(state.checkpoint())
    assert len(state["hares"]) == 0


def test_making_a_table_commits_nothing_of_another():
    state = StateManager(history_bytes=1 << 20)
    hares = state.table("hares", {"a": f32})
    hares.spawn(2)
    state.commit()
    hares.a[0] = 7
    state.table("owls", {"a": f32})
    state.rollback(1)
    assert hares.a[0] == 0
