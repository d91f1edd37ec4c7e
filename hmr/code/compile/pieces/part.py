"""A piece as part of a module."""

from __future__ import annotations

from instar.hmr.code.compile.pieces.encoding import MOST_UNITS, arguments_of, entry, instruction
from instar.hmr.code.compile.pieces.instructions import BACKWARD, CONSTANT, FORWARD, Place
from instar.hmr.code.compile.pieces.piece import Around, Piece

_NOWHERE = (-1, -1, -1, -1)


class Part:
    """A piece as part of a module, with what was last made of it.

    Attributes:
        piece: the piece.
        defines: whether there is code among its constants.
        height: how many lines it has.
        jumps: whether there are jumps in it.
        says: whether it says something to others.
        reach: the line of its last instruction, counted from its first as 1.
        most: the last constant of the module that it uses.
    """

    __slots__ = (
        "_code",
        "_constants",
        "_delta",
        "_first",
        "_fits",
        "_indices",
        "_line",
        "_rest",
        "_sizes",
        "_table",
        "defines",
        "height",
        "jumps",
        "most",
        "piece",
        "reach",
        "says",
    )

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.height = piece.text.count("\n")
        self.jumps = any(step.kind in (FORWARD, BACKWARD) for step in piece.steps)
        self.defines = any(constant.key is None for constant in piece.constants)
        self.says = any(piece.said)
        self._indices: tuple[list[int], list[int]] | None = None
        self._fits = piece.around
        self._line = 0
        self._sizes: list[int] = []
        self._constants: list[bytes] = []
        self._first: tuple[int, Place] = (0, _NOWHERE)
        self._code = self._rest = self._table = b""
        self._delta: int | None = None
        self.reach = 0
        self.most = 0

    def fits(self, around: Around) -> bool:
        """Returns whether it is the same in a module that says so."""
        if self._fits is not around and self.piece.around == around.among(self.piece.words):
            self._fits = around
        return self._fits is around

    def code(self, names: list[int], constants: list[int]) -> bytes:
        """Returns its instructions, for the places that its names and constants have in the module."""
        if self._indices != (names, constants):
            self._indices = names, constants
            self._encode(arguments_of(self.piece.steps, names, constants))
        return self._code

    def places(self, line: int, before: int) -> bytes:
        """Returns the table of its instructions' places; they follow one of line `before`, the piece begins at `line`."""
        units, place = self._first
        delta = line - 1 + place[0] - before
        if self._delta != delta:
            self._delta = delta
            self._table = entry(units, place, delta) + self._rest
        return self._table

    def constants(self, line: int) -> list[bytes]:
        """Returns its constants, marshalled, when it begins at a line."""
        if self._line != line:
            self._line = line
            self._constants = [constant.at(line) for constant in self.piece.constants]
        return self._constants

    def _encode(self, arguments: list[int]) -> None:
        steps = self.piece.steps
        self.most = max((n for step, n in zip(steps, arguments, strict=True) if step.kind == CONSTANT), default=0)
        written = [instruction(step, argument) for step, argument in zip(steps, arguments, strict=True)]
        self._code = b"".join(written)
        sizes = [len(one) for one in written]
        if sizes != self._sizes:
            self._sizes = sizes
            self._tabulate()

    def _tabulate(self) -> None:
        """Makes the table of places, of which the first entry depends on what comes before."""
        entries: list[tuple[int, Place]] = []
        for step, size in zip(self.piece.steps, self._sizes, strict=True):
            units = size // 2
            entries += [(min(MOST_UNITS, units - at), step.place) for at in range(0, units, MOST_UNITS)]
        line = entries[0][1][0] if entries else 0
        rest = []
        for units, place in entries[1:]:
            rest.append(entry(units, place, place[0] - line))
            line = place[0]
        self._first = entries[0] if entries else (0, _NOWHERE)
        self._rest = b"".join(rest)
        self._delta = None
        self.reach = line
