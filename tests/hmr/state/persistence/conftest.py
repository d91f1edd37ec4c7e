from __future__ import annotations

import math
import struct
from typing import Any

from hypothesis import strategies as st

ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(1 << 200), max_value=1 << 200)
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.text(st.characters(), max_size=40)
    | st.text("é\ud800\udfff😀", max_size=5)
    | st.binary(max_size=40)
)
KEYS = st.recursive(ATOMS, lambda parts: st.lists(parts, max_size=3).map(tuple), max_leaves=3)
PLAIN: st.SearchStrategy[Any] = st.recursive(
    ATOMS,
    lambda parts: (
        st.lists(parts, max_size=4)
        | st.lists(parts, max_size=4).map(tuple)
        | st.dictionaries(KEYS, parts, max_size=4)
        | st.sets(KEYS, max_size=4)
    ),
    max_leaves=12,
)


def same(left: Any, right: Any) -> bool:
    """Whether two values are the same in types, bits and order, as `==` does not tell."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return struct.pack("<d", left) == struct.pack("<d", right)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return same(list(left.items()), list(right.items()))
    if isinstance(left, set):
        return sorted(map(told, left)) == sorted(map(told, right))
    return bool(left == right)


def told(value: Any) -> str:
    """A text that tells a hashable value from every other."""
    if isinstance(value, float) and math.isnan(value):
        return struct.pack("<d", value).hex()
    return f"{type(value).__name__} {tuple(map(told, value)) if isinstance(value, tuple) else repr(value)}"
