"""Sparks fly from whatever burns or breaks."""

import numpy as np

from instar import Agents, Param, f32


class Sparks(Agents, capacity=50_000):
    x: f32
    y: f32
    vx: f32
    vy: f32
    life: f32


friction = Param(1.4, min=0.0, max=20.0, unit="1/s")
plenty = Param(1.0, min=0.0, max=20.0)


def update(sparks, dt, space):
    sparks.life -= dt
    sparks.vx *= 1 - friction * dt
    sparks.vy *= 1 - friction * dt
    sparks.x = (sparks.x + sparks.vx * dt) % space.width
    sparks.y = (sparks.y + sparks.vy * dt) % space.height
    sparks.despawn(sparks.life <= 0)


def burst(sparks, rng, x, y, count, *, pace, life, vx=0.0, vy=0.0):
    """So many sparks from each place, in all directions, on top of the way the place itself moves."""
    each = min(round(count * plenty), (sparks.capacity - len(sparks)) // max(1, len(x)))
    total = each * len(x)
    course = rng.uniform(0, 2 * np.pi, total)
    speed = pace * np.sqrt(rng.random(total))
    sparks.spawn(
        total,
        x=np.repeat(x, each),
        y=np.repeat(y, each),
        vx=np.repeat(vx + 0 * x, each) + speed * np.cos(course),
        vy=np.repeat(vy + 0 * y, each) + speed * np.sin(course),
        life=life * rng.uniform(0.3, 1, total),
    )
