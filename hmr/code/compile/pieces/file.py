"""What is known of one file: the pieces of its texts, and the code that was put together last."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

from instar.hmr.code.compile.pieces.assembly import Assembly
from instar.hmr.code.compile.pieces.changes import Change, changes
from instar.hmr.code.compile.pieces.instructions import UnfitError
from instar.hmr.code.compile.pieces.part import Part
from instar.hmr.code.compile.pieces.piece import Around, Piece, make, scan, together
from instar.hmr.code.compile.pieces.splitting import role_of, split
from instar.hmr.code.compile.translate import Facts

_MOST_TEXT = 2_000
"""Characters of a piece that is compiled here: the interpreter is held for as long, which is 0.2 ms for so many."""
_MOST_NEW = 6_000
"""Characters that are compiled here for one text."""
_SPARE = 200
"""Pieces of earlier texts that are kept besides as many as the last one has."""


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

    def translate(self, text: str) -> Facts:
        """Returns what `translate.translate` says about a text that is mostly known.

        Raises:
            UnfitError: too much of it is new, or it cannot be compiled in pieces.
        """
        assembly = self._assembly
        old = [] if assembly is None else assembly.parts
        made = (
            [Change(0, 0, split(text))] if assembly is None else list(changes([part.piece.text for part in old], text))
        )
        parts, changed = self._parts(old, made)
        self._assembly = None
        even = all(one.last - one.first == len(one.pieces) for one in made)
        if assembly is None or not even or not assembly.replace({index: parts[index] for index in changed}):
            assembly = Assembly(parts, self._path)
        self._assembly = assembly
        if len(self._known) > 2 * len(parts) + _SPARE:
            self._known = {(part.piece.text, part.piece.role): part for part in parts}
        return {"code": assembly.marshalled(), "text": text, **_facts(parts), "warnings": []}

    def _parts(self, old: Sequence[Part], made: Sequence[Change]) -> tuple[list[Part], list[int]]:
        """Returns the parts of a text, and which of them are not those of the text before."""
        found = list(_changed(old, made))
        count = len(found)
        keys: dict[int, tuple[str, int]] = {}
        for index, one in enumerate(found):
            role = role_of(index, count)
            if isinstance(one, str):
                keys[index] = one, role
            elif one.piece.role != role:
                keys[index] = one.piece.text, role
        parts = {index: self._known.get(key) for index, key in keys.items()}
        said = {index: scan(*keys[index]) if part is None else part.piece.said for index, part in parts.items()}
        kept = [(index, one) for index, one in enumerate(found) if index not in keys and isinstance(one, Part)]
        around = together([*(one.piece.said for _, one in kept if one.says), *said.values()])
        if around != self._around:
            self._around = around
            keys |= {index: (one.piece.text, one.piece.role) for index, one in kept if not one.fits(around)}
        new = [index for index in keys if (part := parts.get(index)) is None or not part.fits(self._around)]
        sizes = [len(keys[index][0]) for index in new]
        if sum(sizes) > _MOST_NEW or max(sizes, default=0) > _MOST_TEXT:
            raise UnfitError("too much of it is new")
        for index in new:
            part = Part(make(*keys[index], self._around, sys.flags.optimize))
            parts[index] = self._known[keys[index]] = part
        whole = [parts.get(index) or one for index, one in enumerate(found)]
        return [one for one in whole if isinstance(one, Part)], sorted(keys)


def _changed(old: Sequence[Part], made: Sequence[Change]) -> Iterator[Part | str]:
    """Yields parts that stay, and the texts of others."""
    done = 0
    for change in made:
        yield from old[done : change.first]
        yield from change.pieces
        done = change.last
    yield from old[done:]


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
