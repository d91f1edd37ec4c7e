from __future__ import annotations

import copy
import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from instar import f32
from instar.hmr.state import Checkpoint, CheckpointError, PersistError, SchemaError, StateManager
from instar.hmr.state.persistence import saved_values
from instar.testing import flip_bit


def state_with(**values: Any) -> StateManager:
    state = StateManager()
    for key, value in values.items():
        state.persisted.begin(key, value)
    return state


def test_a_value_is_there_from_the_frame_it_began_in() -> None:
    state = StateManager()
    state.commit()
    score = state.persisted.begin("score", 3)
    assert score.value == state.persisted["score"] == 3
    assert state.uncommitted is None
    assert state.frame == 1
    state.rollback(1)
    assert score.value == 3
    state.rollback(0)
    assert "score" not in state.persisted
    with pytest.raises(PersistError, match="before it was persisted"):
        score.value += 1
    state.redo(1)
    assert score.value == 3


def test_what_began_waits_uncommitted_rows_of_tables() -> None:
    state = StateManager()
    boids = state.table("boids", {"x": f32})
    boids.spawn(3)
    state.persisted.begin("score", 1)
    assert state.uncommitted == "rows of boids were spawned or despawned"
    state.rollback(0)
    assert (len(boids), state.persisted["score"]) == (0, 1)


def test_a_value_begins_once() -> None:
    state = state_with(score=1)
    assert state.persisted.begin("score", 5).value == 1


def test_values_are_committed_rolled_back_and_redone() -> None:
    state = state_with(score=0, hall=[])
    hall, score = state.persisted.begin("hall", []), state.persisted.begin("score", 0)
    for number in range(1, 4):
        score.value += number
        hall.value.append(("me", number))
        state.commit()
    state.rollback(1)
    assert (score.value, hall.value) == (1, [("me", 1)])
    state.redo(3)
    assert (score.value, hall.value) == (6, [("me", 1), ("me", 2), ("me", 3)])
    score.value = 100
    state.rollback(3)
    assert score.value == 6


def test_after_a_rollback_what_can_change_is_another_object() -> None:
    state = state_with(bag={"deep": [1]}, pair=(1, "x"))
    state.commit()
    bag, deep = state.persisted["bag"], state.persisted["bag"]["deep"]
    deep.append(2)
    state.rollback(1)
    assert state.persisted["bag"] == {"deep": [1]}
    bag["other"] = deep.append(3)
    state.commit()
    assert state.persisted["bag"] == {"deep": [1]}


def test_boxes_of_one_key_see_one_value() -> None:
    state = StateManager()
    one, other = state.persisted.begin("score", 0), state.persisted.begin("score", 0)
    one.value = 7
    assert other.value == state.persisted["score"] == 7
    state.persisted["score"] = 8
    assert one.value == 8


def test_unchanged_values_cost_a_commit_nothing() -> None:
    state = state_with(score=0, bag={"a": [1, 2]}, pair=(1, (2,)), nan=float("nan"))
    state.commit()
    commit = state.commit()
    assert (commit.lines, commit.bytes) == (0, 0)
    state.persisted["bag"]["a"][0] = 1
    state.persisted["bag"] = copy.deepcopy(state.persisted["bag"])
    state.persisted["nan"] = float("nan")
    assert state.commit().lines == 0
    state.persisted["score"] = 1
    assert state.commit().lines == 1


@pytest.mark.parametrize(
    ("before", "after"), [(1, True), (0.0, -0.0), ([1], [1.0]), ([1], (1,)), ({"a": 1, "b": 2}, {"b": 2, "a": 1})]
)
def test_equal_values_of_other_types_or_order_are_changes(before: Any, after: Any) -> None:
    state = state_with(value=before)
    state.commit()
    state.persisted["value"] = after
    state.commit()
    state.rollback(1)
    assert repr(state.persisted["value"]) == repr(before)
    state.redo(2)
    assert repr(state.persisted["value"]) == repr(after)


def test_what_is_no_plain_data_is_refused_when_it_is_assigned() -> None:
    state = state_with(score=1)
    with pytest.raises(
        PersistError, match=r"^score\.value\['a'\]\[1\] is a set_iterator; .*The value before is kept"
    ) as refused:
        state.persisted["score"] = {"a": [1, iter(set())]}
    assert refused.value.key == "score"
    assert state.persisted["score"] == 1


def test_what_was_put_into_a_value_is_refused_at_the_commit_which_does_nothing() -> None:
    state = state_with(score=1, bag=[])
    boids = state.table("boids", {"x": f32})
    boids.spawn(1)
    state.persisted["score"] = 2
    state.persisted["bag"].append(np.zeros(3))
    assert state.uncommitted == "the persisted value score was changed"
    with pytest.raises(PersistError, match=r"bag\.value\[0\] is a ndarray"):
        state.commit()
    assert state.frame == 0
    state.rollback(0)
    assert dict(state.persisted) == {"score": 1, "bag": []}


def test_more_than_64_kb_are_refused() -> None:
    state = state_with(text="")
    with pytest.raises(PersistError, match="at most 65,536 can be persisted"):
        state.persisted["text"] = "a" * 70_000
    state.persisted["text"] = "a" * 65_000
    state.commit()
    state.rollback(0)
    state.redo(1)
    assert len(state.persisted["text"]) == 65_000


def test_values_that_grow_and_shrink_leave_the_others_alone() -> None:
    state = state_with(a=1, m="", z=[2])
    for size in (0, 30, 300, 30_000, 60_000, 10, 50_000, 0):
        state.persisted["m"] = "x" * size
        state.commit()
        assert len(state._catalog.all["__persisted__"]) <= 4 * (1 + -(-max(size, 1) * 2 // 256))
    for frame, size in enumerate((0, 30, 300, 30_000, 60_000, 10, 50_000, 0), 1):
        state.rollback(frame) if frame < state.frame else state.redo(frame)
        assert (state.persisted["a"], len(state.persisted["m"]), state.persisted["z"]) == (1, size, [2])
    assert not state.validate().faults


def test_an_unknown_value_is_named_with_those_there_are() -> None:
    state = state_with(score=1)
    with pytest.raises(PersistError, match=r"no persisted value 'scores'; did you mean score\? \(there are score\)"):
        state.persisted["scores"]
    with pytest.raises(KeyError):
        state.persisted["scores"] = 2
    with pytest.raises(PersistError, match="score stays"):
        del state.persisted["score"]
    for wrong in ("", "a" * 1025, 3):
        with pytest.raises(PersistError, match="cannot name a value"):
            state.persisted.begin(wrong, 0)  # type: ignore[arg-type]


def test_values_are_no_table() -> None:
    state = state_with(score=1)
    assert dict(state.tables) == {}
    assert len(state.diff(0, state.commit().frame)) == 0
    with pytest.raises(SchemaError, match="underscores"):
        state.table("__persisted__", {"x": f32})


def test_checkpoints_and_files_hold_values(tmp_path: Path) -> None:
    state = state_with(score=1, bag={"a": {1, 2}})
    state.persisted["score"] = 5
    with pytest.raises(CheckpointError, match=r"__persisted__.data was written"):
        state.checkpoint()
    state.commit()
    checkpoint = state.checkpoint()
    state.save(tmp_path / "world.instar")
    state.persisted["score"] = 6
    state.commit()
    crc = state.crc
    state.restore(checkpoint)
    assert dict(state.persisted) == {"score": 5, "bag": {"a": {1, 2}}}
    assert state.crc != crc
    loaded = StateManager.load(tmp_path / "world.instar")
    assert dict(loaded.persisted) == dict(state.persisted) == saved_values(Checkpoint.read(tmp_path / "world.instar"))
    assert loaded.crc == state.crc
    loaded.persisted["score"] = 9
    loaded.commit()
    loaded.rollback(1)
    assert loaded.persisted["score"] == 5


def test_a_checkpoint_from_before_any_value_has_none() -> None:
    state = StateManager()
    checkpoint = state.checkpoint()
    box = state.persisted.begin("score", 1)
    state.restore(checkpoint)
    assert dict(state.persisted) == {}
    state.persisted.begin("score", 2)
    assert box.value == 2
    state.commit()
    state.rollback(state.frame)
    assert box.value == 2


def test_a_frame_before_any_value_can_be_kept() -> None:
    state = StateManager()
    state.commit()
    state.persisted.begin("score", 1)
    state.rollback(0)
    checkpoint = state.checkpoint()
    state.redo(1)
    state.restore(checkpoint)
    assert not state.validate().faults
    assert dict(state.persisted) == {}


def test_a_file_whose_values_make_no_sense_changes_nothing(tmp_path: Path) -> None:
    state = state_with(score=1)
    state.commit()
    table = state._catalog.all["__persisted__"]
    table._columns.visible["data"].column.live[5] = 7
    table._views.mark(table._columns.visible["data"])
    state.commit()
    state.save(tmp_path / "world.instar")
    other = state_with(score=2)
    with pytest.raises(CheckpointError, match=r"world\.instar is damaged: its persisted values make no sense"):
        other.restore(Checkpoint.read(tmp_path / "world.instar"))
    assert other.persisted["score"] == 2


@pytest.mark.parametrize("where", ["live", "committed"])
def test_damage_is_found_and_mended(where: Any) -> None:
    state = state_with(score=1)
    state.commit()
    flip_bit_of_values(state, where)
    faults = state.validate(repair=True).faults
    assert [(fault.table, fault.column) for fault in faults] == [("__persisted__", "data")]
    assert state.persisted["score"] == 1
    assert not state.validate().faults


def flip_bit_of_values(state: StateManager, where: Any) -> None:
    shown = state.tables
    try:
        state.tables = state._catalog.all
        flip_bit(state, "__persisted__", "data", byte=12, bit=3, where=where)
    finally:
        state.tables = shown


def test_memory_that_is_limited_refuses_the_value_by_name() -> None:
    state = StateManager(memory_limit=10**6)
    state.persisted.begin("small", 1)
    state.commit()
    with pytest.raises(PersistError, match="no memory for the persisted values"):  # noqa: PT012
        for number in range(100):
            state.persisted.begin(f"large{number}", "a" * 60_000)
    state.rollback(state.frame)
    assert state.persisted["small"] == 1
    state.persisted["small"] = 2
    state.commit()
    state.rollback(1)
    assert state.persisted["small"] == 1


def test_a_state_that_is_let_go_of_is_gone_at_once() -> None:
    state = state_with(score=1)
    state.commit()
    gone = weakref.ref(state)
    gc.disable()
    try:
        del state
        assert gone() is None
    finally:
        gc.enable()


def test_a_new_value_makes_the_frame_in_hand_the_newest() -> None:
    state = state_with(score=1)
    for number in range(3):
        state.persisted["score"] = number
        state.commit()
    state.rollback(1)
    state.persisted.begin("other", 1)
    assert state.frames[-1] == 1
    state.commit()
    state.rollback(1)
    assert dict(state.persisted) == {"score": 0, "other": 1}
