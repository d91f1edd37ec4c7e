from __future__ import annotations

import pytest

from instar.view.canvas import PANEL_COLUMNS, canvas, panel_rows


@pytest.mark.parametrize("aspect", [0.01, 0.5, 1.0, 2.0, 100.0])
@pytest.mark.parametrize(("width", "height"), [(90, 10), (120, 30), (200, 60), (400, 12)])
def test_the_picture_fits_beside_the_panel_with_its_frame(width: int, height: int, aspect: float) -> None:
    size = canvas(width, height, aspect)
    assert size is not None
    columns, rows = size
    assert 0 < columns <= width - PANEL_COLUMNS - 4
    assert 0 < rows <= height - 2


def test_a_square_world_is_square_on_the_screen() -> None:
    assert canvas(200, 30) == (56, 28)
    assert canvas(110, 50) == (40, 20)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (60, 50), (200, 7)])
def test_there_is_no_picture_where_there_is_no_room(width: int, height: int) -> None:
    assert canvas(width, height) is None


@pytest.mark.parametrize(
    ("rows", "calm", "urgent"), [(50, 45, 49), (24, 19, 23), (14, 12, 13), (10, 9, 9), (2, 1, 1), (1, 1, 1)]
)
def test_messages_keep_some_rows_unless_there_is_an_error(rows: int, calm: int, urgent: int) -> None:
    assert panel_rows(rows, urgent=False) == calm
    assert panel_rows(rows, urgent=True) == urgent
