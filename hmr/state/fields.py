"""Fields: one line of an `Agents` class, with what its values must be."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import keyword
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from instar.hmr.state.dtypes import BOOL, NAMES, ColumnType
from instar.hmr.state.errors import SchemaError
from instar.hmr.state.references import Reference

RESERVED = frozenset({"id", "spawn", "despawn", "rows_of", "name", "schema", "capacity"})
"""Names of the table itself, which no field may take."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `field()` was given; it becomes a `Field` with the annotation beside it."""

    default: Any = 0
    min: float | None = None
    max: float | None = None
    finite: bool = False
    step: float | None = None
    was: str | None = None


def field(
    default: Any = 0,
    *,
    min: float | None = None,  # noqa: A002 - the words of the public face
    max: float | None = None,  # noqa: A002
    finite: bool = False,
    step: float | None = None,
    was: str | None = None,
) -> Any:
    """Declare a field with a default, and what its values must be.

    Example:
        ``energy: f32 = field(1.0, min=0, finite=True)``

    Args:
        default: The value of the field in a new row; a number, or as many as the cell has.
        min: The smallest value that validation accepts, for every element of a cell. NaN lies within no bounds.
        max: The largest one.
        finite: Whether validation reports NaN and infinities; for floats.
        step: The precision that checkpoints and history may keep, in the field's unit, such as ``1/64``; for floats. The live
            column stays full.
        was: The name that the field had before: an edit that brings the new name takes the column along, with all values. It
            applies once: a field that is there under its new name keeps its column, whatever else is called the old name later.
    """
    return Declaration(default, min, max, finite, step, was)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a schema.

    Attributes:
        name: The column's name.
        type: Its dtype and cell shape.
        default: The value in a new row: a number, or nested tuples in the shape of the cell.
        min: The smallest value that is valid, or None.
        max: The largest value that is valid, or None.
        finite: Whether NaN and infinities are invalid.
        step: The precision that checkpoints and history may keep, or None for all of it.
        target: The table whose ids a `Ref` column holds, or None.
        was: The name that it had before, or None; no difference between two fields.
    """

    name: str
    type: ColumnType
    default: Any = 0
    min: float | None = None
    max: float | None = None
    finite: bool = False
    step: float | None = None
    target: str | None = None
    was: str | None = dataclasses.field(default=None, compare=False)

    def __str__(self) -> str:
        said = [str(self.type), f"default {self.default}"]
        said += [f"{name} {value}" for name in ("min", "max", "step") if (value := getattr(self, name)) is not None]
        return f"{self.name} ({', '.join(said)}{', finite' if self.finite else ''})"


def make_field(
    name: str,
    kind: Any,
    default: Any = 0,
    *,
    min: float | None = None,  # noqa: A002 - as `field` has it
    max: float | None = None,  # noqa: A002
    finite: bool = False,
    step: float | None = None,
    was: str | None = None,
) -> Field:
    """A checked field.

    Raises:
        SchemaError: If the name is the table's own, the type no column type, or an option does not fit it.
    """
    has_options = not all(one is None for one in (min, max, step, was)) or finite is not False
    if not has_options and type(default) is int and default == 0 and isinstance(kind, ColumnType) and type(name) is str:
        return _simple(name, kind)
    return _make(name, kind, default, min, max, finite, step, was)


@functools.lru_cache(maxsize=1024)
def _simple(name: str, kind: ColumnType) -> Field:
    """A field without options: each version of a file declares the same ones again."""
    return _make(name, kind, 0, None, None, False, None, None)


def _make(
    name: str,
    kind: Any,
    default: Any,
    min: float | None,  # noqa: A002 - as `field` has it
    max: float | None,  # noqa: A002
    finite: bool,
    step: float | None,
    was: str | None,
) -> Field:
    _check_name(name)
    if was is not None and (not is_name(was) or was == name):
        raise SchemaError(f'{name}: was={was!r} must be the name that the field had before, such as was="angle"')
    column_type = BOOL if kind is bool else kind
    if not isinstance(column_type, ColumnType):
        shown = getattr(kind, "__name__", None) or repr(kind)
        near = difflib.get_close_matches(str(shown), NAMES, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise SchemaError(
            f"{name}: {shown} is no column type{hint} (there are {', '.join(NAMES)} and shapes such as f32[2])"
        )
    target = column_type.target if isinstance(column_type, Reference) else None
    cell = _checked_default(name, column_type, default)
    _check_options(name, column_type, target, min, max, finite, step)
    _check_within(name, column_type, cell, default, min, max, finite)
    return Field(name, column_type, _as_tuples(cell.tolist()), min, max, finite, step, target, was)


def is_name(name: Any) -> bool:
    """Whether something can name a field or a table in Python."""
    return isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name)


def _check_name(name: Any) -> None:
    if not is_name(name):
        raise SchemaError(f"{name!r} cannot name a field: use letters, digits and underscores")
    if name in RESERVED or name.startswith("_"):
        reason = "is a name of the table itself" if name in RESERVED else "starts with an underscore"
        raise SchemaError(f"{name} {reason}: give the field another name")


def _checked_default(name: str, kind: ColumnType, default: Any) -> np.ndarray[Any, Any]:
    try:
        with np.errstate(all="ignore"):
            given = np.asarray(default)
            cell = np.broadcast_to(given, kind.shape).astype(kind.dtype)
        fits = given.dtype.kind in "biuf" and (kind.dtype.kind == "f" or bool(np.all(cell == given)))
    except (ValueError, TypeError, OverflowError):
        fits = False
    if isinstance(kind, Reference) and not (fits and not np.any(cell)):
        raise SchemaError(
            f"{name}: the default {default!r} is no id that {kind} can begin with: new rows refer to none, 0"
        )
    if not fits:
        raise SchemaError(f"{name}: the default {default!r} does not fit {kind}")
    return cell


def _check_options(
    name: str,
    kind: ColumnType,
    target: str | None,
    least: float | None,
    most: float | None,
    finite: bool,
    step: float | None,
) -> None:
    for word, bound in (("min", least), ("max", most)):
        if bound is not None and (kind.dtype.kind == "b" or target is not None):
            raise SchemaError(f"{name}: {word}={bound!r} is for numbers, and {kind} holds none")
        if bound is not None and not _holds(kind, bound):
            raise SchemaError(
                f"{name}: {word}={bound!r} is no number that {kind} can hold; give one for all of the cell"
            )
    if least is not None and most is not None and least > most:
        raise SchemaError(f"{name}: min={least!r} is above max={most!r}, so that no value would be valid")
    if type(finite) is not bool:
        raise SchemaError(f"{name}: finite={finite!r} must be True or False")
    if finite and kind.dtype.kind != "f":
        raise SchemaError(f"{name}: finite=True is for floats; every {kind} is finite")
    if step is not None and kind.dtype.kind != "f":
        raise SchemaError(f"{name}: step={step!r} is for floats; {kind} is exact")
    if step is not None and not (_holds(kind, step) and float(kind.dtype.type(step)) > 0):
        raise SchemaError(f"{name}: step={step!r} must be a number above 0 that {kind} can hold")


def _holds(kind: ColumnType, number: Any) -> bool:
    """Whether a number is one that a column of this type can hold: finite, and for integers the very same."""
    if not isinstance(number, int | float | np.integer | np.floating) or isinstance(number, bool):
        return False
    with np.errstate(all="ignore"):
        try:
            held = np.asarray(number).astype(kind.dtype)
        except OverflowError:
            return False
    return math.isfinite(float(held)) if kind.dtype.kind == "f" else int(held) == number


def _check_within(
    name: str,
    kind: ColumnType,
    cell: np.ndarray[Any, Any],
    default: Any,
    least: float | None,
    most: float | None,
    finite: bool,
) -> None:
    """The default must be as valid as validation wants it: bounds are compared in the column's own dtype."""
    if finite and not np.all(np.isfinite(cell)):
        raise SchemaError(f"{name}: the default {default!r} is not finite, as finite=True asks")
    if least is not None and not np.all(cell >= kind.dtype.type(least)):
        raise SchemaError(f"{name}: the default {default!r} is below min={least!r}")
    if most is not None and not np.all(cell <= kind.dtype.type(most)):
        raise SchemaError(f"{name}: the default {default!r} is above max={most!r}")


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value
