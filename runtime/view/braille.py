"""A picture of the world in braille: each character holds two by four dots."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_BLANK = 0x2800
_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.uint8)
"""The bit of each dot by row (from the top) and column; Unicode 15, chapter 21.1."""


def braille(x: npt.ArrayLike, y: npt.ArrayLike, width: float, height: float, columns: int, rows: int) -> list[str]:
    """Points drawn as dots, y upwards.

    Args:
        x: positions, shape (n,), of all tables together; a point outside [0, width) or
            [0, height), or not finite, is skipped.
        y: positions, shape (n,).
        width: of the world, above zero.
        height: of the world, above zero.
        columns: of the picture, in characters.
        rows: of the picture, in characters.

    Returns:
        One string of `columns` characters per row, from the top.
    """
    across = np.asarray(x, np.float32) * np.float32(2 * columns / width)
    up = np.asarray(y, np.float32) * np.float32(4 * rows / height)
    inside = (across >= 0) & (across < 2 * columns) & (up >= 0) & (up < 4 * rows)
    column = across[inside].astype(np.int32)
    row = 4 * rows - 1 - up[inside].astype(np.int32)
    dots = np.zeros((4 * rows, 2 * columns), np.uint8)
    dots.reshape(-1)[row * (2 * columns) + column] = 1
    cells = (dots.reshape(rows, 4, columns, 2) * _DOTS[:, None, :]).sum(axis=(1, 3), dtype=np.uint32)
    text = (cells + np.uint32(_BLANK)).astype("<u4").tobytes().decode("utf-32-le")
    return [text[start : start + columns] for start in range(0, rows * columns, columns)]
