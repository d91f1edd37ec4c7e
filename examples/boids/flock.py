"""Reynolds flocking: edit and save this file while it runs.

Each bird steers towards the middle of the birds it sees (cohesion), flies as they fly (alignment) and keeps away
from the nearest (separation). C. Reynolds, "Flocks, herds, and schools", SIGGRAPH 1987.
"""

import numpy as np

from instar import Agents, Param, f32


class Boids(Agents, capacity=1_000_000):
    x: f32
    y: f32
    vx: f32
    vy: f32


count = Param(10_000, min=1, max=1_000_000)
radius = Param(15.0, min=1.0, max=50.0)
cohesion = Param(1.0, min=0.0, max=10.0, unit="1/s²")
alignment = Param(1.5, min=0.0, max=20.0, unit="1/s")
separation = Param(2000.0, min=0.0, max=5000.0, unit="1/s²")
cruise = Param(40.0, min=1.0, max=200.0, unit="1/s")


def setup(boids, rng, space):
    heading = rng.uniform(0, 2 * np.pi, count)
    boids.spawn(
        count,
        x=rng.uniform(0, space.width, count),
        y=rng.uniform(0, space.height, count),
        vx=cruise * np.cos(heading),
        vy=cruise * np.sin(heading),
    )


def update(boids, dt, space):
    near = space.neighbours(boids, radius)
    seen = np.maximum(near.count, 1).astype(np.float32)
    push = 1 / (near.distance2 + 1)

    ax = (cohesion * near.sum(near.dx) + alignment * (near.sum(boids.vx[near.j]) - near.count * boids.vx)) / seen
    ay = (cohesion * near.sum(near.dy) + alignment * (near.sum(boids.vy[near.j]) - near.count * boids.vy)) / seen
    boids.vx += (ax - separation * near.sum(near.dx * push) / seen) * dt
    boids.vy += (ay - separation * near.sum(near.dy * push) / seen) * dt

    pace = cruise / np.maximum(np.hypot(boids.vx, boids.vy), 1e-6)
    boids.vx *= 1 + (pace - 1) * 0.1
    boids.vy *= 1 + (pace - 1) * 0.1
    boids.x = (boids.x + boids.vx * dt) % space.width
    boids.y = (boids.y + boids.vy * dt) % space.height
