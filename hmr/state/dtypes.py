"""The types a column can have: `f32`, `i64`, `f32[2]` and their kin."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from instar.hmr.state.errors import SchemaError

MAX_CELL_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class ColumnType:
    """The dtype and shape of one row's cell in a column.

    Attributes:
        name: The dtype's short name, such as ``f32``.
        dtype: The NumPy dtype of an element.
        shape: The shape of one cell; empty for a scalar.
    """

    name: str
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...] = ()

    def __getitem__(self, shape: int | tuple[int, ...]) -> ColumnType:
        """A cell of several elements: `f32[2]` is a pair, `f32[3, 3]` a matrix.

        Raises:
            SchemaError: If a length is not a positive whole number.
        """
        lengths = shape if isinstance(shape, tuple) else (shape,)
        if self.shape or not lengths or not all(type(n) is int and n > 0 for n in lengths):
            raise SchemaError(
                f"{self}[{shape!r}] is no column type: write positive lengths once, such as {self.name}[2]"
            )
        if self.dtype.itemsize * math.prod(lengths) > MAX_CELL_BYTES:
            raise SchemaError(f"{self.name}[{shape!r}] is too large: a cell has at most {MAX_CELL_BYTES} bytes")
        return ColumnType(self.name, self.dtype, lengths)

    def __str__(self) -> str:
        return self.name + (f"[{', '.join(map(str, self.shape))}]" if self.shape else "")

    __repr__ = __str__

    @property
    def cell_bytes(self) -> int:
        """The bytes of one row's cell."""
        return self.dtype.itemsize * math.prod(self.shape)


def _column_type(name: str, dtype: type[np.generic]) -> ColumnType:
    return ColumnType(name, np.dtype(dtype))


if TYPE_CHECKING:
    f32: TypeAlias = npt.NDArray[np.float32]
    f64: TypeAlias = npt.NDArray[np.float64]
    i8: TypeAlias = npt.NDArray[np.int8]
    i16: TypeAlias = npt.NDArray[np.int16]
    i32: TypeAlias = npt.NDArray[np.int32]
    i64: TypeAlias = npt.NDArray[np.int64]
    u8: TypeAlias = npt.NDArray[np.uint8]
    u16: TypeAlias = npt.NDArray[np.uint16]
    u32: TypeAlias = npt.NDArray[np.uint32]
    u64: TypeAlias = npt.NDArray[np.uint64]
else:
    f32 = _column_type("f32", np.float32)
    f64 = _column_type("f64", np.float64)
    i8 = _column_type("i8", np.int8)
    i16 = _column_type("i16", np.int16)
    i32 = _column_type("i32", np.int32)
    i64 = _column_type("i64", np.int64)
    u8 = _column_type("u8", np.uint8)
    u16 = _column_type("u16", np.uint16)
    u32 = _column_type("u32", np.uint32)
    u64 = _column_type("u64", np.uint64)

BOOL = _column_type("bool", np.bool_)
"""What the annotation `bool` means."""

NAMES = ("f32", "f64", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "bool")
