from __future__ import annotations

import numpy as np
import pytest

from instar.hmr.state import FieldError, FrameError, Schema, StateManager, UnknownTableError, f32, f64, i16, u8
from instar.hmr.state.fields import make_field
from instar.native import CHUNK_BYTES


def schema(**fields) -> Schema:
    return Schema.build("boids", {name: make_field(name, kind) for name, kind in fields.items()}, 200_000)


@pytest.fixture
def state():
    return StateManager(history_bytes=1 << 22)


@pytest.fixture
def boids(state):
    boids = state.table("boids", {"x": f32, "vel": f32[3], "kind": u8}, capacity=200_000)
    boids.spawn(20_000, x=np.arange(20_000), vel=np.arange(60_000).reshape(-1, 3))
    state.commit()
    return boids


def test_values_that_changed_have_ids_old_and_new(state, boids):
    boids.x[[5, 17_000]] = [50, 70]
    boids.vel[9, 1] = -1
    state.commit()
    found = state.diff(1, 2)["boids"]
    assert found
    assert not len(found.added)
    assert not len(found.removed)
    assert set(found.changed) == {"x", "vel"}
    x, vel = found.changed["x"], found.changed["vel"]
    assert x.ids.tolist() == boids.id[[5, 17_000]].tolist()
    assert x.old.tolist() == [5, 17_000]
    assert x.new.tolist() == [50, 70]
    assert x.old.dtype == np.float32
    assert vel.ids.tolist() == [boids.id[9]]
    assert (vel.old.tolist(), vel.new.tolist()) == ([[27, 28, 29]], [[27, -1, 29]])
    assert found.changed_ids.tolist() == boids.id[[5, 9, 17_000]].tolist()


@pytest.mark.parametrize("element", [0, 1, 2])
def test_a_cell_that_lies_in_two_chunks_is_found_by_either_part(state, boids, element):
    row = CHUNK_BYTES // 12
    boids.vel[row, element] = -1
    state.commit()
    boids.vel[5_000:5_010] = 7
    state.commit()
    for frames, sign in (((1, 2), "new"), ((2, 1), "old")):
        vel = state.diff(*frames)["boids"].changed["vel"]
        assert vel.ids.tolist() == [boids.id[row]]
        assert getattr(vel, sign)[0, element] == -1


def test_backwards_it_is_the_opposite(state, boids):
    boids.x[5] = 50
    boids.spawn(2, x=[7, 8])
    boids.despawn([3])
    state.commit()
    ahead, back = state.diff(1, 2)["boids"], state.diff(2, 1)["boids"]
    assert ahead.changed["x"].old.tolist() == back.changed["x"].new.tolist() == [5]
    assert ahead.changed["x"].new.tolist() == back.changed["x"].old.tolist() == [50]
    assert ahead.added["x"].tolist() == back.removed["x"].tolist() == [8, 7]
    assert ahead.removed.ids.tolist() == back.added.ids.tolist()
    assert ahead.removed["x"].tolist() == back.added["x"].tolist() == [3]


def test_rows_that_move_are_no_change(state, boids):
    gone = boids.id[:100].copy()
    boids.despawn(slice(0, 100))
    state.commit()
    found = state.diff(1, 2)["boids"]
    assert not found.changed
    assert found.removed.ids.tolist() == gone.tolist()
    assert found.removed["vel"].tolist() == np.arange(300).reshape(-1, 3).tolist()


def test_an_agent_that_moves_and_changes_is_found(state, boids):
    last = boids.id[-1]
    boids.x[-1] = -5
    boids.despawn([0])
    state.commit()
    changes = state.diff(1, 2)["boids"].changed["x"]
    assert changes.ids.tolist() == [last]
    assert (changes.old.tolist(), changes.new.tolist()) == ([19_999], [-5])


def test_between_past_and_undone_frames_and_the_world_stays(state, boids):
    for frame in range(2, 6):
        boids.x[frame] = 100 * frame
        state.commit()
    state.rollback(3)
    boids.x[7] = 1234
    crc = state.crc
    assert state.diff(1, 5)["boids"].changed["x"].new.tolist() == [200, 300, 400, 500]
    assert state.diff(5, 2)["boids"].changed["x"].old.tolist() == [300, 400, 500]
    assert state.diff(4, 5)["boids"].changed["x"].new.tolist() == [500]
    assert not state.diff(2, 2)
    assert (state.frame, state.crc, boids.x[7]) == (3, crc, 1234)
    state.redo(5)
    assert state.diff(3, 5)["boids"].changed["x"].new.tolist() == [400, 500]


def test_between_frames_that_are_packed(state, boids):
    for frame in range(2, 400):
        boids.x[::40] = frame
        boids.spawn(frame % 3)
        if frame % 5 == 0:
            boids.despawn([frame])
        state.commit()
    wanted = [{name: _plain(state.diff(*pair)["boids"]) for name, pair in _PAIRS.items()}]
    while state._history.pack(1.0):
        pass
    assert state._history.packed_bytes
    wanted.append({name: _plain(state.diff(*pair)["boids"]) for name, pair in _PAIRS.items()})
    assert wanted[0] == wanted[1]
    assert wanted[0]["ahead"]["added"]


_PAIRS = {"ahead": (3, 20), "back": (20, 3), "across": (10, 399), "recent": (398, 399)}


def _plain(found):
    return {
        "added": found.added.ids.tolist(),
        "removed": found.removed["x"].tolist(),
        "changed": {name: (c.ids.tolist(), c.old.tolist(), c.new.tolist()) for name, c in found.changed.items()},
    }


def test_what_it_gives_is_its_own(state, boids):
    boids.spawn(1, x=9)
    boids.x[5] = 50
    state.commit()
    found = state.diff(1, 2)["boids"]
    boids.x = 0
    boids.despawn(slice(0, 1000))
    state.commit()
    assert found.changed["x"].new.tolist() == [50]
    assert found.added["x"].tolist() == [9]


def test_frames_that_are_not_held_are_refused(state, boids):
    for frames in ((1, 2), (-1, 1)):
        with pytest.raises(FrameError, match=r"is not held; the history holds 0 to 1\. Nothing has changed"):
            state.diff(*frames)


def test_nan_of_the_same_bytes_is_no_change_and_minus_zero_is_one(state, boids):
    boids.x[:2] = [np.nan, 0.0]
    state.commit()
    boids.x[:3] = [np.nan, -0.0, 5]
    state.commit()
    assert state.diff(2, 3)["boids"].changed["x"].ids.tolist() == boids.id[1:3].tolist()


def test_columns_that_an_edit_added_or_removed(state):
    state.migrate({"boids": schema(x=f32, y=f32)})
    state["boids"].spawn(3, x=[1, 2, 3])
    state.commit()
    state.migrate({"boids": schema(x=f32, age=i16)})
    state["boids"].x[1] = 7
    state.commit()
    found = state.diff(0, 2)["boids"]
    assert (found.added_columns, found.removed_columns) == ({"age": i16}, {"y": f32})
    assert set(found.added.columns) == {"x", "age"}
    assert state.diff(2, 0)["boids"].added_columns == {"y": f32}
    found = state.diff(1, 2)["boids"]
    assert not found.added_columns
    assert found.changed["x"].new.tolist() == [7]


def test_a_column_of_another_dtype_is_compared_by_value(state):
    state.migrate({"boids": schema(x=f32)})
    state["boids"].spawn(5, x=[1, 2, np.nan, 4, 5])
    state.commit()
    state.commit()
    state.migrate({"boids": schema(x=f64)})
    state["boids"].x[3] = 0.5
    state["boids"].despawn([0])
    state.commit()
    changes = state.diff(1, 3)["boids"].changed["x"]
    assert (changes.old.dtype, changes.new.dtype) == (np.float32, np.float64)
    assert (changes.old.tolist(), changes.new.tolist()) == ([4], [0.5])


def test_tables_that_only_one_frame_has(state, boids):
    hawks = state.table("hawks", {"x": f32})
    hawks.spawn(2, x=[1, 2])
    state.commit()
    found = state.diff(0, 2)["hawks"]
    assert (found.only_in, found.added["x"].tolist()) == (2, [1, 2])
    state.commit()
    state.migrate({"boids": boids.schema})
    hawks = state.diff(2, 3)["hawks"]
    assert (hawks.only_in, hawks.removed["x"].tolist()) == (2, [1, 2])
    assert "only in frame 2, with 2 rows" in str(hawks)
    state.rollback(1)
    assert state.diff(3, 2)["hawks"].added["x"].tolist() == [1, 2]


def test_it_is_filtered_by_table_and_column(state, boids):
    state.table("hawks", {"x": f32}).spawn(1)
    state.commit()
    boids.x[3] = 0
    boids.kind[4] = 1
    boids.spawn(1)
    state["hawks"].x = 3
    state.commit()
    found = state.diff(2, 3)
    only = found.only("boids.x", "boids.vel", "hawks")
    assert list(only) == ["boids", "hawks"]
    assert set(only["boids"].changed) == {"x"}
    assert set(only["boids"].added.columns) == {"x", "vel"}
    assert set(only["hawks"].changed) == {"x"}
    assert not set(found["boids"].only("vel").changed)
    with pytest.raises(FieldError, match=r"boids has no field 'velo' in either frame; did you mean vel\?"):
        found.only("boids.velo")
    with pytest.raises(UnknownTableError, match=r"has a table 'hawk'; did you mean hawks\?"):
        found["hawk"]


def test_people_can_read_it(state, boids):
    boids.x[3:8] = -0.5
    boids.vel[4] = 1
    boids.spawn(5, x=2)
    boids.despawn([0])
    state.commit()
    assert str(state.diff(1, 2)).split("\n") == [
        "frame 1 → 2",
        "boids: +5 −1 rows, 5 changed",
        "  x    5 changed: id 4 3 → -0.5, id 5 4 → -0.5, id 6 5 → -0.5, … 2 more",
        "  vel  1 changed: id 5 (12, 13, 14) → (1, 1, 1)",
        "  + id 20005  x=2, vel=(0, 0, 0), kind=0",
        "  + id 20001  x=2, vel=(0, 0, 0), kind=0",
        "  + id 20002  x=2, vel=(0, 0, 0), kind=0",
        "  + … 2 more",
        "  − id 1  x=0, vel=(0, 1, 2), kind=0",
    ]
    assert str(state.diff(2, 2)) == "frame 2 → 2: nothing differs"
