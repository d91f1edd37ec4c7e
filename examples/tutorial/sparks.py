"""Sparks going round. Edit and save this file while it runs."""

import numpy as np

from instar import Agents, Param, f32


class Sparks(Agents):
    x: f32
    y: f32
    heading: f32


speed = Param(10.0, min=0.0, max=200.0, unit="1/s")
turn = Param(0.5, min=-10.0, max=10.0, unit="rad/s")


def setup(sparks, rng, space):
    x = rng.uniform(0, space.width, 500)
    y = rng.uniform(0, space.height, 500)
    sparks.spawn(500, x=x, y=y, heading=rng.uniform(0, 2 * np.pi, 500))


def update(sparks, dt, space):
    sparks.heading += turn * dt
    sparks.x = (sparks.x + speed * np.cos(sparks.heading) * dt) % space.width
    sparks.y = (sparks.y + speed * np.sin(sparks.heading) * dt) % space.height
