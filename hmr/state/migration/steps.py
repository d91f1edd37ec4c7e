"""What a migration does, in words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from instar.hmr.state.columns import Cells
from instar.hmr.state.fields import Field
from instar.hmr.state.ids import Rows
from instar.hmr.state.migration.plan import FieldPlan, Move, TablePlan
from instar.hmr.state.step import Step


class Steps:
    """The steps of one table.

    Attributes:
        lines: They, in order.
    """

    def __init__(self, plan: TablePlan, rows: int) -> None:
        """Args: plan: what becomes of the table; rows: how many it has."""
        self.lines: list[Step] = []
        self._plan = plan
        self._rows = rows

    def note(self, plan: FieldPlan) -> None:
        """Note what was done with a field."""
        field, old = plan.field, plan.source.field if plan.source is not None else None
        seen = old is not None and self._plan.old is not None and old.name in self._plan.old.fields
        if old is None:
            self._add(f"added {field}{self._no_such(field)}", field.name)
        elif not seen:
            self._add(_brought_back(old, field), field.name)
        else:
            self._rename(old, field)
            if plan.move is Move.REVERT:
                self._add(
                    f"{field.name} is {field.type} again, with its values of then; those of {old.type} are parked",
                    field.name,
                )
            elif old.type != field.type:
                by = ", by migrate" if plan.move is Move.ASK else ""
                self._add(f"{field.name} is now {field.type}, was {old.type}{by}", field.name)
        if old is not None:
            self._declare(old, field)

    def note_answered(self, field: Field) -> None:
        """Note that a `migrate` gave a field that is new its values."""
        self._add(f"{field.name} has the values that migrate gave it", field.name)

    def note_return(self, plan: FieldPlan, changed: int, rounded: int) -> None:
        """Note that a field took an earlier type again.

        Args:
            plan: The field's.
            changed: The rows whose values are others than the parked ones.
            rounded: Those of them that had to be rounded.
        """
        assert plan.source is not None
        old, field = plan.source.field, plan.field
        self._rename(old, field)
        said = f"{field.name} is {field.type} again, was {old.type}"
        if changed:
            said += f"; {_rows(changed)} changed since, and the newest values count"
        if rounded:
            said += f", of which {_rows(rounded)} rounded (the {old.type} values are parked)"
        self._add(said, field.name)
        self._declare(old, field)

    def note_rest(self) -> None:
        """Note what becomes of fields that are gone, of the order and of the capacity."""
        plan = self._plan
        if plan.old is None:
            return
        if plan.old.capacity != plan.new.capacity:
            self._add(f"capacity {plan.old.capacity} → {plan.new.capacity}", None)
            self.lines.insert(0, self.lines.pop())
        gone = [name for name in plan.old.fields if name not in {one.old_name for one in plan.fields}]
        for name in gone:
            self._add(f"parked {name}", name)
        for lineage in plan.dropped:
            self._add(
                f"let go of {lineage.field.name} ({lineage.field.type}), which was parked: its name is taken",
                lineage.field.name,
            )
        if list(plan.old.fields) != list(plan.new.fields) and plan.old.fields.keys() == plan.new.fields.keys():
            self._add(f"fields in another order: {', '.join(plan.new.fields)}", None)

    def warn_outside(self, field: Field, cells: Cells) -> None:
        """Note the rows whose values are not what a field now asks for."""
        outside = rows_outside(field, cells)
        if outside.size:
            cell = cells[outside[0]].tolist()
            self._add(
                f"{_rows(outside.size)} of {field.name} are not {rules(field)} (row {outside[0]}: {cell}); they are kept, and "
                f"validation tells of them",
                field.name,
            )

    def _add(self, text: str, column: str | None) -> None:
        table = self._plan.new.table
        self.lines.append(Step(f"{table}: {text}", table, column, self._rows))

    def _rename(self, old: Field, new: Field) -> None:
        if old.name != new.name:
            self._add(f"{old.name} is now {new.name}", new.name)

    def _declare(self, old: Field, new: Field) -> None:
        """Note what rules and defaults changed."""
        if old.default != new.default and old.type.shape == new.type.shape:
            self._add(f"{new.name} has default {new.default}, had {old.default}", new.name)
        if rules(old) != rules(new):
            self._add(f"{new.name} is now {rules(new) or 'without bounds'}, was {rules(old) or 'without'}", new.name)

    def _no_such(self, field: Field) -> str:
        if field.was is None or self._plan.old is None or field.was in {one.old_name for one in self._plan.fields}:
            return ""
        return f"; there is no {field.was} whose values it could take"


def rules(field: Field) -> str:
    """What the values of a field must be, in words."""
    said = [f"{name} {value}" for name in ("min", "max", "step") if (value := getattr(field, name)) is not None]
    return ", ".join([*said, "finite"] if field.finite else said)


def rows_outside(field: Field, cells: Cells) -> Rows:
    """The rows whose values a field does not allow, ascending."""
    flat: Any = cells.reshape(len(cells), math.prod(cells.shape[1:]))
    bad = ~np.isfinite(flat) if field.finite else np.zeros(flat.shape, np.bool_)
    if field.min is not None:
        bad |= ~(flat >= field.type.dtype.type(field.min))
    if field.max is not None:
        bad |= ~(flat <= field.type.dtype.type(field.max))
    return np.flatnonzero(bad.any(axis=1))


def _brought_back(old: Field, new: Field) -> str:
    said = f"brought back {old.name}"
    if old.name != new.name:
        said += f" as {new.name}"
    return said if old.type == new.type else f"{said} as {new.type}, was {old.type}"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
