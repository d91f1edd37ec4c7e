"""Where values lie among the bytes of their table: record after record, in the order of their keys.

A record is its room u32 (64, 128, 256 … bytes, all of it counted), the bytes of its key u16 and of its value u32, both, and
zeros up to its room; after the last one all is zero. Numbers are little-endian. So what some values look like depends on
nothing but them, and one that changes a little, or grows a little, moves no other.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple

from instar.hmr.state.persistence.plain import MOST_BYTES, NotTold

MOST_KEY_BYTES = 1024
_HEAD = struct.Struct("<IHI")
_LEAST_ROOM = 64


class Slot(NamedTuple):
    """Where one record lies.

    Attributes:
        start: Its first byte.
        value_at: The first byte of its value.
        stop: The byte after its room.
    """

    start: int
    value_at: int
    stop: int


def fits(slot: Slot, value: bytes) -> bool:
    """Whether a value needs as much room as a record has."""
    needed, room = slot.value_at - slot.start + len(value), slot.stop - slot.start
    return needed <= room and (needed > room >> 1 or room == _LEAST_ROOM)


def write(live: memoryview, slot: Slot, value: bytes, before: int) -> None:
    """Write another value that `fits` into a record, whose value had ``before`` bytes."""
    start, at, size = slot.start, slot.value_at, len(value)
    if size != before:
        _HEAD.pack_into(live, start, slot.stop - start, at - start - _HEAD.size, size)
        value = value.ljust(before, b"\0")
    live[at : at + len(value)] = value


def lay_out(values: Mapping[str, bytes]) -> tuple[bytes, dict[str, Slot]]:
    """All records of some values, and where they lie."""
    parts = []
    slots = {}
    start = 0
    for key in sorted(values):
        value, name = values[key], key.encode("utf-8", "surrogatepass")
        room = room_of(name, value)
        slots[key] = Slot(start, start + _HEAD.size + len(name), start + room)
        parts.append((_HEAD.pack(room, len(name), len(value)) + name + value).ljust(room, b"\0"))
        start += room
    return b"".join(parts), slots


def room_of(name: bytes, value: bytes) -> int:
    """The bytes that the record of a value takes, whose key is ``name``."""
    needed = _HEAD.size + len(name) + len(value)
    return max(_LEAST_ROOM, 1 << (needed - 1).bit_length())


def parse(data: bytes) -> tuple[dict[str, bytes], dict[str, Slot]]:
    """The values that records hold, and where they lie.

    Raises:
        NotTold: If the bytes are not what `lay_out` makes, followed by zeros.
    """
    values: dict[str, bytes] = {}
    slots: dict[str, Slot] = {}
    start, before = 0, ""
    while start + _HEAD.size <= len(data):
        room, key_bytes, value_bytes = _HEAD.unpack_from(data, start)
        if room == 0:
            break
        end = start + _HEAD.size + key_bytes + value_bytes
        if value_bytes > MOST_BYTES or not 0 < key_bytes <= MOST_KEY_BYTES or end > len(data):
            raise NotTold(f"the record at byte {start} has lengths that cannot be")
        name, value = data[start + _HEAD.size : end - value_bytes], data[end - value_bytes : end]
        key = _key(name)
        if room != room_of(name, value) or any(data[end : start + room]) or key <= before:
            raise NotTold(f"the record of {key} is not as records are written")
        values[key], slots[key] = value, Slot(start, end - value_bytes, start + room)
        start, before = start + room, key
    if any(data[start:]):
        raise NotTold(f"bytes follow the last record, at {start}")
    return values, slots


def _key(data: bytes) -> str:
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise NotTold(f"the key of a record is no text: {error.reason}") from None
