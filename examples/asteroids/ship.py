"""The ship: arrow keys or WASD to steer, space to fire. Change a number, save, and fly on."""

import match
import numpy as np
from sparks import burst
from window import pygame, read_keys

from instar import Agents, Param, f32


class Ships(Agents, capacity=16):
    x: f32
    y: f32
    vx: f32
    vy: f32
    heading: f32
    thrust: f32
    reload: f32
    shield: f32


class Shots(Agents, capacity=512):
    x: f32
    y: f32
    vx: f32
    vy: f32
    life: f32


turning = Param(4.2, min=0.5, max=12.0, unit="rad/s")
power = Param(340.0, min=0.0, max=2000.0, unit="1/s²")
drag = Param(0.5, min=0.0, max=5.0, unit="1/s")
shot_speed = Param(560.0, min=50.0, max=2000.0, unit="1/s")
shot_life = Param(1.0, min=0.1, max=5.0, unit="s")
reload_time = Param(0.16, min=0.02, max=2.0, unit="s")
barrels = Param(1, min=1, max=9)
shield_time = Param(2.5, min=0.0, max=20.0, unit="s")


def launch(ships, space):
    ships.spawn(1, x=space.width / 2, y=space.height / 2, heading=-np.pi / 2, shield=shield_time)


def setup(ships, space):
    launch(ships, space)


def update(ships, shots, rocks, sparks, rng, dt, space):
    held, struck = read_keys()
    if not len(ships) and match.lives.value:
        launch(ships, space)
    if not match.lives.value and pygame.K_RETURN in struck:
        match.begin()
        rocks.despawn(slice(None))

    steer = bool(held & {pygame.K_RIGHT, pygame.K_d}) - bool(held & {pygame.K_LEFT, pygame.K_a})
    ships.thrust = bool(held & {pygame.K_UP, pygame.K_w})
    ships.heading += steer * turning * dt
    ships.vx += (power * ships.thrust * np.cos(ships.heading) - drag * ships.vx) * dt
    ships.vy += (power * ships.thrust * np.sin(ships.heading) - drag * ships.vy) * dt
    ships.reload = np.maximum(ships.reload - dt, 0)
    ships.shield = np.maximum(ships.shield - dt, 0)
    move(ships, dt, space)

    flame(ships, sparks, rng)
    fire(ships, shots, held)
    shots.life -= dt
    move(shots, dt, space)
    shots.despawn(shots.life <= 0)


def flame(ships, sparks, rng):
    burning = np.flatnonzero(ships.thrust)
    back_x, back_y = -np.cos(ships.heading[burning]), -np.sin(ships.heading[burning])
    x, y = ships.x[burning] + 14 * back_x, ships.y[burning] + 14 * back_y
    vx, vy = ships.vx[burning] + 220 * back_x, ships.vy[burning] + 220 * back_y
    burst(sparks, rng, x, y, 2, pace=50, life=0.4, vx=vx, vy=vy)


def fire(ships, shots, held):
    room = len(shots) + barrels * len(ships) <= shots.capacity
    ready = np.flatnonzero((ships.reload == 0) & (pygame.K_SPACE in held and room))
    ships.reload[ready] = reload_time
    for row in ready:
        fan = ships.heading[row] + np.linspace(-0.08, 0.08, barrels) * (barrels > 1)
        shots.spawn(
            barrels,
            x=ships.x[row] + 16 * np.cos(ships.heading[row]),
            y=ships.y[row] + 16 * np.sin(ships.heading[row]),
            vx=ships.vx[row] + shot_speed * np.cos(fan),
            vy=ships.vy[row] + shot_speed * np.sin(fan),
            life=shot_life,
        )


def move(things, dt, space):
    things.x = (things.x + things.vx * dt) % space.width
    things.y = (things.y + things.vy * dt) % space.height
