"""Schema edits of a running world: `migrate` hooks, places in errors, tables that move between modules, saves."""

from __future__ import annotations

import numpy as np
import pytest

from instar.hmr.state import MigrationError
from instar.world import World

FLOCK = """\
from instar import Agents, f32, f64, field

class Boids(Agents):
    angle: f64

def setup(boids):
    boids.spawn(4, angle=[1, 2, 3, 4])

def update(boids):
    boids.angle += 1
"""
NARROW = FLOCK.replace("angle: f64", "angle: f32")


def built(world, **sources):
    changes = {world.scene.folder / f"{name}.py": source.encode() for name, source in sources.items()}
    return world.codebase.build(world.program, changes)


def swap(world, **sources):
    program = built(world, **sources)
    world.check(program)
    return world.swap(program)


def test_the_lines_of_a_refusal_make_the_edit_go_through(scene):
    world = World.open(scene(flock=FLOCK))
    world.step()
    with pytest.raises(MigrationError) as refused:
        world.check(built(world, flock=NARROW))
    said = str(refused.value)
    assert said.startswith(f"{world.scene.folder / 'flock.py'}:3: ")
    lines = said.splitlines()
    source = NARROW + "\n\n" + "\n".join(lines[lines.index("def migrate(old, new):") :]) + "\n"
    assert swap(world, flock=source) == ["boids: angle is now f32, was f64, by migrate"]
    assert world["boids"].angle.tolist() == [2, 3, 4, 5]
    world.step()
    world.rollback(1)
    assert world["boids"].angle.dtype == np.float32
    world.rollback(0)
    assert world["boids"].angle.dtype == np.float64
    world.step()
    assert world["boids"].angle.tolist() == [2, 3, 4, 5]


def test_an_error_in_migrate_names_its_line_and_changes_nothing(scene):
    world = World.open(scene(flock=FLOCK))
    world.step()
    program = built(world, flock=NARROW + "\ndef migrate(old, new):\n    new.angle = 1\n    old.speed\n")
    world.check(program)
    with pytest.raises(MigrationError, match=r"flock\.py:14: flock\.migrate raised .*old\.boids had no field 'speed'"):
        world.swap(program)
    assert world.step().frame == 2
    assert world["boids"].angle.tolist() == [3, 4, 5, 6]
    assert world["boids"].angle.dtype == np.float64


def test_migrate_cannot_run_the_world(scene):
    world = World.open(scene(flock=FLOCK))
    source = NARROW + "\nWORLD = []\n\ndef migrate(old, new):\n    WORLD[0].step()\n"
    program = built(world, flock=source)
    program.modules["flock"].module.WORLD.append(world)
    with pytest.raises(MigrationError, match="cannot be called inside a hook"):
        world.swap(program)


def test_a_table_moves_to_another_module_with_its_agents(scene):
    world = World.open(scene(flock=FLOCK, other="def update():\n    pass\n"))
    world.step()
    ids = world["boids"].id.tolist()
    steps = swap(world, flock="def update():\n    pass\n", other=FLOCK)
    assert not [step for step in steps if "boids" in step]
    assert (world["boids"].id.tolist(), world["boids"].angle.tolist()) == (ids, [2, 3, 4, 5])
    assert world.program.owners["boids"] == "other"


def test_a_class_is_renamed_together_with_a_field(scene):
    world = World.open(scene(flock=FLOCK))
    world.step()
    ids = world["boids"].id.tolist()
    renamed = (
        FLOCK.replace("Boids(Agents)", 'Birds(Agents, was="boids")')
        .replace("boids.", "birds.")
        .replace("(boids)", "(birds)")
        .replace("angle: f64", 'heading: f64 = field(was="angle")')
        .replace("angle=", "heading=")
        .replace(".angle", ".heading")
    )
    assert swap(world, flock=renamed) == [
        "birds: was boids; its 4 rows, their ids and references to them stay",
        "birds: angle is now heading",
    ]
    world.step()
    assert (world["birds"].id.tolist(), world["birds"].heading.tolist()) == (ids, [3, 4, 5, 6])
    world.rollback(0)
    assert world["boids"].angle.tolist() == [1, 2, 3, 4]


def test_a_save_of_an_older_schema_is_loaded_by_the_same_rules(scene, tmp_path):
    folder = scene(flock=FLOCK)
    world = World.open(folder)
    world.step()
    world.save(tmp_path / "world.instar")
    renamed = "from instar import Agents, f32, field\n\nclass Birds(Agents, was='boids'):\n    heading: f32 = field(was='angle')\n"
    (folder / "flock.py").write_text(renamed)
    with pytest.raises(MigrationError, match=r"flock\.py:3: (?s:.*)birds\.angle, now heading: f64 → f32"):
        World.load(tmp_path / "world.instar")
    (folder / "flock.py").write_text(renamed + "\ndef migrate(old, new):\n    new.heading = old.angle\n")
    assert World.load(tmp_path / "world.instar")["birds"].heading.tolist() == [2, 3, 4, 5]


def test_a_migrate_that_comes_with_new_fields_fills_them(scene):
    world = World.open(scene(flock=FLOCK))
    world.step()
    program = (
        NARROW.replace("angle: f32", "way: f64[2] = field((7, 7))")
        .replace("angle=[1, 2, 3, 4]", "")
        .replace("boids.angle += 1", "boids.way += 1")
    )
    source = program + "\n\ndef migrate(old, new):\n    new.way[:, 0] = old.angle\n"
    steps = swap(world, flock=source)
    assert [str(step) for step in steps] == [
        "boids: added way (f64[2], default (7.0, 7.0))",
        "boids: way has the values that migrate gave it",
        "boids: parked angle",
    ]
    assert world["boids"].way.tolist() == [[2, 7], [3, 7], [4, 7], [5, 7]]
    assert world.validate().faults == []
    world.step()
    world.rollback(1)
    assert world["boids"].way.tolist() == [[2, 7], [3, 7], [4, 7], [5, 7]]


def test_a_migrate_that_was_there_before_is_not_called_where_nothing_is_lost(scene):
    world = World.open(scene(flock=FLOCK))
    world.step()
    migrate = "\n\ndef migrate(old, new):\n    new.more[:] = 3\n"
    swap(world, flock=FLOCK + migrate)
    wider = FLOCK.replace("angle: f64", "angle: f64\n    more: i32").replace("f32, f64", "f32, f64, i32")
    swap(world, flock=wider + migrate)
    assert world["boids"].more.tolist() == [0, 0, 0, 0]
    widest = wider.replace("more: i32", "more: i32\n    most: i32 = 5")
    swap(world, flock=widest + migrate.replace("new.more[:] = 3", "new.most[:2] = 4"))
    assert world["boids"].more.tolist() == [0, 0, 0, 0]
    assert world["boids"].most.tolist() == [4, 4, 5, 5]


def test_an_error_in_a_migrate_that_nobody_had_to_ask_changes_nothing(scene):
    world = World.open(scene(flock=FLOCK))
    world.step()
    wider = FLOCK.replace("angle: f64", "angle: f64\n    more: f64")
    with pytest.raises(MigrationError, match=r"migrate raised FieldError: old\.boids had no field 'speed'"):
        swap(world, flock=wider + "\n\ndef migrate(old, new):\n    new.more[:] = old.speed\n")
    assert list(world["boids"].schema.fields) == ["angle"]
