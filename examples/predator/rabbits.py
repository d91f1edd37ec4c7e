"""Rabbits wander and breed until the meadow is full."""

import numpy as np
from walk import beside, scatter, wander

from instar import Agents, Param, f32


class Rabbits(Agents, capacity=20_000):
    x: f32
    y: f32
    heading: f32


speed = Param(8.0, min=0.0, max=50.0, unit="1/s")
birth = Param(0.8, min=0.0, max=5.0, unit="1/s")
meadow = Param(4_000, min=1, max=20_000)


def setup(rabbits, rng, space):
    rabbits.spawn(1_500, **scatter(rng, space, 1_500))


def update(rabbits, rng, dt, space):
    wander(rabbits, rng, dt, space, speed)
    room = max(0.0, 1 - len(rabbits) / meadow)
    parents = np.flatnonzero(rng.random(len(rabbits)) < birth * room * dt)
    rabbits.spawn(len(parents), **beside(rabbits, parents))
    if len(rabbits) < 20:
        rabbits.spawn(20, **scatter(rng, space, 20))
