"""What is known of one file: the pieces of its texts, and the code that was put together last."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence

from instar.hmr.code.compile.pieces.assembly import Assembly
from instar.hmr.code.compile.pieces.changes import Change, changes
from instar.hmr.code.compile.pieces.instructions import UnfitError
from instar.hmr.code.compile.pieces.part import Part
from instar.hmr.code.compile.pieces.piece import Around, Piece, make, scan, together
from instar.hmr.code.compile.pieces.splitting import role_of, split
from instar.hmr.code.compile.translate import Facts

_MOST_TEXT = 1_500
"""Characters of a piece that is compiled here: the interpreter is held meanwhile, for about 0.25 ms."""
_MOST_NEW = 6_000
"""Characters that are compiled here for one text."""
_SPARE = 200
"""Pieces of earlier texts that are kept besides as many as the last one has."""


class MuchNewError(Exception):
    """Too much is new to be compiled here.

    Attributes:
        new: the texts of the pieces that are not known, with their roles.
        around: what the module says.
    """

    def __init__(self, new: Collection[tuple[str, int]], around: Around) -> None:
        super().__init__("much is new")
        self.new = new
        self.around = around


class File:
    """A file whose pieces are known. One thread at a time may use it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._known: dict[tuple[str, int], Part] = {}
        self._around = Around()
        self._assembly: Assembly | None = None

    def learn(self, pieces: Iterable[Piece]) -> None:
        """Knows these pieces from now on."""
        self._known.update({(piece.text, piece.role): Part(piece) for piece in pieces})

    def translate(self, text: str, *, here: bool = True) -> Facts:
        """Returns what `translate.translate` says about a text that is mostly known.

        Args:
            text: the text.
            here: whether a little that is new is compiled.

        Raises:
            MuchNewError: it has to be learned first.
            UnfitError: it cannot be compiled in pieces.
        """
        assembly = self._assembly
        old = [] if assembly is None else assembly.parts
        made = list(changes([part.piece.text for part in old], text)) if old else [Change(0, 0, split(text))]
        parts, changed, around = self._parts(old, made, here=here)
        self._assembly = None
        even = all(one.last - one.first == len(one.pieces) for one in made)
        if assembly is None or not even or not assembly.replace({index: parts[index] for index in changed}):
            assembly = Assembly(parts, self._path)
        self._assembly, self._around = assembly, around
        if len(self._known) > 2 * len(parts) + _SPARE:
            self._known = {(part.piece.text, part.piece.role): part for part in parts}
        return {"code": assembly.marshalled(), "text": text, **_facts(parts), "warnings": []}

    def _parts(
        self, old: Sequence[Part], made: Sequence[Change], *, here: bool
    ) -> tuple[list[Part], list[int], Around]:
        """Returns the parts of a text, which of them are not those of the text before, and what they say together."""
        found, fresh = _changed(old, made)
        keys = {index: (text, role_of(index, len(found))) for index, text in fresh.items()}
        parts = {index: part for index, key in keys.items() if (part := self._known.get(key)) is not None}
        said = [part.piece.said for part in parts.values()]
        said += [scan(*key) for index, key in keys.items() if index not in parts]
        said += [part.piece.said for part in found if part is not None and part.says]
        around = together(said)
        if around == self._around:
            around = self._around
        else:
            unfit = [index for index, part in enumerate(found) if part is not None and not part.fits(around)]
            keys |= {index: (old_part.piece.text, old_part.piece.role) for index in unfit if (old_part := found[index])}
        known = ((key, self._known.get(key)) for key in dict.fromkeys(keys.values()))
        self._make([key for key, part in known if part is None or not part.fits(around)], around, here=here)
        for index, key in keys.items():
            found[index] = self._known[key]
        return [part for part in found if part is not None], list(keys), around

    def _make(self, new: Collection[tuple[str, int]], around: Around, *, here: bool) -> None:
        """Compiles pieces.

        Raises:
            MuchNewError: that would take long.
        """
        sizes = [len(text) for text, _ in new]
        if sum(sizes) > (_MOST_NEW if here else 0) or max(sizes, default=0) > _MOST_TEXT:
            raise MuchNewError(new, around)
        for key in new:
            self._known[key] = Part(make(*key, around, sys.flags.optimize))


def _changed(old: Sequence[Part], made: Sequence[Change]) -> tuple[list[Part | None], dict[int, str]]:
    """Returns the parts that stay, at their new places, and the texts between."""
    found: list[Part | None] = []
    fresh: dict[int, str] = {}
    done = 0
    for change in made:
        found += old[done : change.first]
        fresh |= dict(enumerate(change.pieces, len(found)))
        found += [None] * len(change.pieces)
        done = change.last
    found += old[done:]
    for index in (0, len(found) - 1):
        part = found[index]
        if part is not None and part.piece.role != role_of(index, len(found)):
            fresh[index], found[index] = part.piece.text, None
    return found, fresh


def _facts(parts: Sequence[Part]) -> Facts:
    """Returns what the pieces of a module say together."""
    facts: Facts = {"imports": [], "params": [], "classes": [], "exports": ()}
    above = exporting = 0
    for part in parts:
        told = part.piece.facts
        if told is not None:
            exporting += "__all__" in part.piece.text
            facts["imports"] += told["imports"]
            facts["params"] += [(line + above, name) for line, name in told["params"]]
            facts["classes"] += [(name, line + above) for name, line in told["classes"]]
            facts["exports"] = facts["exports"] or told["exports"]
        above += part.height
    if exporting > 1:
        raise UnfitError("which of its exports hold is not plain")
    return facts
