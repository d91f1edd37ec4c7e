"""The columns of one table, seen and parked.

A field that an edit removes is parked: its column stays, follows the moves of its rows, and comes back with its values
when the field does. A column is known by its field's name, dtype and cell shape; each keeps its bytes for good.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from instar.hmr.state.dtypes import ColumnType
from instar.hmr.state.errors import MigrationError, TableError
from instar.hmr.state.fields import Field
from instar.hmr.state.schema import Schema
from instar.hmr.state.step import Step
from instar.native import Column

Key = tuple[str, ColumnType]
Cells = npt.NDArray[np.generic]


@dataclass(slots=True, eq=False)
class Lineage:
    """One column through the edits of its field.

    Attributes:
        column: Its bytes.
        field: The field as it was last declared.
        born: The frame from which on it is there.
        row_bytes: The bytes of one row's cell.
        filling: The cell of a new row, or None where all its bytes are zero, as those past the last row already are.
    """

    column: Column
    field: Field
    born: int
    row_bytes: int
    filling: Cells | None = None

    def __post_init__(self) -> None:
        self.declare(self.field)

    def declare(self, field: Field) -> None:
        """Take up another declaration of the same name and type."""
        cell = np.asarray(field.default, field.type.dtype)
        self.field = field
        self.filling = cell if any(cell.tobytes()) else None

    def cells(self, start: int, stop: int) -> Cells:
        """A new view of the live rows ``start … stop``, shape ``(stop - start, *cell)``."""
        kind = self.field.type
        rows = stop - start
        if kind.shape:
            flat = np.frombuffer(self.column.live, kind.dtype, rows * math.prod(kind.shape), start * self.row_bytes)
            return flat.reshape(rows, *kind.shape)
        return np.frombuffer(self.column.live, kind.dtype, rows, start * self.row_bytes)


ColumnsMark = Mapping[Key, tuple[Lineage, Lineage]]
"""The columns of a table at a moment, each with what it was then."""


class Columns:
    """Columns of a table by field name and type.

    Attributes:
        visible: Those of the fields of the current schema, by name.
    """

    def __init__(self, reserved: int) -> None:
        self._reserved = reserved
        self._lineages: dict[Key, Lineage] = {}
        self.visible: dict[str, Lineage] = {}

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

    def declare(self, field: Field, born: int) -> None:
        """Have an empty column for a field, last in order, which came with a frame."""
        lineage = self._lineages.pop((field.name, field.type), None) or self._reserve(field, born)
        lineage.declare(field)
        lineage.born = born
        self._lineages[field.name, field.type] = lineage

    def become(self, other: Columns, schema: Schema) -> None:
        """Take the empty columns of another table, but in place of them those of one's own that are alike."""
        for key, lineage in other._lineages.items():
            own = self._lineages.get(key)
            if own is not None and self._reserved == other._reserved:
                own.declare(lineage.field)
                own.born = lineage.born
                other._lineages[key] = own
        self._reserved, self._lineages = other._reserved, other._lineages
        self.show(schema)

    def show(self, schema: Schema) -> None:
        """Make the fields of a schema whose columns are all there the visible ones; writes nothing."""
        self.visible = {name: self._lineages[name, field.type] for name, field in schema.fields.items()}
        for name, lineage in self.visible.items():
            lineage.declare(schema.fields[name])

    def mark(self) -> ColumnsMark:
        """The columns and their fields as they are now."""
        return {key: (lineage, copy(lineage)) for key, lineage in self._lineages.items()}

    def return_to_mark(self, mark: ColumnsMark, schema: Schema) -> None:
        """Have the columns of a mark again, and no others, with a schema of that moment; writes nothing."""
        for lineage, before in mark.values():
            for part in dataclasses.fields(Lineage):
                setattr(lineage, part.name, getattr(before, part.name))
        self._lineages = {key: lineage for key, (lineage, _) in mark.items()}
        self.show(schema)

    def lineages(self) -> Iterable[Lineage]:
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

    def forget_after(self, frame: int) -> None:
        """Drop the columns that came after a frame which has become the newest."""
        self._lineages = {key: lineage for key, lineage in self._lineages.items() if lineage.born <= frame}

    def expose(self, old: Schema, new: Schema, rows: int, frame: int) -> list[Step]:
        """Make the fields of ``new`` visible from a frame on; returns the steps taken, for people.

        Raises:
            MigrationError: If a field's values would not survive; nothing has changed then.
        """
        self.check(old, new, rows, frame)
        steps = []
        if old.capacity != new.capacity:
            steps.append(Step(f"{new.table}: capacity {old.capacity} → {new.capacity}", new.table, None, rows))
        for name, field in new.fields.items():
            step = self._expose_field(old.fields.get(name), field, rows, frame)
            steps += [Step(f"{new.table}: {step}", new.table, name, rows)] if step else []
        gone = [name for name in old.fields if name not in new.fields]
        steps += [Step(f"{new.table}: parked {name}", new.table, name, rows) for name in gone]
        self.show(new)
        return steps

    def check(self, old: Schema, new: Schema, rows: int, frame: int) -> None:
        """See whether the columns can take a new schema by themselves, at a frame; columns that came later are forgotten then.

        Raises:
            MigrationError: If something would be lost; names both types and what to write instead.
        """
        kept = "The running version and all values are kept"
        if not rows <= new.capacity <= self._reserved:
            limit = (
                f"less than its {rows} rows" if new.capacity < rows else f"more than the {self._reserved} rows reserved"
            )
            raise MigrationError(
                f"{new.table}: capacity={new.capacity} is {limit}. {kept}; restart the scene to change it",
                new.table,
            )
        for name, field in new.fields.items():
            before = old.fields.get(name)
            if before is not None and before.type != field.type and not self._survives(before, field, frame):
                raise MigrationError(
                    f"{new.table}.{name} is {before.type} in the running world and {field.type} in the edit: its values "
                    f"would not survive. {kept}; keep `{name}: {before.type}`, or give the new field another name",
                    new.table,
                )

    def _survives(self, old: Field, new: Field, frame: int) -> bool:
        """Whether a field's values can take the new type: it is wider, or the one they came from."""
        if new.target is not None and (old.target not in (None, new.target) or old.type.dtype != new.type.dtype):
            return False
        origin = self._lineages.get((new.name, new.type))
        came_from = origin is not None and origin.born <= frame
        return old.type.shape == new.type.shape and (came_from or np.can_cast(old.type.dtype, new.type.dtype, "safe"))

    def _expose_field(self, old: Field | None, new: Field, rows: int, frame: int) -> str | None:
        key = (new.name, new.type)
        parked = self._lineages.get(key)
        if parked is None:
            parked = self._lineages[key] = self._reserve(new, frame)
            if name_is_new := old is None or new.name not in self.visible:
                _fill(parked, 0, rows)
            step = f"added {new}" if name_is_new else None
        else:
            step = f"brought back {new.name}" if old is None else None
        if old is not None and old.type != new.type and old.name in self.visible:
            with np.errstate(invalid="ignore"):  # a NaN may be a signalling one
                parked.cells(0, rows)[...] = self.visible[old.name].cells(0, rows)
            step = f"{new.name} is now {new.type}, was {old.type}"
        return step

    def _reserve(self, field: Field, frame: int) -> Lineage:
        row_bytes = field.type.cell_bytes
        return Lineage(Column(self._reserved * row_bytes), field, frame, row_bytes)


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
