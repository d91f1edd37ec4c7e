"""How animals walk; both modules import it, so editing it changes rabbits and foxes at once."""

import numpy as np


def wander(animals, rng, dt, space, speed, restless=3.0):
    """Turn a little at random, then step ahead."""
    animals.heading += rng.normal(0, restless * np.sqrt(dt), len(animals))
    animals.x = (animals.x + speed * np.cos(animals.heading) * dt) % space.width
    animals.y = (animals.y + speed * np.sin(animals.heading) * dt) % space.height


def scatter(rng, space, n):
    """Places and headings for newcomers."""
    return {
        "x": rng.uniform(0, space.width, n),
        "y": rng.uniform(0, space.height, n),
        "heading": rng.uniform(0, 6.28, n),
    }


def beside(animals, rows):
    """Places and headings of young beside their parents."""
    return {"x": animals.x[rows], "y": animals.y[rows], "heading": animals.heading[rows] + 3.14}
