"""Targets: the columns of a table as validation sees them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instar.hmr.state.fields import Field
from instar.native import CHUNK_BYTES, Column
from instar.native.integrity import Bounds


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """One column.

    Attributes:
        table: The table's name.
        name: The column's name.
        column: Its bytes.
        row_bytes: The bytes of one row's cell; 0 where the column has no rows.
        field: The visible field it holds, or None.
        bounds: What its elements must lie within, or None.
    """

    table: str
    name: str
    column: Column
    row_bytes: int
    field: Field | None = None
    bounds: Bounds | None = None

    @classmethod
    def of_field(cls, table: str, field: Field, column: Column) -> Target:
        """The target of a visible field."""
        return cls(table, field.name, column, field.type.cell_bytes, field, bounds_of(field))

    @property
    def refers_to(self) -> str | None:
        """The table whose ids the column holds."""
        return self.field.target if self.field is not None else None

    def rows_of(self, chunk: int) -> range:
        """The committed rows that have bytes in a chunk."""
        if self.row_bytes == 0:
            return range(0)
        rows = self.column.committed_extent // self.row_bytes
        last = -(-(chunk + 1) * CHUNK_BYTES // self.row_bytes)
        return range(min(chunk * CHUNK_BYTES // self.row_bytes, rows), min(last, rows))

    def cells(self, rows: range) -> npt.NDArray[Any]:
        """A view of committed cells, shape ``(len(rows), elements of a cell)``; a bool's are its bytes."""
        assert self.field is not None
        dtype = np.dtype(np.uint8) if self.field.type.dtype.kind == "b" else self.field.type.dtype
        at = rows.start * self.row_bytes
        flat = np.frombuffer(self.column.committed[at : at + len(rows) * self.row_bytes], dtype)
        return flat.reshape(len(rows), -1)


@dataclass(frozen=True, slots=True, eq=False)
class Guarded:
    """What validation looks at in one table.

    Attributes:
        name: The table.
        header: Three committed u64: rows, slots used, slots on the free list.
        ids: u64 a row.
        slots: u64 a slot: generation << 32 | row.
        free: u32 a free slot.
        fields: The visible fields.
        parked: The columns of fields that an edit has removed.
    """

    name: str
    header: Target
    ids: Target
    slots: Target
    free: Target
    fields: tuple[Target, ...]
    parked: tuple[Target, ...]

    @property
    def targets(self) -> Iterable[Target]:
        """All columns; those that others are checked by come first."""
        return (self.header, self.slots, self.ids, self.free, *self.fields, *self.parked)

    @property
    def weight(self) -> int:
        """The bytes that a round looks at, some of them twice."""
        twice = (self.ids, *(target for target in self.fields if target.refers_to))
        return sum(target.column.committed_extent for target in (*self.targets, *twice))

    def counts(self) -> tuple[int, int, int]:
        """Committed rows, slots used and slots on the free list."""
        rows, slots, free = np.frombuffer(self.header.column.committed[:24], np.uint64).tolist()
        return rows, slots, free


def bounds_of(field: Field) -> Bounds | None:
    """The bounds within which a field's values are valid, or None if all are."""
    dtype = field.type.dtype
    if dtype.kind == "b":
        return Bounds("bool", 0, 1)
    if field.min is None and field.max is None and not field.finite:
        return None
    info: Any = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    number = float if dtype.kind == "f" else int
    low, high = number(info.min), number(info.max)
    if dtype.kind == "f" and not field.finite:
        low, high = -np.inf, np.inf
    # Bounds count as the column's dtype rounds them: a value that was set to one lies within.
    least = low if field.min is None else number(dtype.type(field.min))
    most = high if field.max is None else number(dtype.type(field.max))
    return Bounds(field.type.name, least, most)
