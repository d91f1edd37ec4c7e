from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.view.braille import braille

DOTS = {(0, 0): 0x01, (0, 1): 0x02, (0, 2): 0x04, (1, 0): 0x08, (1, 1): 0x10, (1, 2): 0x20, (0, 3): 0x40, (1, 3): 0x80}
"""Bits by column and row from the top, as the Unicode standard numbers the dots 1 to 8."""


def slow(points: list[tuple[float, float]], columns: int, rows: int) -> list[str]:
    """The same picture of a world of twice the columns by four times the rows, dot by dot."""
    cells = [[0x2800] * columns for _ in range(rows)]
    for x, y in points:
        if 0 <= x < 2 * columns and 0 <= y < 4 * rows:
            row = 4 * rows - 1 - int(y)
            cells[row // 4][int(x) // 2] |= DOTS[int(x) % 2, row % 4]
    return ["".join(map(chr, row)) for row in cells]


coordinates = st.floats(-3, 30, width=32) | st.sampled_from([float("nan"), float("inf"), float("-inf")])


@given(st.lists(st.tuples(coordinates, coordinates)), st.integers(1, 8), st.integers(1, 5))
def test_points_are_drawn_as_the_slow_way_draws_them(
    points: list[tuple[float, float]], columns: int, rows: int
) -> None:
    x = np.array([point[0] for point in points], np.float32)
    y = np.array([point[1] for point in points], np.float32)
    assert braille(x, y, 2 * columns, 4 * rows, columns, rows) == slow(points, columns, rows)


def test_y_goes_up_and_the_corners_are_where_they_belong() -> None:
    assert braille([0.0], [0.0], 10, 10, 2, 1) == ["⡀⠀"]
    assert braille([9.9], [9.9], 10, 10, 2, 2) == ["⠀⠈", "⠀⠀"]


@pytest.mark.parametrize(("x", "y"), [(10.0, 5.0), (5.0, 10.0), (-0.1, 5.0), (np.nan, 5.0), (5.0, np.inf)])
def test_what_is_not_in_the_world_is_not_in_the_picture(x: float, y: float) -> None:
    assert braille([x], [y], 10, 10, 2, 1) == ["⠀⠀"]


def test_no_agents_make_an_empty_picture() -> None:
    assert braille([], [], 10, 10, 3, 2) == ["⠀⠀⠀", "⠀⠀⠀"]
