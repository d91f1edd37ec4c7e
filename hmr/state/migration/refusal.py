"""What is said where an edit would lose something: both schemas, and the lines that tell what becomes of the values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from instar.hmr.state.dtypes import ColumnType
from instar.hmr.state.errors import MigrationError
from instar.hmr.state.migration.conversion import is_comparable
from instar.hmr.state.migration.hook import Migrator, place_of
from instar.hmr.state.migration.plan import FieldPlan
from instar.hmr.state.references import Reference

KEPT = "The running version and all values are kept."


@dataclass(frozen=True, slots=True)
class Question:
    """What only a module's author can answer about one table.

    Attributes:
        old_table: Its name in the running world.
        table: Its name in the edit.
        fields: The fields of which something would be lost.
        reasons: Why, where it is known only from the values, by field.
        capacity: Its old and new capacity, where it has more rows than the new one.
        rows: Its rows.
    """

    old_table: str
    table: str
    fields: tuple[FieldPlan, ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()
    capacity: tuple[int, int] | None = None
    rows: int = 0

    def __bool__(self) -> bool:
        return bool(self.fields or self.capacity)

    def differences(self) -> list[str]:
        """The schemas where they differ, old → new, a line each."""
        said = dict(self.reasons)
        lines = []
        for plan in self.fields:
            assert plan.source is not None
            old, new = plan.source.field, plan.field
            why = said.get(new.name) or _why(old.type, new.type)
            name = new.name if old.name == new.name else f"{old.name}, now {new.name}"
            lines.append(f"{self.table}.{name}: {old.type} → {new.type} ({why})")
        if self.capacity is not None:
            lines.append(
                f"{self.table}: capacity {self.capacity[0]} → {self.capacity[1]} (and it has {self.rows} rows)"
            )
        return lines

    def answers(self, names: Sequence[str] | None = None) -> list[str]:
        """Lines of a `migrate` that answer it, for some of the fields or all."""
        lines = [_answer(self, plan) for plan in self.fields if names is None or plan.field.name in names]
        if any("np." in line for line in lines):
            lines.insert(0, "import numpy as np")
        if self.capacity is not None and names is None:
            most = self.capacity[1]
            lines.append(
                f"new.{self.table}.despawn(slice({most}, None))  # {self.rows - most} of {self.rows} rows go, the last ones"
            )
        return lines


def refusal(questions: Sequence[Question]) -> MigrationError:
    """The error for questions that nobody answers: there is no `migrate`."""
    differences = [line for question in questions for line in question.differences()]
    answers = dict.fromkeys(line for question in questions for line in question.answers())
    tables = ", ".join(question.table for question in questions)
    return MigrationError(
        "\n".join(
            (
                f"{tables}: the edit would lose something:",
                *(f"    {line}" for line in differences),
                f"{KEPT} Take the change back, or write what becomes of the values into the module and save it again:",
                "",
                "def migrate(old, new):",
                *(f"    {line}" for line in answers),
            )
        ),
        questions[0].table,
    )


def left_open(question: Question, names: Sequence[str], migrator: Migrator) -> MigrationError:
    """The error for a `migrate` that says nothing about some fields."""
    assert migrator.function is not None
    differences = [
        line for plan, line in zip(question.fields, question.differences(), strict=False) if plan.field.name in names
    ]
    return MigrationError(
        "\n".join(
            (
                f"{migrator.name} does not say what becomes of {', '.join(f'{question.table}.{one}' for one in names)}:",
                *(f"    {line}" for line in differences),
                f"{KEPT} Add to migrate and save the file again:",
                "",
                *(f"    {line}" for line in question.answers(names)),
            )
        ),
        question.table,
        place=place_of(None, migrator.function),
    )


def _why(old: ColumnType, new: ColumnType) -> str:
    if isinstance(old, Reference) and isinstance(new, Reference) and old.target != new.target:
        return f"ids of {old.target} name nobody among {new.target}"
    if old.shape != new.shape:
        return "a cell of another shape"
    if not is_comparable(old, new):
        return f"numbers are no ids of {getattr(new, 'target', '')}"
    return "it cannot hold all values"


def _answer(question: Question, plan: FieldPlan) -> str:
    """A line that fills a column with what can be had of the old one."""
    assert plan.source is not None
    old, new = plan.source.field, plan.field
    into, given = f"new.{question.table}.{new.name}", f"old.{question.old_table}.{old.name}"
    if isinstance(new.type, Reference):
        return f"{into}[:] = 0  # none: {_why(old.type, new.type)}"
    ours, theirs = _common(new.type.shape, old.type.shape)
    return f"{into}{ours} = {_cast(given + theirs, old.type, new.type)}"


def _common(new: tuple[int, ...], old: tuple[int, ...]) -> tuple[str, str]:
    """Indices of what cells of two shapes have in common; dimensions that one has and the other has not are taken at 0."""
    if new == old:
        return "[:]", ""
    dimensions = min(len(new), len(old))
    shared = [f":{min(new[at], old[at])}" for at in range(dimensions)]
    ours = ", ".join([":", *shared, *["0"] * (len(new) - dimensions)])
    theirs = ", ".join([":", *shared, *["0"] * (len(old) - dimensions)])
    return f"[{ours}]", f"[{theirs}]"


def _cast(given: str, old: ColumnType, new: ColumnType) -> str:
    """An expression of numbers that fit another dtype."""
    if old.dtype == new.dtype or new.dtype.kind == "f":
        if old.dtype.kind == new.dtype.kind == "f" and new.dtype.itemsize < old.dtype.itemsize:
            most = float(np.finfo(_plain(new)).max)
            return f"{given}.clip(-{most!r}, {most!r})"
        return given
    if new.dtype.kind == "b":
        return f"{given} != 0"
    info: Any = np.iinfo(_plain(new))
    if old.dtype.kind == "b":
        return given
    if old.dtype.kind == "f":
        low, high = (_whole_float(bound, old.dtype) for bound in (info.min, info.max))
        return f"np.nan_to_num({given}).clip({low}, {high}).round()"
    own: Any = np.iinfo(_plain(old))
    return f"{given}.clip({max(info.min, own.min)}, {min(info.max, own.max)})"


def _plain(kind: ColumnType) -> np.dtype[Any]:
    return kind.dtype


def _whole_float(bound: int, dtype: np.dtype[Any]) -> int:
    """The whole number nearest to a bound, and not past it, that a float type holds."""
    near = dtype.type(bound)
    return int(near if abs(int(near)) <= abs(bound) else np.nextafter(near, dtype.type(0)))
