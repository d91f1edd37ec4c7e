"""Plain data as bytes: the one form of each value, which any reader can check.

A value is a tag byte and what follows it. Counts and lengths are LEB128 varints of the least bytes.

===========  ===========================================================================================================
0, 1, 2      None, False, True
3            int: length, two's complement in little-endian order, of the least bytes
4            float: IEEE 754 binary64, little-endian; every NaN keeps its bits
5            str: length, UTF-8 (lone surrogates as three bytes)
6            bytes: length, bytes
7, 8         list, tuple: count, elements
9            dict: count, each key followed by its value, in the order of the dict
10           set: count, elements, in the order of their bytes
===========  ===========================================================================================================

Nothing else can be told or read, so reading what a stranger wrote makes plain data or raises.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np

MOST_BYTES = 1 << 16
"""The most bytes that a value may take, told as these."""
MOST_DEPTH = 64
"""How deep values may be nested; what contains itself is deeper than that."""
HOLDS = "None, bool, int, float, str, bytes, list, tuple, dict and set"

_NONE, _FALSE, _TRUE, _INT, _FLOAT, _STR, _BYTES, _LIST, _TUPLE, _DICT, _SET = range(11)
_DOUBLE = struct.Struct("<d")
_FLOAT_CELL = struct.Struct("<Bd")


class NotPlain(ValueError):
    """A value is not plain data; the text says what of it, after the name of the value."""


class NotTold(ValueError):
    """Bytes are not what a value is told as; the text says why."""


def encode(value: object) -> bytes:
    """The bytes of a value: equal for equal values of the same types, whatever the process or version of Python.

    Raises:
        NotPlain: If it holds anything but plain data, or is too large or too deep; names the place inside of it.
    """
    try:
        out = _WRITERS[type(value)](value, 0)
    except KeyError:
        raise NotPlain(_refused(value)) from None
    except _TooDeep:
        raise NotPlain(f" is nested more than {MOST_DEPTH} deep, or contains itself") from None
    if len(out) > MOST_BYTES:
        raise NotPlain(f" takes {len(out):,} bytes, and at most {MOST_BYTES:,} can be persisted")
    return out


def decode(data: bytes) -> Any:
    """The value that bytes tell, new in all its parts.

    Raises:
        NotTold: If they are not exactly what `encode` makes of a value.
    """
    if len(data) > MOST_BYTES:
        raise NotTold(f"it takes {len(data):,} bytes, more than any value")
    try:
        value, end = _read(data, 0, 0)
    except IndexError:
        raise NotTold("it ends too early") from None
    except _TooDeep:
        raise NotTold(f"it is nested more than {MOST_DEPTH} deep") from None
    if end != len(data):
        raise NotTold(f"{len(data) - end} bytes follow its end")
    return value


def tell_as(kind: type, plain: type) -> None:
    """Have values of a subclass of a plain type told as that type, which is what they are when they are read again."""
    _WRITERS[kind] = _WRITERS[plain]


def is_frozen(value: object) -> bool:
    """Whether plain data cannot change as long as it is the same object."""
    kind = type(value)
    return kind not in _MUTABLE and (kind is not tuple or all(map(is_frozen, value)))  # type: ignore[call-overload]


class _TooDeep(Exception):
    pass


def _tell_int(value: int, _: int) -> bytes:
    return _tell_small(value) if -(1 << 31) <= value < 1 << 31 else _tell_number(value)


def _tell_number(value: int) -> bytes:
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return _head(_INT, size) + value.to_bytes(size, "little", signed=True)


_tell_small = lru_cache(maxsize=1024)(_tell_number)


def _tell_float(value: float, _: int) -> bytes:
    return _FLOAT_CELL.pack(_FLOAT, value)


def _tell_str(value: str, _: int) -> bytes:
    return _tell_word(value) if len(value) <= 32 else _tell_text(value)


def _tell_text(value: str) -> bytes:
    return _tell_bytes(value.encode("utf-8", "surrogatepass"), 0, _STR)


_tell_word = lru_cache(maxsize=1024)(_tell_text)


def _tell_bytes(value: bytes, _: int, tag: int = _BYTES) -> bytes:
    return _head(tag, len(value)) + value


def _tell_list(value: list[object] | tuple[object, ...], depth: int, tag: int = _LIST) -> bytes:
    depth = _deeper(depth)
    return _head(tag, len(value)) + b"".join([_WRITERS[type(part)](part, depth) for part in value])


def _tell_dict(value: dict[object, object], depth: int) -> bytes:
    depth = _deeper(depth)
    parts = [_WRITERS[type(part)](part, depth) for pair in value.items() for part in pair]
    return _head(_DICT, len(value)) + b"".join(parts)


def _tell_set(value: set[object], depth: int) -> bytes:
    depth = _deeper(depth)
    return _head(_SET, len(value)) + b"".join(sorted([_WRITERS[type(part)](part, depth) for part in value]))


def _head(tag: int, count: int) -> bytes:
    if count < 128:
        return bytes((tag, count))
    head = bytearray((tag,))
    while count > 127:
        head.append(count & 127 | 128)
        count >>= 7
    head.append(count)
    return bytes(head)


_WRITERS: dict[type, Callable[[Any, int], bytes]] = {
    type(None): lambda _, __: b"\0",
    bool: lambda value, _: b"\2" if value else b"\1",
    int: _tell_int,
    float: _tell_float,
    str: _tell_str,
    bytes: _tell_bytes,
    list: _tell_list,
    tuple: lambda value, depth: _tell_list(value, depth, _TUPLE),
    dict: _tell_dict,
    set: _tell_set,
}
_MUTABLE = frozenset((list, dict, set))


def _deeper(depth: int) -> int:
    if depth >= MOST_DEPTH:
        raise _TooDeep
    return depth + 1


def _refused(value: object) -> str:
    """What of a value is no plain data, after its name: ``["ship"][2] is a Surface``."""
    trail, part = next(_strangers(value, "", 0), ("", value))
    kind = type(part)
    article = "an" if kind.__name__[0] in "AEIOUaeiou" else "a"
    base = next((one.__name__ for one in kind.__mro__ if one in _WRITERS), None)
    like = f", not a plain {base}" if base is not None else ""
    if isinstance(part, np.ndarray):
        advice = ": write ….tolist()"
    elif isinstance(part, np.generic | int | float):
        advice = f": write {base or 'int'}(…)"
    else:
        advice = ""
    return f"{trail} is {article} {kind.__name__}{like}{advice}"


def _strangers(value: object, trail: str, depth: int) -> Iterator[tuple[str, object]]:
    if type(value) not in _WRITERS:
        yield trail, value
    if depth > MOST_DEPTH:
        return
    if type(value) is dict:
        for key, part in value.items():
            yield from _strangers(key, f"{trail} key {_shown(key)}", depth + 1)
            yield from _strangers(part, f"{trail}[{_shown(key)}]", depth + 1)
    elif type(value) is set:
        for part in value:
            yield from _strangers(part, f"{trail} element {_shown(part)}", depth + 1)
    elif type(value) in (list, tuple):
        for at, part in enumerate(value):  # type: ignore[arg-type]
            yield from _strangers(part, f"{trail}[{at}]", depth + 1)


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - of a stranger's class, or an int too long to be shown
        return f"<{type(value).__name__}>"
    return text if len(text) <= 60 else f"{text[:57]}…"


def _read(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    tag = data[at]
    at += 1
    if tag <= _TRUE:
        return (None, False, True)[tag], at
    if tag > _SET:
        raise NotTold(f"there is no tag {tag}")
    count, at = (8, at) if tag == _FLOAT else _read_count(data, at)
    if count > len(data) - at:
        raise IndexError
    if tag <= _BYTES:
        return _read_scalar(tag, data[at : at + count]), at + count
    return _READERS[tag](data, at, _deeper(depth), count)


def _read_scalar(tag: int, part: bytes) -> float | str | bytes:
    if tag == _BYTES:
        return part
    if tag == _FLOAT:
        return float(_DOUBLE.unpack(part)[0])
    if tag == _STR:
        try:
            return part.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise NotTold(f"a text in it is none: {error.reason}") from None
    number = int.from_bytes(part, "little", signed=True)
    if (number if number >= 0 else ~number).bit_length() // 8 + 1 != len(part):
        raise NotTold("a number in it takes more bytes than it needs")
    return number


def _read_list(data: bytes, at: int, depth: int, count: int) -> tuple[list[Any], int]:
    parts = []
    for _ in range(count):
        part, at = _read(data, at, depth)
        parts.append(part)
    return parts, at


def _read_tuple(data: bytes, at: int, depth: int, count: int) -> tuple[tuple[Any, ...], int]:
    parts, at = _read_list(data, at, depth, count)
    return tuple(parts), at


def _read_dict(data: bytes, at: int, depth: int, count: int) -> tuple[dict[Any, Any], int]:
    found = {}
    for _ in range(count):
        key, at = _read(data, at, depth)
        part, at = _read(data, at, depth)
        try:
            found[key] = part
        except TypeError:
            raise NotTold(f"a {type(key).__name__} cannot be a key") from None
    if len(found) != count:
        raise NotTold("a key is there twice")
    return found, at


def _read_set(data: bytes, at: int, depth: int, count: int) -> tuple[set[Any], int]:
    found, before = set(), b""
    for _ in range(count):
        start = at
        part, at = _read(data, at, depth)
        if data[start:at] < before:
            raise NotTold("the elements of a set are out of order")
        before = data[start:at]
        try:
            found.add(part)
        except TypeError:
            raise NotTold(f"a {type(part).__name__} cannot be in a set") from None
    if len(found) != count:
        raise NotTold("an element of a set is there twice")
    return found, at


_READERS: dict[int, Callable[[bytes, int, int, int], tuple[Any, int]]] = {
    _LIST: _read_list,
    _TUPLE: _read_tuple,
    _DICT: _read_dict,
    _SET: _read_set,
}


def _read_count(data: bytes, at: int) -> tuple[int, int]:
    count = shift = 0
    while True:
        byte = data[at]
        at += 1
        count |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
        if shift > 28:
            raise NotTold("a length in it is none")
    if byte == 0 and shift > 7:
        raise NotTold("a length in it takes more bytes than it needs")
    return count, at
