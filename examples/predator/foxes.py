"""Foxes eat the rabbits they come upon, breed when they are full and starve when they find none."""

import numpy as np
from walk import beside, scatter, wander

from instar import Agents, Param, f32


class Foxes(Agents, capacity=20_000):
    x: f32
    y: f32
    heading: f32
    energy: f32 = 5.0


speed = Param(14.0, min=0.0, max=50.0, unit="1/s")
reach = Param(1.5, min=0.1, max=10.0)
meal = Param(3.0, min=0.0, max=20.0)
hunger = Param(3.0, min=0.0, max=20.0, unit="1/s")


def setup(foxes, rng, space):
    foxes.spawn(150, **scatter(rng, space, 150), energy=rng.uniform(2, 8, 150))


def update(foxes, rabbits, rng, dt, space):
    wander(foxes, rng, dt, space, speed)
    prey = space.neighbours(foxes, reach, among=rabbits)
    rabbits.despawn(prey.j)
    foxes.energy += meal * (prey.count > 0) - hunger * dt
    foxes.despawn(foxes.energy <= 0)

    parents = np.flatnonzero(foxes.energy > 10)
    foxes.energy[parents] /= 2
    foxes.spawn(len(parents), **beside(foxes, parents), energy=foxes.energy[parents])
    if len(foxes) < 5:
        foxes.spawn(5, **scatter(rng, space, 5))
