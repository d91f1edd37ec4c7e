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
    n = 500
    sparks.spawn(n, x=rng.uniform(0, space.width, n), y=rng.uniform(0, space.height, n), heading=rng.uniform(0, 6.28, n))


def update(sparks, dt, space):
    sparks.heading += turn * dt
    sparks.x = (sparks.x + speed * np.cos(sparks.heading) * dt) % space.width
    sparks.y = (sparks.y + speed * np.sin(sparks.heading) * dt) % space.height
