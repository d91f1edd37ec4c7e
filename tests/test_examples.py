"""Every packaged scene runs, in the state its idea promises."""

from __future__ import annotations

import numpy as np
import pytest

from instar.scene.locate import examples
from instar.world import World

SCENES = sorted(examples().keys() - {"asteroids"})
"""All but the game, which has a window and is played in test_asteroids.py."""


@pytest.mark.parametrize("name", SCENES)
def test_every_example_runs_and_is_the_same_every_time(name):
    worlds = [World.open(name), World.open(name)]
    for world in worlds:
        for _ in range(30):
            world.step()
    assert worlds[0].state.crc == worlds[1].state.crc
    for table in worlds[0].tables.values():
        for field in table.schema.fields:
            assert np.isfinite(getattr(table, field)).all()


def test_boids_begin_to_fly_as_their_neighbours_do():
    world = World.open("boids", params={"flock": {"count": 2_000}})
    boids = world["boids"]

    def agreement() -> float:
        near = world.space.neighbours(boids, 15.0)
        speed = np.hypot(boids.vx, boids.vy)
        ux, uy = boids.vx / speed, boids.vy / speed
        return float(np.mean(ux[near.i] * ux[near.j] + uy[near.i] * uy[near.j]))

    before = agreement()
    for _ in range(180):
        world.step()
    assert before < 0.1
    assert agreement() > before + 0.4
    assert len(boids) == 2_000


def test_foxes_and_rabbits_are_born_and_die_every_second_and_neither_dies_out():
    world = World.open("predator")
    seen = {name: set() for name in ("rabbits", "foxes")}
    for _ in range(600):
        world.step()
        for name, ids in seen.items():
            ids.update(world[name].id.tolist())
    for name, ids in seen.items():
        alive = len(world[name])
        assert alive >= 5
        assert len(ids) > alive + 50


def test_the_helper_is_one_module_for_both_that_import_it():
    world = World.open("predator")
    modules = world.program.modules
    assert modules["rabbits"].module.wander is modules["foxes"].module.wander
