from __future__ import annotations

import threading
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from instar.native import CellList, InstarError, segment_sum

Floats = npt.NDArray[np.float32]
Pairs = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], Floats, Floats]


def pairs_of(
    cells: CellList, x: Floats, y: Floats, width: float, height: float, periodic: bool, radius: float
) -> Pairs:
    count = cells.count(x, y, width, height, periodic, radius)
    found = (
        np.full(len(x) + 1, -1, np.int64),
        np.full(count, -1, np.int32),
        np.empty(count, np.float32),
        np.empty(count, np.float32),
    )
    cells.fill(*found)
    return found


def offsets(places: Floats, size: float, periodic: bool) -> npt.NDArray[np.float64]:
    """The way from each point to each other, float64, shape ``(n, n)``."""
    exact = places.astype(np.float64)
    with np.errstate(invalid="ignore"):
        way = exact[None, :] - exact[:, None]
        return way - size * np.rint(way / size) if periodic else way


def assert_equals_brute_force(
    found: Pairs, x: Floats, y: Floats, width: float, height: float, periodic: bool, radius: float
) -> None:
    first, j, dx, dy = found
    assert first[0] == 0
    assert first[-1] == len(j)
    assert (np.diff(first) >= 0).all()
    i = np.repeat(np.arange(len(x)), np.diff(first))
    near = np.zeros((len(x), len(x)), bool)
    near[i, j] = True
    assert near.sum() == len(j), "a pair was found twice"
    ways = offsets(x, width, periodic), offsets(y, height, periodic)
    distance = np.hypot(*ways)
    np.fill_diagonal(distance, np.inf)
    # Distances are float32: within their rounding of the radius, either answer is right.
    reach = max(width, height, *np.abs(x[np.isfinite(x)], dtype=float), *np.abs(y[np.isfinite(y)], dtype=float), radius)
    rounding = 1e-6 * reach
    assert near[distance < radius - rounding].all(), "a pair was missed"
    assert not near[~(distance < radius + rounding)].any(), "a pair is too far apart"
    for way, written, size in zip(ways, (dx, dy), (width, height), strict=True):
        wrong = np.abs(way[i, j] - written)
        if periodic:
            wrong = np.minimum(wrong, np.abs(wrong - size))
        assert (wrong <= rounding).all()


worlds = st.tuples(st.floats(0.5, 2000), st.floats(0.5, 2000))
shares = hnp.arrays(np.float32, st.tuples(st.just(2), st.integers(0, 60)), elements=st.floats(-0.5, 1.5, width=32))
odd = st.sampled_from([np.nan, np.inf, -np.inf])


@given(
    worlds,
    shares,
    st.booleans(),
    st.floats(0.001, 0.5),
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 59), odd), max_size=3),
)
def test_equals_brute_force(
    world: tuple[float, float], shares: Floats, periodic: bool, reach: float, oddities: list[tuple[int, int, float]]
) -> None:
    width, height = world
    radius = reach * min(world)
    x, y = shares[0] * np.float32(width), shares[1] * np.float32(height)
    for axis, row, value in oddities:
        if row < len(x):
            (x, y)[axis][row] = value
    found = pairs_of(CellList(), x, y, width, height, periodic, radius)
    assert_equals_brute_force(found, x, y, width, height, periodic, radius)


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("radius", [3.3, 10.0, 24.9, 25.0, 33.4, 49.9, 50.0])
def test_dense_worlds_of_few_cells(radius: float, periodic: bool) -> None:
    x, y = np.random.default_rng(3).uniform(0, 100, (2, 300)).astype(np.float32)
    found = pairs_of(CellList(), x, y, 100.0, 100.0, periodic, radius)
    assert_equals_brute_force(found, x, y, 100.0, 100.0, periodic, radius)


def test_scratch_is_used_again_for_any_size() -> None:
    cells, rng = CellList(), np.random.default_rng(4)
    for n in (50, 3, 0, 400, 1, 120):
        x, y = rng.uniform(0, 100, (2, n)).astype(np.float32)
        assert_equals_brute_force(pairs_of(cells, x, y, 100.0, 80.0, True, 9.0), x, y, 100.0, 80.0, True, 9.0)


def test_is_deterministic_and_symmetric() -> None:
    x, y = np.random.default_rng(1).uniform(0, 100, (2, 500)).astype(np.float32)
    one, other = (pairs_of(CellList(), x, y, 100.0, 100.0, True, 8.0) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)
    i = np.repeat(np.arange(500), np.diff(one[0]))
    assert set(zip(i, one[1], strict=True)) == set(zip(one[1], i, strict=True))


def test_many_points_in_one_place() -> None:
    x = np.full(200, 5, np.float32)
    first, j, dx, _ = pairs_of(CellList(), x, x, 10.0, 10.0, True, 1e-30)
    assert len(j) == 200 * 199
    assert (np.diff(first) == 199).all()
    assert not dx.any()


def test_a_thin_world_much_longer_than_the_radius() -> None:
    x = np.array([0.0, 0.5, 1e9], np.float32)
    y = np.zeros(3, np.float32)
    found = pairs_of(CellList(), x, y, 1e9, 2.0, True, 1.0)
    assert found[0].tolist() == [0, 2, 4, 6]


def test_points_that_are_not_finite_are_near_nothing() -> None:
    x = np.array([1, np.nan, 1, np.inf, 1], np.float32)
    first, j, _, _ = pairs_of(CellList(), x, np.ones(5, np.float32), 10.0, 10.0, False, 2.0)
    assert np.diff(first).tolist() == [2, 0, 2, 0, 2]
    assert j.tolist() == [2, 4, 0, 4, 0, 2]


ones = np.ones(4, np.float32)


@pytest.mark.parametrize(
    ("x", "y", "world", "message"),
    [
        (ones, ones, (10.0, 10.0, True, 5.1), r"more than half of the periodic world \(10 by 10\).*Use at most 5"),
        (ones, ones, (0.0, 10.0, True, 1.0), "width must be a positive number"),
        (ones, ones, (10.0, float("nan"), True, 1.0), "height must be a positive number"),
        (ones, ones, (10.0, 10.0, True, -1.0), "radius must be a positive number"),
        (ones, ones[:3], (10.0, 10.0, True, 1.0), "x has 4 places and y has 3"),
        (ones.astype(np.float64), ones, (10.0, 10.0, True, 1.0), "x must be a one-dimensional array of float32"),
        (ones, ones[::2], (10.0, 10.0, True, 1.0), "y must be a contiguous array of float32"),
        (ones.reshape(2, 2), ones, (10.0, 10.0, True, 1.0), "2-dimensional"),
        (ones, [1.0], (10.0, 10.0, True, 1.0), "y must be a contiguous array of float32, got list"),
    ],
)
def test_refuses(x: Floats, y: Floats, world: tuple[float, float, bool, float], message: str) -> None:
    with pytest.raises(InstarError, match=message):
        CellList().count(x, y, *world)


def test_fill_needs_a_count_and_room() -> None:
    cells = CellList()
    empty = np.empty(0, np.float32)
    out = np.empty(5, np.int64), np.empty(12, np.int32), np.empty(12, np.float32), np.empty(12, np.float32)
    with pytest.raises(InstarError, match="Call count first"):
        cells.fill(*out)
    assert cells.count(ones, ones, 10.0, 10.0, True, 1.0) == 12
    with pytest.raises(InstarError, match="dx has room for 0, but count found 12"):
        cells.fill(*out[:2], empty, out[3])
    with pytest.raises(InstarError, match="j must be a one-dimensional array of int32"):
        cells.fill(out[0], out[1].astype(np.int64), *out[2:])
    out[3].flags.writeable = False
    with pytest.raises(InstarError, match="dy must be a contiguous writable array"):
        cells.fill(*out)


def test_two_threads_never_share_scratch() -> None:
    cells, x = CellList(), np.random.default_rng(0).uniform(0, 100, 3000).astype(np.float32)
    counts: list[int | str] = []

    def count() -> None:
        for _ in range(20):
            try:
                counts.append(cells.count(x, x, 100.0, 100.0, True, 20.0))
            except InstarError as error:
                counts.append(str(error))

    threads = [threading.Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    alone = CellList().count(x, x, 100.0, 100.0, True, 20.0)
    refusal = "another thread is using this cell list; nothing was changed. Give each thread its own"
    assert set(counts) <= {alone, refusal}
    assert alone in counts


@given(
    hnp.arrays(np.float32, st.integers(0, 50), elements=st.floats(-1e6, 1e6, width=32)),
    st.lists(st.integers(0, 50), min_size=1, max_size=20),
)
def test_segment_sum(values: Floats, bounds: list[int]) -> None:
    assume(max(bounds) <= len(values))
    first = np.array(sorted(bounds), np.int64)
    out = np.full(len(first) - 1, np.nan, np.float32)
    segment_sum(values, first, out)
    wanted = [sum(values[a:b].astype(np.float64)) for a, b in pairwise(first)]
    assert out.tolist() == np.array(wanted, np.float32).tolist()


@pytest.mark.parametrize(
    ("first", "message"),
    [
        ([0, 1], "one entry more than out"),
        ([0, 3, 2], r"first\[1\] and first\[2\] must ascend within the 4 values"),
        ([0, 3, 5], r"first\[1\] and first\[2\]"),
        ([-1, 3, 4], r"first\[0\] and first\[1\]"),
    ],
)
def test_segment_sum_refuses_bounds(first: list[int], message: str) -> None:
    out = np.full(2, 7, np.float32)
    with pytest.raises(InstarError, match=message):
        segment_sum(ones, np.array(first, np.int64), out)
    assert (out == 7).all()
