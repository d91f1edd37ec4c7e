"""How instructions and their places are written in code: as CPython 3.11 does, `Python/compile.c`, `Objects/locations.md`."""

from __future__ import annotations

import opcode
from collections.abc import Iterator, Sequence

from instar.hmr.code.compile.pieces.instructions import BACKWARD, CONSTANT, NAMED, NAMED_AND_FLAG, PLAIN, Place, Step

MOST_UNITS = 8
"""Units that an entry of the table of places is for; a unit is two bytes."""
_CACHES = [bytes(2 * units) for units in range(64)]
_EXTENDED = opcode.opmap["EXTENDED_ARG"]


def arguments_of(steps: Sequence[Step], names: list[int], constants: list[int]) -> list[int]:
    """Returns the arguments of instructions; those of jumps are as far apart as the instructions between need."""
    arguments = []
    jumps = []
    for at, step in enumerate(steps):
        argument = step.argument
        if step.kind == PLAIN:
            arguments.append(argument)
        elif step.kind == NAMED:
            arguments.append(names[argument])
        elif step.kind == CONSTANT:
            arguments.append(constants[argument])
        elif step.kind == NAMED_AND_FLAG:
            arguments.append(names[argument >> 1] << 1 | argument & 1)
        else:
            jumps.append(at)
            arguments.append(0)
    changed = bool(jumps)
    while changed:
        changed = False
        offsets = [0]
        for step, argument in zip(steps, arguments, strict=True):
            offsets.append(offsets[-1] + _width(argument) + step.caches)
        for at in jumps:
            distance = offsets[steps[at].argument] - offsets[at + 1]
            distance = -distance if steps[at].kind == BACKWARD else distance
            changed |= _width(distance) != _width(arguments[at])
            arguments[at] = distance
    return arguments


def _width(argument: int) -> int:
    return 1 if argument < 1 << 8 else 2 if argument < 1 << 16 else 3 if argument < 1 << 24 else 4


def instruction(step: Step, argument: int) -> bytes:
    """Returns an instruction with its extensions and caches."""
    if argument < 1 << 8:
        return bytes((step.operation, argument)) + _CACHES[step.caches]
    extensions = [
        byte for shift in range(8 * (_width(argument) - 1), 0, -8) for byte in (_EXTENDED, argument >> shift & 0xFF)
    ]
    return bytes((*extensions, step.operation, argument & 0xFF)) + _CACHES[step.caches]


def entry(units: int, place: Place, delta: int) -> bytes:
    """Returns an entry of the table of places: up to `MOST_UNITS`, `delta` lines behind the entry before."""
    line, end, column, end_column = place
    if line < 0:
        return bytes((0x80 | 15 << 3 | units - 1,))
    if column < 0 or end_column < 0:
        if end in (line, -1):
            return bytes((0x80 | 13 << 3 | units - 1, *_signed(delta)))
    elif end == line:
        if delta == 0 and column < 80 and 0 <= end_column - column < 16:
            return bytes((0x80 | column >> 3 << 3 | units - 1, (column & 7) << 4 | end_column - column))
        if 0 <= delta < 3 and column < 128 and end_column < 128:
            return bytes((0x80 | 10 + delta << 3 | units - 1, column, end_column))
    numbers = (*_signed(delta), *_varint(end - line), *_varint(column + 1), *_varint(end_column + 1))
    return bytes((0x80 | 14 << 3 | units - 1, *numbers))


def _signed(number: int) -> Iterator[int]:
    return _varint(-number << 1 | 1 if number < 0 else number << 1)


def _varint(number: int) -> Iterator[int]:
    """Yields 6 bits a byte, the lowest first."""
    while number >= 64:
        yield number & 63 | 64
        number >>= 6
    yield number
