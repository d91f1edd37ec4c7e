"""Rocks drift, break in two when they are hit, and come back in greater numbers."""

import match
import numpy as np
from sparks import burst

from instar import Agents, Param, f32, i32


class Rocks(Agents, capacity=2_000):
    x: f32
    y: f32
    vx: f32
    vy: f32
    heading: f32
    spin: f32
    radius: f32
    shape: i32


first_wave = Param(4, min=1, max=50)
largest = Param(52.0, min=15.0, max=150.0)
smallest = Param(14.0, min=5.0, max=50.0)
pace = Param(60.0, min=0.0, max=400.0, unit="1/s")


def update(rocks, ships, shots, sparks, rng, dt, space):
    if not len(rocks):
        match.wave.value += 1
        come(rocks, rng, space, first_wave + match.wave.value - 1)
    rocks.heading += rocks.spin * dt
    rocks.x = (rocks.x + rocks.vx * dt) % space.width
    rocks.y = (rocks.y + rocks.vy * dt) % space.height

    hit, spent = touching(space, rocks, shots, 2)
    shots.despawn(spent)
    if len(hit):
        match.win(int(np.sum(1_000 / rocks.radius[hit])) // 10 * 10)
        shatter(rocks, sparks, rng, hit)

    _, lost = touching(space, rocks, ships, 11)
    lost = lost[ships.shield[lost] == 0]
    if len(lost):
        burst(sparks, rng, ships.x[lost], ships.y[lost], 160, pace=190, life=1.6)
        ships.despawn(lost)
        match.lives.value -= 1


def touching(space, rocks, others, reach):
    """Rows of rocks and of others that overlap, each once."""
    near = space.neighbours(rocks, float(largest) + reach, among=others)
    close = near.distance2 < (rocks.radius[near.i] + reach) ** 2
    return np.unique(near.i[close]), np.unique(near.j[close])


def come(rocks, rng, space, count):
    """Rocks at the edges, away from the ship."""
    side = rng.random(count) < 0.5
    place(
        rocks, rng,
        np.where(side, 0, rng.uniform(0, space.width, count)),
        np.where(side, rng.uniform(0, space.height, count), 0),
        np.full(count, largest),
    )  # fmt: skip


def shatter(rocks, sparks, rng, hit):
    """Take rocks away, and put two of half the size in the place of each that is large enough."""
    burst(sparks, rng, rocks.x[hit], rocks.y[hit], 36, pace=110, life=0.9)
    split = np.repeat(hit[rocks.radius[hit] * 0.55 >= smallest], 2)
    place(rocks, rng, rocks.x[split], rocks.y[split], rocks.radius[split] * 0.55)
    rocks.despawn(hit)


def place(rocks, rng, x, y, radius):
    count = len(radius)
    course = rng.uniform(0, 2 * np.pi, count)
    speed = pace * rng.uniform(0.5, 1.3, count) * np.sqrt(largest / radius)
    rocks.spawn(
        count,
        x=x,
        y=y,
        radius=radius,
        vx=speed * np.cos(course),
        vy=speed * np.sin(course),
        heading=course,
        spin=rng.uniform(-1.5, 1.5, count),
        shape=rng.integers(0, 32, count),
    )
