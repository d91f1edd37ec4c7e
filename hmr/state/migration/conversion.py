"""Values from one column type to another: what fits, what is rounded, what would be lost."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from instar.hmr.state.dtypes import ColumnType
from instar.hmr.state.references import Reference

Cells = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


class Converted(NamedTuple):
    """Cells in another type.

    Attributes:
        cells: They; where something was lost, whatever NumPy makes of the value.
        lost: Of each row, whether the type cannot hold a value of it, not even rounded.
        rounded: Of each row, whether a value of it was rounded, and nothing was lost.
    """

    cells: Cells
    lost: Mask
    rounded: Mask


def keeps_values(old: ColumnType, new: ColumnType) -> bool:
    """Whether each value of the old type is one of the new type, so that nothing can be lost."""
    if old == new:
        return True
    if old.shape != new.shape or not _keeps_meaning(old, new):
        return False
    if new.dtype.kind == "f" and old.dtype.kind in "iu":
        return 8 * old.dtype.itemsize <= _mantissa_bits(new.dtype)
    return np.can_cast(old.dtype, new.dtype, "safe")


def is_comparable(old: ColumnType, new: ColumnType) -> bool:
    """Whether values of both types are about the same: numbers in cells of one shape, or ids of one table."""
    return old.shape == new.shape and _keeps_meaning(old, new)


def _keeps_meaning(old: ColumnType, new: ColumnType) -> bool:
    """Ids stay ids of the same table, or become plain numbers; u64 may turn out to be ids."""
    if not isinstance(new, Reference):
        return True
    return old.dtype == new.dtype and (not isinstance(old, Reference) or old.target == new.target)


def converted(cells: Cells, kind: ColumnType) -> Converted:
    """Cells, shape ``(n, *cell)``, in a type of the same cell shape."""
    whole = kind.dtype.kind in "iu" and cells.dtype.kind == "f"
    with np.errstate(all="ignore"):
        given = (np.rint(cells) if whole else cells).astype(kind.dtype)
        back = given.astype(cells.dtype)
    exact = _equal(back, cells)
    if kind.dtype.kind == "f" and cells.dtype.kind != "f":
        fits = exact | np.isfinite(given)
    elif kind.dtype.kind == "f":
        fits = exact | (np.isfinite(given) == np.isfinite(cells))
    elif kind.dtype.kind == "b":
        exact = fits = (cells == 0) | (cells == 1)
    else:
        fits = _within(np.rint(cells) if whole else cells, kind.dtype)
        exact &= fits
    lost = ~_rows(fits)
    return Converted(given, lost, ~_rows(exact) & ~lost)


def returned(cells: Cells, parked: Cells, kind: ColumnType) -> Converted:
    """Cells back in the type they once came from: what was not changed since is what is parked, bit for bit.

    Args:
        cells: The newest values.
        parked: The values as they were when the column was parked, in the same rows.
        kind: The type of ``parked``.
    """
    found = converted(cells, kind)
    with np.errstate(all="ignore"):
        same = _equal(parked.astype(cells.dtype), cells)
    untouched = _rows(same)
    merged = np.where(same, parked, found.cells)
    return Converted(merged, found.lost & ~untouched, found.rounded & ~untouched)


def _equal(a: Cells, b: Cells) -> Mask:
    """Whether values are the same; NaN is NaN, and 0.0 is not -0.0."""
    if a.dtype.kind != "f":
        return np.asarray(a == b)
    return np.asarray(((a == b) & (np.signbit(a) == np.signbit(b))) | (np.isnan(a) & np.isnan(b)))


def _within(cells: Cells, dtype: np.dtype[Any]) -> Mask:
    """Whether numbers lie within the range of an integer type: a cast there and back does not tell for all."""
    info = np.iinfo(dtype)
    if cells.dtype.kind == "f":
        return np.asarray((cells >= float(info.min)) & (cells < float(info.max) + 1.0))
    if cells.dtype.kind == "b":
        return np.ones(cells.shape, np.bool_)
    own = np.iinfo(cells.dtype)
    low, high = max(info.min, own.min), min(info.max, own.max)
    return np.asarray((cells >= low) & (cells <= high))


def _rows(mask: Mask) -> Mask:
    """Of each row, whether all elements of its cell are true."""
    return mask if mask.ndim == 1 else np.asarray(mask.all(axis=tuple(range(1, mask.ndim))))


def _mantissa_bits(dtype: np.dtype[Any]) -> int:
    """How many bits of a whole number a float type holds, all of them."""
    return int(np.finfo(dtype).nmant)
