from __future__ import annotations

import numpy as np
import pytest

from instar.hmr.state import CapacityError, FieldError, StateManager, TableError, f32, f64, i32


@pytest.fixture
def boids():
    return StateManager(history_bytes=1 << 20).table(
        "boids", {"x": f32, "y": f64, "kind": i32, "vel": f32[2]}, capacity=100
    )


def test_spawn_appends_and_returns_the_new_rows(boids):
    assert boids.spawn(3, x=[1, 2, 3], kind=7) == slice(0, 3)
    new = boids.spawn(2, x=9.5, vel=[[1, 2], [3, 4]])
    assert new == slice(3, 5)
    assert len(boids) == 5
    assert boids.x.tolist() == [1, 2, 3, 9.5, 9.5]
    assert boids.kind.tolist() == [7, 7, 7, 0, 0]
    assert boids.vel[new].tolist() == [[1, 2], [3, 4]]


def test_columns_are_plain_views_of_the_same_memory(boids):
    boids.spawn(4)
    view = boids.x
    assert type(view) is np.ndarray
    assert view.ctypes.data % 64 == 0
    boids.x += 1
    assert view.tolist() == [1, 1, 1, 1]
    boids.x = [4, 3, 2, 1]
    assert view.tolist() == [4, 3, 2, 1]
    boids.spawn(1)
    assert boids.x.ctypes.data == view.ctypes.data


@pytest.mark.parametrize(
    ("columns", "error"),
    [
        ({"x": [1, 2]}, TableError),
        ({"x": "high"}, TableError),
        ({"kind": 1.5}, TableError),
        ({"kind": [1.5, 1, 1]}, TableError),
        ({"speed": 1}, FieldError),
        ({"vel": [1, 2, 3]}, TableError),
    ],
)
def test_a_spawn_that_does_not_fit_changes_nothing(boids, columns, error):
    boids.spawn(1, x=5)
    with pytest.raises(error):
        boids.spawn(3, y=1, **columns)
    assert len(boids) == 1
    boids.spawn(1)
    assert boids.y.tolist() == [0, 0]


def test_a_full_table_says_how_full_it_is(boids):
    boids.spawn(90)
    with pytest.raises(
        CapacityError, match=r"boids cannot spawn 11 rows: it holds 90 of 100; nothing was spawned.*capacity=200"
    ):
        boids.spawn(11)
    assert len(boids) == 90
    boids.spawn(10)


@pytest.mark.parametrize("count", [-1, 1.5, "three", None])
def test_counts_are_whole_numbers(boids, count):
    with pytest.raises(TableError, match="number of rows"):
        boids.spawn(count)


def test_a_wrong_name_is_told_with_the_nearest(boids):
    with pytest.raises(FieldError, match=r"no field 'velo'; did you mean vel\?"):
        boids.velo  # noqa: B018
    with pytest.raises(FieldError, match="no field 'z'"):
        boids.z = 3
    with pytest.raises(FieldError, match="ids are given by spawn"):
        boids.id = 3
    assert not hasattr(boids, "z")


def test_assigning_what_does_not_fit_changes_nothing(boids):
    boids.spawn(2, kind=1)
    with pytest.raises(TableError, match=r"boids.kind is int32 with shape \(2,\)"):
        boids.kind = [0.5, 0.5]
    with pytest.raises(TableError, match="does not fit"):
        boids.kind = [1, 2, 3]
    assert boids.kind.tolist() == [1, 1]


def test_despawn_takes_effect_at_the_flush_and_moves_the_last_rows_into_the_holes(boids):
    boids.spawn(6, x=range(6))
    boids.despawn([1, 1, 3])
    assert len(boids) == 6
    boids._flush()
    assert boids.x.tolist() == [0, 4, 2, 5]
    assert not any(bytes(boids._columns.visible["x"].column.live[4 * 4 :]))


@pytest.mark.parametrize(
    "rows", [[1, 3], np.array([1, 3], np.uint8), slice(1, 4, 2), [-3, -1], [False, True, False, True]]
)
def test_rows_can_be_named_in_many_ways(boids, rows):
    boids.spawn(4, x=range(4))
    boids.despawn(rows)
    boids._flush()
    assert boids.x.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("rows", "says"), [([4], "row 4"), ([-5], "row -5"), ([True], "mask"), ([0.5], "float64"), (9, "row 9")]
)
def test_rows_that_are_not_there(boids, rows, says):
    boids.spawn(4)
    with pytest.raises(TableError, match=says):
        boids.despawn(rows)
    boids._flush()
    assert len(boids) == 4


def test_ids_follow_their_agents_and_are_never_used_twice(boids):
    boids.spawn(4, x=range(4))
    first = boids.id.copy()
    assert first.tolist() == [1, 2, 3, 4]
    boids.despawn(0)
    boids._flush()
    assert boids.rows_of(first).tolist() == [-1, 1, 2, 0]
    boids.spawn(2)
    assert len(set(boids.id.tolist()) | set(first.tolist())) == 6
    assert boids.rows_of(first[0]) == -1
    assert boids.rows_of([0, 2**64 - 1, 77]).tolist() == [-1, -1, -1]
    assert boids.rows_of(boids.id).tolist() == list(range(5))
    with pytest.raises(ValueError, match="read-only"):
        boids.id[0] = 1


def test_new_rows_do_not_see_what_was_written_through_an_old_view(boids):
    boids.spawn(10, x=1)
    view = boids.x
    boids.despawn(slice(5, 10))
    boids._flush()
    view[:] = 7
    boids.spawn(5)
    assert boids.x.tolist() == [7] * 5 + [0] * 5


@pytest.mark.parametrize("ids", [3.5, [1.0], ["a"], [None]])
def test_ids_are_whole_numbers(boids, ids):
    with pytest.raises(TableError, match="whole numbers"):
        boids.rows_of(ids)
    assert boids.rows_of([-1]).tolist() == [-1]
    assert boids.rows_of(np.array([-1])).tolist() == [-1]


def test_a_table_is_not_a_sequence_of_rows(boids):
    with pytest.raises(TypeError, match="columns, not rows"):
        iter(boids)
    assert "boids: 0 of 100 rows" in repr(boids)
