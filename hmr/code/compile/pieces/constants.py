"""Constants of code as they stand in marshalled bytes, so that code can be put together without making it."""

from __future__ import annotations

import cmath
import marshal
from collections.abc import Iterator
from itertools import pairwise
from types import CodeType
from typing import NamedTuple

NAME = "<instar piece>"
"""The file's name in what is compiled to be taken apart."""
REFERENCE = b"r" + bytes(4)
"""Stands for the first object of a marshalled value that others refer to: here, the file's name."""
_VERSION = 2
"""Of marshal: has no references of its own."""
_NAMED = len(NAME).to_bytes(4, "little") + NAME.encode()


class Constant(NamedTuple):
    """A constant, marshalled.

    Attributes:
        key: equal for what the compiler makes one constant of; None for code, of which no two are equal.
        data: the bytes.
        lines: where lines stand in them (4 bytes, little endian), and what they are.
        name: where they first refer to the file's name; -1 if they do not.
    """

    key: bytes | None
    data: bytes
    lines: tuple[tuple[int, int], ...] = ()
    name: int = -1

    def at(self, line: int) -> bytes:
        """Returns the bytes for a piece that begins at a line."""
        if not self.lines:
            return self.data
        data = bytearray(self.data)
        for place, counted in self.lines:
            data[place : place + 4] = (line - 1 + counted).to_bytes(4, "little")
        return bytes(data)


def constant_of(value: object, ahead: int) -> Constant:
    """Returns a constant of what was compiled with so many lines ahead of the piece.

    Raises:
        ValueError: it is one that cannot be told from others.
    """
    if not isinstance(value, CodeType):
        return Constant(key_of(value), dumped(value))
    parts = dumped(value).split(_NAMED)
    codes = list(_codes(value))
    if len(parts) != len(codes) + 1:
        raise ValueError("the name of the file stands somewhere else in it too")
    data = b""
    lines = []
    for part, following in pairwise(parts):
        data += part[:-1] + REFERENCE
        place = _behind_string(following, _behind_string(following, 0))
        lines.append((len(data) + place, int.from_bytes(following[place : place + 4], "little") - ahead))
    return Constant(None, data + parts[-1], tuple(lines), len(parts[0]) - 1)


def dumped(value: object) -> bytes:
    """Returns a value, marshalled without references."""
    return marshal.dumps(value, _VERSION)  # type: ignore[arg-type]


def key_of(value: object) -> bytes:
    """Returns bytes that are equal for values that the compiler takes for the same, as `_PyCode_ConstantKey` has it.

    Raises:
        ValueError: it is not a number, so that no two are the same.
    """
    if isinstance(value, tuple | frozenset):
        keys = [key_of(one) for one in value]
        inside = b"".join(
            len(key).to_bytes(4, "little") + key for key in (keys if isinstance(value, tuple) else sorted(keys))
        )
        return (b"(" if isinstance(value, tuple) else b"{") + inside
    if isinstance(value, str):
        return b"u" + value.encode("utf-8", "surrogatepass")
    if isinstance(value, float | complex) and cmath.isnan(value):
        raise ValueError("a constant that is not a number")
    return dumped(value)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _behind_string(data: bytes, place: int) -> int:
    """Returns where a marshalled string (type, length, text) ends."""
    return place + 5 + int.from_bytes(data[place + 1 : place + 5], "little")
