"""How the terminal's room is shared between messages, panel and the picture of the world."""

from __future__ import annotations

PANEL_COLUMNS = 66
"""What the panel's own text needs beside a picture."""

_SMALLEST = (20, 6)
_MESSAGE_ROWS = 5
_FEWEST_ROWS = 12


def panel_rows(rows: int, *, urgent: bool) -> int:
    """How many of a terminal's rows the panel may take; an error may take those of the messages too."""
    if urgent:
        return max(1, rows - 1)
    return max(1, min(rows - 1, max(_FEWEST_ROWS, rows - _MESSAGE_ROWS)))


def canvas(width: int, height: int, aspect: float = 1.0) -> tuple[int, int] | None:
    """Columns and rows of the largest braille picture that fits beside the panel, or None where there is no room.

    Args:
        width: of the terminal, in columns.
        height: of the panel, in rows.
        aspect: the world's width divided by its height; a character is taken to be twice as high as wide.
    """
    columns, rows = width - PANEL_COLUMNS - 4, height - 2
    if columns < _SMALLEST[0] or rows < _SMALLEST[1]:
        return None
    aspect = min(max(aspect, 0.2), 5.0)
    columns = min(columns, round(2 * rows * aspect))
    return columns, min(rows, max(1, round(columns / (2 * aspect))))
