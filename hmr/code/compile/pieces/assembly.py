"""Puts the code of a module together from its pieces: equal to what the compiler makes of the whole text.

Everything that does not depend on what changed is kept, so that a long module costs little more than the change.
Formats are those of CPython 3.11: `Python/compile.c` (the assembler), `Python/marshal.c`.
"""

from __future__ import annotations

import opcode
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate

from instar.hmr.code.compile.pieces.constants import REFERENCE, Constant, dumped
from instar.hmr.code.compile.pieces.encoding import entry
from instar.hmr.code.compile.pieces.instructions import SETUP, UnfitError
from instar.hmr.code.compile.pieces.part import Part
from instar.hmr.code.compile.pieces.piece import Piece

_RESUME = opcode.opmap["RESUME"]
_COPIED = 6
"""More instructions than the compiler would copy from the end of a module to where a jump leads to it."""
_TOP = (0, 1, 0, 0)
_NO_BYTES = dumped(b"")
_NO_NAMES = dumped(())
_MODULE = dumped("<module>")


class Assembly:
    """The code of a module.

    Attributes:
        parts: what it is made of, from first to last.
    """

    def __init__(self, parts: Sequence[Part], path: str) -> None:
        """Puts it together.

        Args:
            parts: what it is made of, from first to last.
            path: the file's name.

        Raises:
            UnfitError: the compiler might make something else of their text.
        """
        self.parts = list(parts)
        self._path = path
        self._lines = list(accumulate((part.height for part in parts), initial=1))[:-1]
        self._names: dict[str, int] = {}
        self._named = [[self._names.setdefault(one, len(self._names)) for one in part.piece.names] for part in parts]
        self._data: list[bytes] = []
        self._counted: list[list[int]] = []
        self._places: dict[bytes, int] = {}
        self._uses: Counter[bytes] = Counter()
        self._named_at = -1
        self._check()
        if any(part.piece.flags != parts[0].piece.flags for part in parts):
            raise UnfitError("its parts are compiled in different ways")
        self._count()
        self._written_names = dumped(tuple(self._names))
        self._jumping = any(part.jumps for part in parts)
        self._stacks = [part.piece.stack for part in parts]
        self._annotated = any(part.piece.annotated for part in parts)
        self._code = [b""] * len(parts)
        self._table = [b""] * len(parts)
        self._most = [0] * len(parts)
        for index in range(len(parts)):
            self._encode(index)

    def replace(self, changed: Mapping[int, Part]) -> bool:
        """Puts parts in the place of others; false if that would move what others use, and it is of no use any more.

        Raises:
            UnfitError: as when it was made.
        """
        if not self._exchange(changed):
            return False
        for index, part in changed.items():
            self.parts[index] = part
            self._stacks[index] = part.piece.stack
            self._jumping |= part.jumps
        if self._jumping:
            self._check()
        first, last = min(changed, default=len(self.parts)), max(changed, default=0)
        line = self._lines[first] if changed else 0
        for index in range(first, len(self.parts)):
            part = self.parts[index]
            if index > last and self._lines[index] == line:
                break
            if index in changed or self._lines[index] != line:
                self._lines[index] = line
                self._write(index)
            line += part.height
        for index in changed:
            self._encode(index)
            for following in range(index + 1, len(self.parts)):
                self._encode(following)
                if self.parts[following].piece.steps:
                    break
        return True

    def marshalled(self) -> bytes:
        """Returns the code, marshalled."""
        code = [bytes((_RESUME, 0)), *([bytes((SETUP or 0, 0))] if self._annotated else ()), *self._code]
        table = [entry(1, _TOP, -1), *self._table]
        if self._annotated:
            head = self.parts[0].piece.head
            table.insert(1, entry(1, head, head[0]))
        used = self._data[: max(self._most) + 1]  # as the compiler does
        numbers = (0, 0, 0, max(self._stacks), self.parts[0].piece.flags)
        return b"".join(
            [
                b"c" + b"".join(number.to_bytes(4, "little") for number in numbers),
                dumped(b"".join(code)),
                b"(" + len(used).to_bytes(4, "little"),
                *used,
                self._written_names,
                _NO_NAMES,
                _NO_BYTES,
                REFERENCE if self._named_at >= 0 else dumped(self._path),
                _MODULE,
                _MODULE,
                (1).to_bytes(4, "little"),
                dumped(b"".join(table)),
                _NO_BYTES,
            ]
        )

    def _check(self) -> None:
        """Sees that the compiler treats each part by itself: that no short end is copied to where a jump leads to it.

        Raises:
            UnfitError: it might not.
        """
        following = 0
        for part in reversed(self.parts):
            if part.jumps and part is not self.parts[-1] and following <= _COPIED:
                raise UnfitError("its end may be copied to where a jump leads to it")
            if part.jumps:
                break
            following += len(part.piece.steps)

    def _count(self) -> None:
        """Gives the constants their places: those that the optimizer adds come last."""
        for index, part in enumerate(self.parts):
            self._counted.append([self._place(constant) for constant in part.piece.constants])
            self._write(index)
        for part, mine in zip(self.parts, self._counted, strict=True):
            mine += [self._place(constant) for constant in part.piece.folded]

    def _place(self, constant: Constant) -> int:
        key = constant.key
        place = len(self._data) if key is None else self._places.setdefault(key, len(self._data))
        if place == len(self._data):
            self._data.append(constant.data)
        if key is not None:
            self._uses[key] += 1
        elif self._named_at < 0:
            self._named_at = place
        return place

    def _write(self, index: int) -> None:
        """Writes the code of a part, with its lines."""
        part = self.parts[index]
        if not part.defines:
            return
        written = part.constants(self._lines[index])
        for constant, place, data in zip(part.piece.constants, self._counted[index], written, strict=False):
            if constant.key is None:
                self._data[place] = data if place != self._named_at else _with_name(data, constant, self._path)

    def _exchange(self, changed: Mapping[int, Part]) -> bool:
        """Puts the constants of parts in the place of others', if names and constants all stay where they are."""
        exchanged: Counter[tuple[bytes, Constant]] = Counter()
        for index, part in changed.items():
            old, new = self.parts[index].piece, part.piece
            if not _are_alike(old, new):
                return False
            for one, other in zip((*old.constants, *old.folded), (*new.constants, *new.folded), strict=True):
                if one.key is not None and one.key != other.key:
                    exchanged[one.key, other] += 1
        for (key, other), count in exchanged.items():
            if self._uses[key] != count or other.key is None or other.key in self._places:
                return False
            place = self._places[other.key] = self._places.pop(key)
            self._uses[other.key] = self._uses.pop(key)
            self._data[place] = other.data
        return True

    def _encode(self, index: int) -> None:
        """Writes the instructions of a part, and the table of their places."""
        part = self.parts[index]
        if not part.piece.steps:
            self._code[index] = self._table[index] = b""
            self._most[index] = 0
            return
        self._code[index] = part.code(self._named[index], self._counted[index])
        self._most[index] = part.most
        before = self.parts[0].piece.head[0] if self._annotated else 0
        for earlier in range(index - 1, -1, -1):
            if self.parts[earlier].piece.steps:
                before = self._lines[earlier] - 1 + self.parts[earlier].reach
                break
        self._table[index] = part.places(self._lines[index], before)


def _are_alike(old: Piece, new: Piece) -> bool:
    """Returns whether pieces have the same names, and constants of the same kinds."""
    told, tells = ((one.names, one.annotated, one.head, one.flags) for one in (old, new))
    return told == tells and all(
        [one.key is None for one in ones] == [other.key is None for other in others]
        for ones, others in ((old.constants, new.constants), (old.folded, new.folded))
    )


def _with_name(data: bytes, constant: Constant, path: str) -> bytes:
    """Returns code whose first reference to the file's name is that name, for all others to refer to."""
    name = dumped(path)
    return data[: constant.name] + bytes((name[0] | 0x80,)) + name[1:] + data[constant.name + len(REFERENCE) :]
