"""The columns of one table, seen and parked.

A field that an edit removes is parked: its column stays, follows the moves of its rows, and comes back with its values
when the field does. A column is known by its field's name, dtype and cell shape; each keeps its bytes for good.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from instar.hmr.state.dtypes import ColumnType
from instar.hmr.state.errors import TableError
from instar.hmr.state.fields import Field
from instar.hmr.state.schema import Schema
from instar.native import Column

Key = tuple[str, ColumnType]
Cells = npt.NDArray[np.generic]

_kin = itertools.count(1)


def new_kin() -> int:
    """A number that no column has yet, for the columns of one field."""
    return next(_kin)


@dataclass(frozen=True, slots=True, eq=False)
class Lineage:
    """One column, under one declaration of its field.

    Attributes:
        column: Its bytes.
        field: The field as it was last declared.
        born: The frame from which on it is there.
        kin: A number that all columns of one field have in common, whatever its name and type became.
        formers: The names that the field had before, oldest first.
        row_bytes: The bytes of one row's cell.
        filling: The cell of a new row, or None where all its bytes are zero, as those past the last row already are.
    """

    column: Column
    field: Field
    born: int
    kin: int = dataclasses.field(default_factory=new_kin)
    formers: tuple[str, ...] = ()
    row_bytes: int = dataclasses.field(init=False)
    filling: Cells | None = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        cell = np.asarray(self.field.default, self.field.type.dtype)
        object.__setattr__(self, "row_bytes", self.field.type.cell_bytes)
        object.__setattr__(self, "filling", cell if any(cell.tobytes()) else None)

    @classmethod
    def reserve(
        cls,
        rows: int,
        field: Field,
        born: int,
        kin: int | None = None,
        formers: tuple[str, ...] = (),
        spare: Column | None = None,
    ) -> Lineage:
        """A column for so many rows, which holds nothing yet; a spare one, if that is large enough."""
        needed = rows * field.type.cell_bytes
        column = spare if spare is not None and spare.capacity_bytes >= needed else Column(needed)
        return cls(column, field, born, new_kin() if kin is None else kin, formers)

    @property
    def key(self) -> Key:
        """By what the column is known in its table."""
        return self.field.name, self.field.type

    def declared(self, field: Field, formers: tuple[str, ...] | None = None) -> Lineage:
        """The same column under another declaration."""
        return replace(self, field=field, formers=self.formers if formers is None else formers)

    def cells(self, start: int, stop: int) -> Cells:
        """A new view of the live rows ``start … stop``, shape ``(stop - start, *cell)``."""
        kind = self.field.type
        rows = stop - start
        if kind.shape:
            flat = np.frombuffer(self.column.live, kind.dtype, rows * math.prod(kind.shape), start * self.row_bytes)
            return flat.reshape(rows, *kind.shape)
        return np.frombuffer(self.column.live, kind.dtype, rows, start * self.row_bytes)


class Columns:
    """Columns of a table under one schema. It never changes: an edit makes another one.

    Attributes:
        visible: Those of the fields of the schema, by name.
    """

    def __init__(self, lineages: Iterable[Lineage], schema: Schema) -> None:
        """Args: lineages: in order of their creation, those of the schema's fields among them."""
        self._lineages: dict[Key, Lineage] = {lineage.key: lineage for lineage in lineages}
        self.visible = {name: self._lineages[name, field.type] for name, field in schema.fields.items()}

    @classmethod
    def reserve(cls, rows: int, schema: Schema, born: int) -> Columns:
        """New columns for a schema, with room for so many rows."""
        return cls([Lineage.reserve(rows, field, born) for field in schema.fields.values()], schema)

    def native(self) -> Iterable[Column]:
        """The native columns, parked ones too, in order of their creation."""
        return [lineage.column for lineage in self._lineages.values()]

    def packable(self) -> list[tuple[Column, int]]:
        """The columns whose committed bytes may be packed when nothing changes them, and the bytes of an element of each.

        References are not among them: validation reads them all the time.
        """
        lineages = self._lineages.values()
        return [(one.column, one.field.type.dtype.itemsize) for one in lineages if one.field.target is None]

    def name_of(self, column: Column) -> str:
        """The name of the field that a native column holds."""
        return next(lineage.field.name for lineage in self._lineages.values() if lineage.column is column)

    def column(self, field: Field) -> Column:
        """The native column of a field."""
        return self._lineages[field.name, field.type].column

    def described(self) -> Iterable[tuple[Field, bool, int]]:
        """Of each column, in the order of `native`: its field, whether it is visible, and the frame it came with."""
        for lineage in self._lineages.values():
            yield lineage.field, lineage is self.visible.get(lineage.field.name), lineage.born

    def lineages(self) -> Collection[Lineage]:
        """All columns, parked ones too, in order of their creation."""
        return self._lineages.values()

    def sync_extents(self, rows: int) -> None:
        """Tell the native columns how many of their bytes are in use."""
        for lineage in self._lineages.values():
            lineage.column.extent = rows * lineage.row_bytes

    def spawn(self, table: str, start: int, stop: int, given: Mapping[str, npt.ArrayLike]) -> None:
        """Write new rows, which are zero: given values, or the field's default; parked columns take theirs too.

        Raises:
            TableError: If a value does not fit; the rows are zero again then.
        """
        try:
            for lineage in self._lineages.values():
                lineage.column.expect(stop * lineage.row_bytes)
                name = lineage.field.name
                if name in given and lineage is self.visible.get(name):
                    copy_cells(lineage.cells(start, stop), given[name], f"{table}.{name}")
                else:
                    _fill(lineage, start, stop)
        except BaseException:
            self.clear(start, stop)
            raise

    def clear(self, start: int, stop: int) -> None:
        """Zero rows."""
        for lineage in self._lineages.values():
            lineage.cells(start, stop)[...] = 0

    def moving(self) -> list[tuple[Column, int]]:
        """The native columns, parked ones too, with the bytes of one cell."""
        return [(lineage.column, lineage.row_bytes) for lineage in self._lineages.values()]


def _fill(lineage: Lineage, start: int, stop: int) -> None:
    if lineage.filling is not None:
        lineage.cells(start, stop)[...] = lineage.filling


def copy_cells(into: Cells, value: npt.ArrayLike, what: str) -> None:
    """Copy values into cells.

    Raises:
        TableError: If they do not fit; names ``what`` it was for.
    """
    try:
        np.copyto(into, value, casting="same_kind")
    except (TypeError, ValueError, OverflowError) as error:
        given = np.asarray(value)
        raise TableError(
            f"{what} is {into.dtype} with shape {into.shape}; {given.dtype} with shape {given.shape} does not fit; "
            f"nothing was written ({error})"
        ) from None
