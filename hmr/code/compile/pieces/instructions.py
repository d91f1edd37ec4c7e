"""The instructions of a piece, taken out of the code of a module that contains it."""

from __future__ import annotations

import opcode
from collections.abc import Iterator, Mapping, Sequence
from types import CodeType
from typing import NamedTuple

from instar.hmr.code.compile.pieces.constants import key_of

MARK = "ʘ"
"""A name that texts do not contain; it is stored first where a piece has ended."""
PLAIN, NAMED, NAMED_AND_FLAG, CONSTANT, FORWARD, BACKWARD = range(6)
"""What an argument is: a number, the place of a name (or twice that, and a flag), of a constant, or of a step to jump to."""
SETUP = opcode.opmap.get("SETUP_ANNOTATIONS")
"""Stands ahead of all instructions where a module annotates names."""
_OPS = opcode.opmap
_AHEAD = (_OPS["RESUME"], SETUP)

_Operation = tuple[int, int, int, int, int]
"""The unit (two bytes) where it begins, operation, argument, units of cache behind it, and the unit behind those."""

Place = tuple[int, int, int, int]
"""Line, last line, column and end column (in bytes) of what an instruction was made of; -1 for what is not known."""


class UnfitError(Exception):
    """A text is not one that can be compiled in pieces."""


class Step(NamedTuple):
    """An instruction: its operation, what its argument is, the argument, the units of cache behind it, and its place."""

    operation: int
    kind: int
    argument: int
    caches: int
    place: Place


def steps_of(
    code: CodeType, height: int, names: Sequence[str], constants: Sequence[object], *, ends: bool
) -> Iterator[Step]:
    """Yields the instructions behind so many lines, which leave none but a `NOP`, as far as the piece goes.

    Args:
        code: what was compiled.
        height: how many lines are ahead.
        names: the names of the piece.
        constants: its constants.
        ends: whether nothing follows.

    Raises:
        UnfitError: they are not one stretch that begins at the top and ends at the bottom.
    """
    if code.co_exceptiontable:
        raise UnfitError("its code is not one stretch")
    places = list(code.co_positions())
    own = _own(code, height, places)
    end = len(places)
    if not ends:
        mark = code.co_names.index(MARK)
        marked = [at for at, one in enumerate(own) if one[1:3] == (_OPS["STORE_NAME"], mark)]
        if not marked:
            raise UnfitError("what follows it is never reached")
        end, own = own[marked[0] - 1][0], own[: marked[0] - 1]
    order = {one[0]: at for at, one in enumerate(own)} | {end: len(own)}
    known = _indices(code, constants)
    for unit, operation, argument, caches, behind in own:
        kind, value = PLAIN, argument
        if operation in opcode.hasconst:
            kind, value = CONSTANT, known.get(argument, -1)
        elif operation == _OPS["LOAD_GLOBAL"]:
            kind, value = NAMED_AND_FLAG, names.index(code.co_names[argument >> 1]) << 1 | argument & 1
        elif operation in opcode.hasname:
            kind, value = NAMED, names.index(code.co_names[argument])
        elif operation in opcode.hasjrel:
            kind, target = _jump(operation, argument, behind)
            value = order.get(target, -1)
        if value < 0:
            raise UnfitError("it uses, or goes to, what is not its own")
        yield Step(operation, kind, value, caches, place_of(places[unit], height))


def place_of(position: tuple[int | None, int | None, int | None, int | None], height: int) -> Place:
    """Returns a place, from what `co_positions` says of it, with lines counted behind so many."""
    line, end, column, end_column = (-1 if one is None else one for one in position)
    return (line - height if line >= 0 else -1, end - height if end >= 0 else -1, column, end_column)


def _own(code: CodeType, height: int, places: Sequence[tuple[int | None, ...]]) -> list[_Operation]:
    """Returns the operations behind so many lines."""
    own = [one for one in _operations(code) if one[1] not in _AHEAD]
    if own[0][1] == _OPS["NOP"] and (places[own[0][0]][0] or 0) <= height:
        del own[0]
    if any(line is None or line <= height for line, *_ in (places[one[0]] for one in own)):
        raise UnfitError("its code begins where something ahead of it is")
    return own


def _jump(operation: int, argument: int, behind: int) -> tuple[int, int]:
    """Returns the kind of a jump, and the unit it leads to."""
    if "BACKWARD" in opcode.opname[operation]:
        return BACKWARD, behind - argument
    return FORWARD, behind + argument


def _operations(code: CodeType) -> Iterator[_Operation]:
    """Yields the operations of a code."""
    units = list(zip(code.co_code[::2], code.co_code[1::2], strict=True))
    begin = 0
    while begin < len(units):
        unit, argument = begin, 0
        while units[unit][0] == _OPS["EXTENDED_ARG"]:
            argument = (argument | units[unit][1]) << 8
            unit += 1
        behind = unit + 1
        while behind < len(units) and units[behind][0] == _OPS["CACHE"]:
            behind += 1
        yield begin, units[unit][0], argument | units[unit][1], behind - unit - 1, behind
        begin = behind


def _indices(code: CodeType, constants: Sequence[object]) -> Mapping[int, int]:
    """Returns where the constants of a code are among others that contain the same ones."""
    keyed = {key_of(one): at for at, one in enumerate(constants) if not isinstance(one, CodeType)}
    codes = (at for at, one in enumerate(constants) if isinstance(one, CodeType))
    found = {}
    for at, one in enumerate(code.co_consts):
        place = (
            keyed.get(key_of(one))
            if not isinstance(one, CodeType)
            else None
            if one.co_name == MARK
            else next(codes, None)
        )
        if place is not None:
            found[at] = place
    return found
