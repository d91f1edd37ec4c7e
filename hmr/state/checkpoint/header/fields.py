"""Fields of a schema as JSON holds them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from instar.hmr.state import dtypes
from instar.hmr.state.checkpoint.header.document import BadHeader, Part
from instar.hmr.state.dtypes import BOOL, NAMES, ColumnType
from instar.hmr.state.errors import SchemaError
from instar.hmr.state.fields import Field, make_field
from instar.hmr.state.references import reference_to

_MOST_DIMENSIONS = 32
_OPTIONS = ("min", "max", "step")
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def field_document(field: Field) -> dict[str, Any]:
    """What JSON holds of a field besides its name."""
    document: dict[str, Any] = {
        "type": field.type.name if field.target is None else "u64",
        "shape": list(field.type.shape),
        "default": _plain(field.default),
    }
    document |= {name: _plain(value) for name in _OPTIONS if (value := getattr(field, name)) is not None}
    document |= {} if field.target is None else {"target": field.target}
    return document | ({"finite": True} if field.finite else {})


def read_field(part: Part, name: str) -> Field:
    """The field that `field_document` described.

    Raises:
        BadHeader: If there can be no such field.
    """
    options = {option: _value(part.any(option), part.place) for option in _OPTIONS if part.has(option)}
    default = _value(part.any("default"), part.place)
    finite = part.has("finite") and part.flag("finite")
    try:
        return make_field(name, _column_type(part), default, finite=finite, **options)
    except (SchemaError, RecursionError) as error:
        raise BadHeader(f"{part.place}: {error}") from None


def _column_type(part: Part) -> ColumnType:
    name, shape = part.text("type"), part.wholes("shape", _MOST_DIMENSIONS)
    if name not in NAMES:
        raise BadHeader(f"{part.place}: {name!r} is no column type")
    kind: ColumnType = BOOL if name == "bool" else getattr(dtypes, name)
    if part.has("target"):
        if name != "u64":
            raise BadHeader(f"{part.place}: ids of another table are u64, not {name}")
        kind = reference_to(part.text("target"))
    return kind[tuple(shape)] if shape else kind


def _plain(value: Any) -> Any:
    """A number, or nested numbers, with names for those that JSON does not have."""
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def _value(plain: Any, place: str) -> Any:
    if isinstance(plain, list):
        return tuple(_value(one, place) for one in plain)
    if isinstance(plain, str):
        if plain not in _NOT_FINITE:
            raise BadHeader(f"{place}: {plain[:20]!r} is no number")
        return _NOT_FINITE[plain]
    if not isinstance(plain, bool | int | float):
        raise BadHeader(f"{place}: {str(plain)[:20]} is no number")
    return plain
