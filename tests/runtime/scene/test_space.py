from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instar.native import InstarError
from instar.scene.space import Space, SpaceError

points = st.integers(0, 60).flatmap(
    lambda n: st.lists(st.tuples(st.floats(0, 50, width=32), st.floats(0, 30, width=32)), min_size=n, max_size=n)
)


def arrays(pairs):
    found = np.array(pairs, np.float32).reshape(-1, 2)
    return found[:, 0].copy(), found[:, 1].copy()


def near(space, x, y, u, v, radius):
    """Brute force: the distance of each of (x, y) to each of (u, v)."""
    dx = u[None].astype(float) - x[:, None]
    dy = v[None].astype(float) - y[:, None]
    if space.kind == "torus":
        dx -= np.round(dx / space.width) * space.width
        dy -= np.round(dy / space.height) * space.height
    return np.hypot(dx, dy) < radius


@settings(max_examples=60, deadline=None)
@given(points, points, st.sampled_from(["torus", "box"]), st.sampled_from([0.7, 4.3, 14.9]))
def test_pairs_are_those_of_brute_force(pairs, others, kind, radius):
    space = Space(kind, 50.0, 30.0)
    x, y = arrays(pairs)
    u, v = arrays(others)
    expected = near(space, x, y, x, y, radius * 1.00001) & ~np.eye(len(x), dtype=bool)
    surely = near(space, x, y, x, y, radius * 0.99999) & ~np.eye(len(x), dtype=bool)
    found = space.neighbours((x, y), radius)
    seen = np.zeros_like(expected)
    seen[found.i, found.j] = True
    assert (surely <= seen).all()
    assert (seen <= expected).all()
    assert found.count.tolist() == seen.sum(axis=1).tolist()
    among = space.neighbours((x, y), radius, among=(u, v))
    seen = np.zeros((len(x), len(u)), bool)
    seen[among.i, among.j] = True
    assert (near(space, x, y, u, v, radius * 0.99999) <= seen).all()
    assert (seen <= near(space, x, y, u, v, radius * 1.00001)).all()


def test_the_way_to_a_neighbour_is_the_shorter_one_round_a_torus():
    found = Space("torus", 10.0, 10.0).neighbours((np.array([0.5, 9.5]), np.array([5.0, 5.0])), 2.0)
    assert found.dx.tolist() == [-1.0, 1.0]
    assert found.distance2.tolist() == [1.0, 1.0]


def test_sums_are_over_each_agents_pairs():
    space = Space("box", 10.0, 10.0)
    found = space.neighbours((np.array([1.0, 2.0, 9.0]), np.array([1.0, 1.0, 9.0])), 2.0)
    assert found.sum(np.ones(2)).tolist() == [1.0, 1.0, 0.0]
    with pytest.raises(SpaceError, match="each of the 2 pairs"):
        found.sum(np.ones(3))


def test_what_has_no_place_is_told():
    space = Space("torus", 10.0, 10.0)
    with pytest.raises(SpaceError, match="columns x and y"):
        space.neighbours(object(), 1.0)
    with pytest.raises(SpaceError, match="of one length"):
        space.neighbours((np.zeros(2), np.zeros(3)), 1.0)
    with pytest.raises(SpaceError, match="a number"):
        space.neighbours((np.zeros(2), np.zeros(2)), "a")
    with pytest.raises(InstarError, match="radius"):
        space.neighbours((np.zeros(2), np.zeros(2)), 6.0)
