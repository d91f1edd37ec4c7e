"""Each kind of schema edit: what becomes of values, what is said, and what a rollback and a redo make of it."""

from __future__ import annotations

import numpy as np
import pytest
from edits import asking, everything, is_settled, layout, schema

from instar.hmr.state import MigrationError, Ref, SchemaError, StateManager, f32, f64, i16, i32, u8


def begin(state, **fields):
    state.migrate(layout(schema(**fields)))
    boids = state["boids"]
    boids.spawn(5)
    for number, name in enumerate(fields, 1):
        cells = getattr(boids, name)
        cells[:] = (np.arange(cells.size).reshape(cells.shape) + 1) * number
    boids.despawn(1)
    state.commit()
    state.commit()
    return boids


def there_and_back(state, wanted, migrations=()):
    """Migrate, and see that a rollback leads before it, and a redo after it."""
    state.commit()
    before, first = everything(state), state.frame
    steps = state.migrate(wanted, migrations)
    assert is_settled(state)
    after = everything(state)
    state.commit()
    state.rollback(first - 1)
    if before["frames"].start < first:
        assert {name: list(table.schema.fields) for name, table in state.tables.items()} == {
            name: fields for name, (_, fields) in before["layout"].items()
        }
    state.redo(first)
    assert everything(state) == after | {"frames": state.frames}
    state.redo(first + 1)
    assert is_settled(state)
    return steps


def test_a_field_is_added(state):
    boids = begin(state, x=f32)
    kept, view = boids._columns.visible["x"].column, boids.x
    steps = there_and_back(state, layout(schema(x=f32, age=(i16, {"default": 7}), v=(f32[2], {"default": (1, 2)}))))
    assert steps == ["boids: added age (i16, default 7)", "boids: added v (f32[2], default (1.0, 2.0))"]
    assert [(step.table, step.column, step.rows) for step in steps] == [("boids", "age", 4), ("boids", "v", 4)]
    assert boids.age.tolist() == [7] * 4
    assert boids.v.tolist() == [[1, 2]] * 4
    assert boids._columns.visible["x"].column is kept
    view[0] = 99
    assert boids.x[0] == 99


def test_what_was_made_ready_before_is_used_if_it_fits(state):
    boids = begin(state, x=f32)
    wanted = layout(schema(x=f64, age=(i16, {"default": 7})))
    state.check(wanted)
    boids.spawn(3)
    boids.despawn([0, 1, 2, 3])
    state.commit()
    state.migrate(wanted)
    assert boids.age.tolist() == [7] * 3
    assert boids.x.tolist() == [0] * 3
    assert is_settled(state)


def test_a_field_is_removed_and_comes_back_as_it_was(state):
    boids = begin(state, x=f32, e=f64)
    before = boids.e.tolist()
    assert there_and_back(state, layout(schema(x=f32))) == ["boids: parked e"]
    boids.despawn(0)
    boids.spawn(1)
    state.commit()
    assert there_and_back(state, layout(schema(x=f32, e=f64))) == ["boids: brought back e"]
    assert boids.e.tolist() == [0, *before[1:]]


def test_a_field_that_comes_back_wider_has_its_values(state):
    boids = begin(state, x=f32, e=f32)
    before = boids.e.tolist()
    state.migrate(layout(schema(x=f32)))
    assert there_and_back(state, layout(schema(x=f32, e=f64))) == ["boids: brought back e as f64, was f32"]
    assert boids.e.tolist() == before


def test_a_field_that_comes_back_as_something_else_begins_anew_and_the_old_one_stays_parked(state):
    boids = begin(state, x=f32, e=f32)
    before = boids.e.tolist()
    state.migrate(layout(schema(x=f32)))
    assert there_and_back(state, layout(schema(x=f32, e=u8))) == ["boids: added e (u8, default 0)"]
    assert boids.e.tolist() == [0] * 4
    state.migrate(layout(schema(x=f32)))
    assert state.migrate(layout(schema(x=f32, e=f32))) == ["boids: brought back e"]
    assert boids.e.tolist() == before


def test_fields_are_reordered(state):
    boids = begin(state, x=f32, y=f32)
    before = boids.x.tolist(), boids.y.tolist()
    assert there_and_back(state, layout(schema(y=f32, x=f32))) == ["boids: fields in another order: y, x"]
    assert list(boids.schema.fields) == ["y", "x"]
    assert (boids.x.tolist(), boids.y.tolist()) == before


def test_a_field_is_widened_and_old_views_keep_the_old_values(state):
    boids = begin(state, x=f32)
    view = boids.x
    before = view.tolist()
    assert there_and_back(state, layout(schema(x=f64))) == ["boids: x is now f64, was f32"]
    assert boids.x.tolist() == before
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    boids.x += 1
    assert view.tolist() == before


@pytest.mark.parametrize(("old", "new"), [(i32, f32), (f64, f32), (f32, i16), (i16, u8), (f32, f32[2]), (f32[2], f32)])
def test_what_cannot_hold_all_values_is_asked_for(state, old, new):
    begin(state, x=old)
    before = everything(state)
    with pytest.raises(MigrationError, match="the edit would lose something"):
        state.check(layout(schema(x=new)))
    with pytest.raises(MigrationError, match="the edit would lose something"):
        state.migrate(layout(schema(x=new)))
    assert everything(state) == before


def test_what_was_changed_while_wide_counts_and_what_was_not_is_as_before(state):
    boids = begin(state, x=f32)
    boids.x[:] = [0.1, 0.2, np.nan, 0.4]
    state.commit()
    before = boids.x.copy()
    state.migrate(layout(schema(x=f64)))
    state.commit()
    boids.x[1] = 1 / 3
    boids.spawn(1, x=7)
    state.commit()
    steps = there_and_back(state, layout(schema(x=f32)))
    assert steps == [
        (
            "boids: x is f32 again, was f64; 2 rows changed since, and the newest values count, of which 1 row rounded "
            "(the f64 values are parked)"
        )
    ]
    assert boids.x[[0, 2, 3]].tobytes() == before[[0, 2, 3]].tobytes()
    assert boids.x[[1, 4]].tolist() == [np.float32(1 / 3), 7]
    steps = state.migrate(layout(schema(x=f64)))
    assert steps == ["boids: x is f64 again, was f32"]
    assert boids.x[1] == 1 / 3


def test_an_undone_widening_whose_values_do_not_fit_is_asked_for(state):
    boids = begin(state, x=i16)
    state.migrate(layout(schema(x=i32)))
    boids.x[2] = 1 << 20
    state.commit()
    before = everything(state)
    state.check(layout(schema(x=i16)))
    with pytest.raises(MigrationError, match="1 of 4 rows hold values it cannot hold"):
        state.migrate(layout(schema(x=i16)))
    assert everything(state) == before

    def migrate(old, new):
        assert new.x.tolist() == [1, 5, 0, 4]
        new.x[2] = -1

    assert there_and_back(state, layout(schema(x=i16)), asking(migrate)) == ["boids: x is now i16, was i32, by migrate"]
    assert boids.x.tolist() == [1, 5, -1, 4]


def test_a_reshaped_field_comes_back_with_the_values_of_then(state):
    boids = begin(state, v=f32[2])
    before = boids.v.tolist()

    def migrate(old, new):
        assert not old.v.flags.writeable
        with pytest.raises(ValueError, match="WRITEABLE"):
            old.v.flags.writeable = True
        new.v[:, :2] = old.v
        new.v[:, 2] = 9

    steps = there_and_back(state, layout(schema(v=f32[3])), asking(migrate))
    assert steps == ["boids: v is now f32[3], was f32[2], by migrate"]
    assert boids.v.tolist() == [[*cell, 9] for cell in before]
    boids.v[0] = 5
    state.commit()
    steps = there_and_back(state, layout(schema(v=f32[2])))
    assert steps == ["boids: v is f32[2] again, with its values of then; those of f32[3] are parked"]
    assert boids.v.tolist() == before
    assert state.migrate(layout(schema(v=f32[3])))[0].startswith("boids: v is f32[3] again")
    assert boids.v[0].tolist() == [5, 5, 5]


def test_a_field_is_renamed_once(state):
    boids = begin(state, angle=f32, x=f32)
    column, view, before = boids._columns.visible["angle"].column, boids.angle, boids.angle.tolist()
    renamed = schema(heading=(f32, {"was": "angle"}), x=f32)
    assert there_and_back(state, layout(renamed)) == ["boids: angle is now heading"]
    assert boids._columns.visible["heading"].column is column
    assert boids.heading.tolist() == before
    assert not hasattr(boids, "angle")
    view[0] = 50
    assert boids.heading[0] == 50
    state.commit()
    beside = schema(heading=(f32, {"was": "angle"}), x=f32, angle=(f32, {"default": 3}))
    assert there_and_back(state, layout(beside)) == ["boids: added angle (f32, default 3.0)"]
    assert boids.angle.tolist() == [3] * 4
    assert boids.heading[0] == 50
    assert state.migrate(layout(schema(heading=f32, x=f32, angle=(f32, {"default": 3})))) == []


def test_a_rename_that_is_taken_back_gives_the_old_name(state):
    boids = begin(state, angle=f32)
    before = boids.angle.tolist()
    state.migrate(layout(schema(heading=(f32, {"was": "angle"}))))
    assert there_and_back(state, layout(schema(angle=f32))) == ["boids: heading is now angle"]
    assert boids.angle.tolist() == before
    state.migrate(layout(schema(heading=(f32, {"was": "angle"}))))
    state.migrate(layout(schema(x=f32)))
    assert there_and_back(state, layout(schema(x=f32, angle=f32))) == ["boids: brought back heading as angle"]
    assert boids.angle.tolist() == before


def test_a_rename_and_a_wider_type_at_once(state):
    boids = begin(state, angle=f32)
    before = boids.angle.tolist()
    steps = there_and_back(state, layout(schema(heading=(f64, {"was": "angle"}))))
    assert steps == ["boids: angle is now heading", "boids: heading is now f64, was f32"]
    steps = there_and_back(state, layout(schema(heading=f64, angle=f32)))
    assert steps == ["boids: added angle (f32, default 0.0)"]
    assert boids.heading.tolist() == before


def test_names_move_up_in_a_chain_and_a_name_set_free_begins_anew(state):
    boids = begin(state, a=f32, b=f32)
    a, b = boids.a.tolist(), boids.b.tolist()
    steps = there_and_back(state, layout(schema(b=(f32, {"was": "a"}), c=(f32, {"was": "b"}), a=f32)))
    assert steps == ["boids: a is now b", "boids: b is now c", "boids: added a (f32, default 0.0)"]
    assert (boids.b.tolist(), boids.c.tolist(), boids.a.tolist()) == (a, b, [0] * 4)


def test_a_parked_field_gives_way_to_one_that_takes_its_name(state):
    boids = begin(state, angle=f32, heading=f32)
    angle, heading = boids.angle.tolist(), boids.heading.tolist()
    state.migrate(layout(schema(angle=f32)))
    steps = there_and_back(state, layout(schema(heading=(f32, {"was": "angle"}))))
    assert steps == [
        "boids: angle is now heading",
        "boids: let go of heading (f32), which was parked: its name is taken",
    ]
    assert boids.heading.tolist() == angle
    state.rollback(1)
    assert (boids.angle.tolist(), boids.heading.tolist()) == (angle, heading)


def test_a_former_name_that_there_is_not_is_told(state):
    begin(state, x=f32)
    steps = state.migrate(layout(schema(x=f32, heading=(f32, {"was": "angel"}))))
    assert steps == ["boids: added heading (f32, default 0.0); there is no angel whose values it could take"]


@pytest.mark.parametrize(
    "fields",
    [
        {"a": (f32, {"was": "a"})},
        {"a": (f32, {"was": 3})},
        {"a": (f32, {"was": "a b"})},
        {"a": (f32, {"was": "x"}), "b": (f32, {"was": "x"})},
    ],
)
def test_impossible_former_names_are_refused(fields):
    with pytest.raises(SchemaError, match="was="):
        schema(**fields)


def test_defaults_and_bounds_are_told_and_values_stay(state):
    boids = begin(state, x=f32)
    before = boids.x.tolist()
    steps = there_and_back(state, layout(schema(x=(f32, {"default": 2, "min": 2, "max": 4, "finite": True}))))
    assert steps == [
        "boids: x has default 2.0, had 0.0",
        "boids: x is now min 2, max 4, finite, was without",
        "boids: 2 rows of x are not min 2, max 4, finite (row 0: 1.0); they are kept, and validation tells of them",
    ]
    assert boids.x.tolist() == before
    boids.spawn(1)
    assert boids.x[-1] == 2
    assert {fault.kind for fault in state.validate().faults} == {"bounds"}
    steps = state.migrate(layout(schema(x=f32)))
    assert steps == [
        "boids: x has default 0.0, had 2.0",
        "boids: x is now without bounds, was min 2, max 4, finite",
    ]


def test_a_table_is_renamed_with_its_rows_ids_and_the_references_to_it(state):
    state.migrate(layout(schema(x=f32), schema("hawks", prey=Ref["boids"], old=Ref["boids"][2])))
    state["boids"].spawn(3, x=[1, 2, 3])
    state["hawks"].spawn(2, prey=state["boids"].id[:2])
    state.commit()
    state.migrate(layout(schema(x=f32), schema("hawks", prey=Ref["boids"])))
    state.commit()
    boids, ids, prey = state["boids"], state["boids"].id.tolist(), state["hawks"].prey.tolist()
    column = state["hawks"]._columns.visible["prey"].column
    birds = schema("birds", was="boids", x=f32)
    hawks = schema("hawks", prey=Ref["birds"])
    steps = there_and_back(state, layout(birds, hawks))
    assert steps == ["birds: was boids; its 3 rows, their ids and references to them stay"]
    assert state["birds"] is boids
    assert boids.name == "birds"
    assert (boids.id.tolist(), boids.x.tolist(), state["hawks"].prey.tolist()) == (ids, [1, 2, 3], prey)
    assert state["hawks"]._columns.visible["prey"].column is column
    assert "boids" not in state.tables
    boids.despawn(0)
    state.commit()
    assert state["hawks"].prey.tolist() == [0, prey[1]]
    steps = there_and_back(state, layout(birds, schema("hawks", prey=Ref["birds"], old=Ref["birds"][2])))
    assert steps == ["hawks: brought back old"]
    beside = layout(birds, hawks, schema("boids", x=f32))
    assert there_and_back(state, beside) == [
        "hawks: parked old",
        "boids: new table, empty until something spawns into it",
    ]


def test_a_renamed_table_takes_its_old_name_back(state):
    begin(state, x=f32)
    state.migrate(layout(schema("birds", was="boids", x=f32)))
    assert there_and_back(state, layout(schema(x=f32))) == [
        "boids: was birds; its 4 rows, their ids and references to them stay"
    ]


def test_a_parked_table_with_agents_is_not_given_up(state):
    begin(state, x=f32)
    state.migrate(layout(schema(x=f32), schema("birds", x=f32)))
    state["birds"].spawn(2)
    state.commit()
    state.migrate(layout(schema(x=f32)))
    before = everything(state)
    with pytest.raises(MigrationError, match="a parked table birds with 2 rows"):
        state.migrate(layout(schema("birds", was="boids", x=f32)))
    assert everything(state) == before


def test_a_table_goes_and_comes_back(state):
    state.migrate(layout(schema(x=f32), schema("hawks", x=f32)))
    state["hawks"].spawn(2, x=[1, 2])
    state.commit()
    assert there_and_back(state, layout(schema(x=f32))) == ["hawks: parked with 2 rows"]
    assert there_and_back(state, layout(schema(x=f32), schema("hawks", x=f32))) == ["hawks: brought back with 2 rows"]
    assert state["hawks"].x.tolist() == [1, 2]


def test_a_capacity_is_raised_beyond_what_was_reserved(state):
    boids = begin(state, x=f32, y=f32)
    state.migrate(layout(schema(x=f32)))
    view, part, ids, before = boids.x, boids.x[1:], boids.id, boids.x.tolist()
    large = (1 << 20) + 100_000
    steps = there_and_back(state, layout(schema(x=f32, capacity=large)))
    assert steps == [f"boids: capacity 1000 → {large}"]
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    part[:] = 0
    assert boids.x.tolist() == before
    boids.spawn(large - 4, x=2)
    assert boids.id[:4].tolist() == ids.tolist()
    assert boids.rows_of(boids.id[-1]).tolist() == large - 1
    state.commit()
    assert is_settled(state)
    state.rollback(2)
    assert boids.x.tolist() == before
    assert len(boids) == 4


def test_a_capacity_is_lowered(state):
    begin(state, x=f32)
    assert there_and_back(state, layout(schema(x=f32, capacity=4))) == ["boids: capacity 1000 → 4"]
    before = everything(state)
    small = layout(schema(x=f32, capacity=2))
    with pytest.raises(MigrationError, match=r"capacity 4 → 2 \(and it has 4 rows\)"):
        state.migrate(small)
    with pytest.raises(MigrationError, match="leaves 3 rows in boids, whose capacity is 2"):
        state.migrate(small, asking(lambda old, new: new.despawn(0)))
    assert everything(state) == before


def test_rows_that_migrate_takes_away_are_gone_from_everywhere_and_back_with_the_frame(state):
    state.migrate(layout(schema(x=f32, y=f32), schema("hawks", prey=Ref["boids"])))
    state["boids"].spawn(6, x=range(6), y=range(6))
    state["hawks"].spawn(6, prey=state["boids"].id)
    state.commit()
    state.migrate(layout(schema(x=f32), schema("hawks", prey=Ref["boids"])))
    state.commit()
    boids, ids = state["boids"], state["boids"].id.tolist()
    before, mark = everything(state), state.mark()

    def migrate(old, new):
        new.boids.despawn(old.boids.x % 2 == 0)

    wanted = layout(schema(x=f32, capacity=3), schema("hawks", prey=Ref["boids"]))
    steps = state.migrate(wanted, asking(migrate))
    assert steps == ["boids: capacity 1000 → 3", "boids: 3 rows removed by migrate"]
    assert is_settled(state)
    assert sorted(boids.x.tolist()) == [1, 3, 5]
    assert state["hawks"].prey.tolist() == [0, ids[1], 0, ids[3], 0, ids[5]]
    assert boids.id[boids.rows_of(ids[1::2])].tolist() == ids[1::2]
    assert boids.rows_of(ids[::2]).tolist() == [-1] * 3
    state.commit()
    assert state.diff(1, 3)["boids"].removed.ids.tolist() == ids[::2]
    assert sorted(state.diff(0, 3)["boids"].added.ids.tolist()) == sorted(ids[1::2])
    mark.undo()
    assert everything(state) == before | {"frames": state.frames}
    assert is_settled(state)


def test_the_target_of_a_reference_changes(state):
    state.migrate(layout(schema(x=f32), schema("hawks", x=f32), schema("owls", prey=Ref["boids"])))
    state["boids"].spawn(2)
    state["owls"].spawn(2, prey=state["boids"].id)
    state.commit()
    wanted = layout(schema(x=f32), schema("hawks", x=f32), schema("owls", prey=Ref["hawks"]))
    with pytest.raises(MigrationError, match="ids of boids name nobody among hawks"):
        state.migrate(wanted)

    def migrate(old, new):
        assert new.owls.prey.tolist() == [0, 0]
        new.owls.prey = 0

    there_and_back(state, wanted, asking(migrate, "owls"))
    assert state["owls"].prey.tolist() == [0, 0]


def test_two_edits_in_a_row_in_one_frame_are_one_frame(state):
    boids = begin(state, angle=f32)
    before = boids.angle.tolist()
    state.migrate(layout(schema(heading=(f32, {"was": "angle"}))))
    state.migrate(layout(schema(heading=f64, e=(f32, {"default": 1}))))
    state.commit()
    state.rollback(1)
    assert list(boids.schema.fields) == ["angle"]
    state.redo(2)
    assert (boids.heading.tolist(), boids.e.tolist()) == (before, [1] * 4)


def test_a_diff_follows_renames(state):
    boids = begin(state, angle=f32, x=f32)
    state.migrate(layout(schema("birds", was="boids", heading=(f32, {"was": "angle"}), x=f64)))
    boids.heading[0] = 5
    boids.x[1] += 1
    state.commit()
    found = state.diff(1, 3)["birds"]
    assert (found.was, found.renamed) == ("boids", {"heading": "angle"})
    assert (found.changed["heading"].old.tolist(), found.changed["heading"].new.tolist()) == ([1], [5])
    assert len(found.changed["x"]) == 1
    assert (found.added_columns, found.removed_columns, len(found.added), len(found.removed)) == ({}, {}, 0, 0)
    assert "birds (was boids)" in str(found)
    back = state.diff(3, 1)["boids"]
    assert (back.was, back.renamed, back.changed["angle"].new.tolist()) == ("birds", {"angle": "heading"}, [1])


def test_a_file_with_an_older_schema_follows_the_same_rules(state, tmp_path):
    begin(state, angle=f32, x=f32)
    state.save(tmp_path / "world.instar")
    loaded = StateManager.load(tmp_path / "world.instar", history_bytes=1 << 20)
    from instar.hmr.state import Checkpoint

    checkpoint = Checkpoint.read(tmp_path / "world.instar")
    wanted = layout(schema("birds", was="boids", heading=(f64, {"was": "angle"}), x=i16))
    before = everything(loaded)
    with pytest.raises(MigrationError, match=r"birds\.x: f32 → i16"):
        loaded.restore(checkpoint, wanted)
    with pytest.raises(MigrationError, match="ZeroDivisionError"):
        loaded.restore(checkpoint, wanted, asking(lambda old, new: 1 / 0, "birds"))
    assert everything(loaded) == before

    def migrate(old, new):
        new.birds.x = old.boids.x.astype(i16.dtype)

    steps = loaded.restore(checkpoint, wanted, asking(migrate, "birds"))
    assert steps[-1] == "birds: x is now i16, was f32, by migrate"
    assert loaded["birds"].heading.tolist() == state["boids"].angle.tolist()
    assert is_settled(loaded)
    loaded.save(tmp_path / "renamed.instar")
    again = StateManager.load(tmp_path / "renamed.instar", history_bytes=1 << 20)
    steps = again.migrate(layout(schema(angle=f64, x=i16)))
    assert steps == [
        "boids: was birds; its 4 rows, their ids and references to them stay",
        "boids: heading is now angle",
    ]


def test_rows_that_wait_to_be_despawned_need_no_room(state):
    boids = begin(state, x=f32)
    boids.despawn([0, 1])
    assert state.migrate(layout(schema(x=f32, capacity=2))) == ["boids: capacity 1000 → 2"]
    assert len(boids) == 2
    assert is_settled(state)
