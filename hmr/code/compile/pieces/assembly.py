"""Puts the code of a module together from its pieces: equal to what the compiler makes of the whole text.

Everything of a piece that does not depend on the others is kept, so that a long module costs little more than what changed.
Formats are those of CPython 3.11: `Python/compile.c` (the assembler), `Objects/locations.md`, `Python/marshal.c`.
"""

from __future__ import annotations

import opcode
from collections.abc import Sequence

from instar.hmr.code.compile.pieces.constants import REFERENCE, Constant, dumped
from instar.hmr.code.compile.pieces.encoding import entry
from instar.hmr.code.compile.pieces.instructions import SETUP
from instar.hmr.code.compile.pieces.part import Part

_RESUME = opcode.opmap["RESUME"]
_COPIED = 6
"""More instructions than the compiler would copy from the end of a module to where a jump leads to it."""
_TOP = (0, 1, 0, 0)
_NO_BYTES = dumped(b"")
_NO_NAMES = dumped(())
_MODULE = dumped("<module>")


def assemble(parts: Sequence[Part], path: str) -> bytes | None:
    """Returns the code of a module, marshalled, None if the compiler might make something else of its text.

    Args:
        parts: its parts from first to last.
        path: the file's name.
    """
    if not _are_apart(parts):
        return None
    names: dict[str, int] = {}
    named = [[names.setdefault(name, len(names)) for name in part.piece.names] for part in parts]
    data, counted, has_name = _constants(parts, path)
    code, table = _instructions(parts, named, counted)
    del data[max(part.most for part in parts) + 1 :]  # as the compiler does with what is not used in the end
    numbers = (0, 0, 0, max(part.piece.stack for part in parts), parts[0].piece.flags)
    return b"".join(
        [
            b"c" + b"".join(number.to_bytes(4, "little") for number in numbers),
            dumped(code),
            b"(" + len(data).to_bytes(4, "little"),
            *data,
            dumped(tuple(names)),
            _NO_NAMES,
            _NO_BYTES,
            REFERENCE if has_name else dumped(path),
            _MODULE,
            _MODULE,
            (1).to_bytes(4, "little"),
            dumped(table),
            _NO_BYTES,
        ]
    )


def _constants(parts: Sequence[Part], path: str) -> tuple[list[bytes], list[list[int]], bool]:
    """Returns the constants of a module, marshalled, where those of each part are, and whether the file's name is there."""
    places: dict[bytes, int] = {}
    data: list[bytes] = []
    counted = []
    has_name = False
    line = 1
    for part in parts:
        mine = []
        for constant, written in zip(part.piece.constants, part.constants(line), strict=True):
            if constant.key is None:
                mine.append(len(data))
                data.append(written if has_name else _with_name(written, constant, path))
                has_name = True
                continue
            place = places.setdefault(constant.key, len(data))
            if place == len(data):
                data.append(written)
            mine.append(place)
        counted.append(mine)
        line += part.height
    for part, mine in zip(parts, counted, strict=True):
        for constant in part.piece.folded:
            place = places.setdefault(constant.key or b"", len(data))
            if place == len(data):
                data.append(constant.data)
            mine.append(place)
    return data, counted, has_name


def _instructions(parts: Sequence[Part], named: list[list[int]], counted: list[list[int]]) -> tuple[bytes, bytes]:
    """Returns the instructions of a module, and the table of their places."""
    code = [bytes((_RESUME, 0))]
    table = [entry(1, _TOP, -1)]
    before = 0
    if any(part.piece.annotated for part in parts):
        head = parts[0].piece.head
        code.append(bytes((SETUP or 0, 0)))
        table.append(entry(1, head, head[0] - before))
        before = head[0]
    line = 1
    for part, names, constants in zip(parts, named, counted, strict=True):
        if part.piece.steps:
            code.append(part.code(names, constants))
            table.append(part.places(line, before))
            before = line - 1 + part.reach
        line += part.height
    return b"".join(code), b"".join(table)


def _are_apart(parts: Sequence[Part]) -> bool:
    """Returns whether the compiler treats each part by itself: no short end may be copied to where a jump leads to it."""
    following = 0
    for part in reversed(parts):
        if part.piece.flags != parts[0].piece.flags:
            return False
        if part.jumps:
            return part is parts[-1] or following > _COPIED
        following += len(part.piece.steps)
    return True


def _with_name(data: bytes, constant: Constant, path: str) -> bytes:
    """Returns code whose first reference to the file's name is that name, for all others to refer to."""
    name = dumped(path)
    return data[: constant.name] + bytes((name[0] | 0x80,)) + name[1:] + data[constant.name + len(REFERENCE) :]
