"""Values of a declared precision as whole numbers: what `field(step=…)` allows a checkpoint to do.

A value becomes the nearest multiple of the step, the multiple is stored with its sign in the lowest bit (zigzag), so that
small numbers of either sign have zeros in their upper bits. A block in which one value cannot be given so stays exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from instar.hmr.state.fields import Field

Values = npt.NDArray[Any]


def quantised(values: Values, field: Field) -> tuple[Values, Values] | None:
    """Zigzag multiples of the field's step, in unsigned integers of the values' size, and the values they stand for.

    Args:
        values: float32 or float64.
        field: The field, with its step and bounds.

    Returns:
        None where a value is not finite, too large, or would leave the field's bounds.
    """
    step = _step(field)
    bits = 8 * values.dtype.itemsize
    with np.errstate(all="ignore"):
        multiples = np.rint(values.astype(np.float64) / step)
        if not np.all(np.abs(multiples) < 2.0 ** (bits - 2)):
            return None
        whole = multiples.astype(f"i{bits // 8}")
        zigzag: Values = ((whole << 1) ^ (whole >> (bits - 1))).view(f"u{bits // 8}")
        rounded = _values(whole, field)
        if not _within(rounded, field) or not np.all(np.isfinite(rounded)):
            return None
    return zigzag, rounded


def restored(zigzag: Values, field: Field) -> Values:
    """The values, rounded to the field's step, that `quantised` stands for."""
    signed = zigzag.view(f"i{zigzag.dtype.itemsize}")
    whole = (zigzag >> 1).view(signed.dtype) ^ -(signed & 1)
    return _values(whole, field)


def can_round(field: Field | None) -> bool:
    """Whether the field's author allows its values to be rounded."""
    return field is not None and field.step is not None and field.type.dtype.kind == "f"


def _values(whole: Values, field: Field) -> Values:
    values: Values = (whole * _step(field)).astype(field.type.dtype)
    return values


def _step(field: Field) -> float:
    assert field.step is not None
    return float(field.step)


def _within(values: Values, field: Field) -> bool:
    """Whether values lie within the field's bounds, which are compared in the column's own dtype."""
    low = field.min is None or bool(np.all(values >= values.dtype.type(field.min)))
    return low and (field.max is None or bool(np.all(values <= values.dtype.type(field.max))))
