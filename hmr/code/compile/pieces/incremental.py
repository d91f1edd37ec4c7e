"""Compiles texts that are mostly known: what an edit costs is what it changed."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from instar.hmr.code.compile.pieces.assembly import assemble
from instar.hmr.code.compile.pieces.instructions import UnfitError
from instar.hmr.code.compile.pieces.part import Part
from instar.hmr.code.compile.pieces.piece import Around, Piece, make, scan, together
from instar.hmr.code.compile.pieces.splitting import split, with_roles
from instar.hmr.code.compile.translate import Facts, decode

Whole = Callable[[Path, bytes], Facts]
"""Compiles a whole text."""
_MOST_TEXT = 2_000
"""Characters of a piece that is compiled here: the interpreter is held for as long, which is 0.2 ms for so many."""
_MOST_NEW = 6_000
"""Characters that are compiled here for one text."""
_MOST_FILES = 256
_SPARE = 200
"""Pieces of a file's earlier texts that are kept besides as many as it has."""


class _File:
    """What is known of a file: its pieces by text and role, and what they said in its last text."""

    def __init__(self) -> None:
        self.parts: dict[tuple[str, int], Part] = {}
        self.around = Around()


class Incremental:
    """Compiles texts of files whose pieces are known, in this thread. Safe to use from several threads."""

    def __init__(self, whole: Whole) -> None:
        """Args: whole: compiles what is not mostly known; may raise CompileError."""
        self._whole = whole
        self._on_new: Callable[[Path, bytes], None] | None = None
        self._files: OrderedDict[Path, _File] = OrderedDict()
        self._lock = threading.Lock()

    def listen(self, on_new: Callable[[Path, bytes], None]) -> None:
        """Has somebody told of contents that had to be compiled as a whole, whose pieces may be learned."""
        self._on_new = on_new

    def translate(self, path: Path, data: bytes, whole: Whole | None = None) -> Facts:
        """Returns what `translate.translate` says about a content; its imports may be in another order.

        Args:
            path: the file.
            data: its content.
            whole: compiles it if it is not mostly known, instead of what does so for others.

        Raises:
            CompileError: the compiler did not survive it.
        """
        with self._lock:
            facts = self._assembled(path, data)
        if facts is None:
            facts = (whole or self._whole)(path, data)
            if "code" in facts and not facts["warnings"] and self._on_new is not None:
                self._on_new(path, data)
        return facts

    def learn(self, path: Path, pieces: Iterable[Piece]) -> None:
        """Knows the pieces of a file from now on."""
        parts = {(piece.text, piece.role): Part(piece) for piece in pieces}
        with self._lock:
            self._file(path).parts.update(parts)

    def _file(self, path: Path) -> _File:
        file = self._files.setdefault(path, _File())
        self._files.move_to_end(path)
        while len(self._files) > _MOST_FILES:
            self._files.popitem(last=False)
        return file

    def _assembled(self, path: Path, data: bytes) -> Facts | None:
        """Returns what a text says that is mostly known, None if it is not, or may not be compiled in pieces."""
        if path not in self._files:
            return None
        file = self._file(path)
        try:
            text = decode(data)
            chunks = split(text)
            exporting = "__all__" in text and sum("__all__" in chunk for chunk in chunks) > 1
            parts = None if exporting else _parts_of(chunks, file)
            code = None if parts is None else assemble(parts, str(path))
        except (UnfitError, SyntaxError, ValueError):
            return None
        if parts is None or code is None:
            return None
        if len(file.parts) > 2 * len(parts) + _SPARE:
            file.parts = {(part.piece.text, part.piece.role): part for part in parts}
        return {"code": code, "text": text, **_facts(parts), "warnings": []}


def _parts_of(chunks: Sequence[str], file: _File) -> list[Part] | None:
    """Returns the parts of a text, None if too many are new.

    Raises:
        UnfitError: it cannot be compiled in pieces.
    """
    keys = with_roles(chunks)
    found = [file.parts.get(key) for key in keys]
    said = [scan(*key) if part is None else part.piece.said for key, part in zip(keys, found, strict=True)]
    around = together(said)
    if around != file.around:
        file.around = around
    new = [index for index, part in enumerate(found) if part is None or not part.fits(file.around)]
    sizes = [len(chunks[index]) for index in new]
    if sum(sizes) > _MOST_NEW or max(sizes, default=0) > _MOST_TEXT:
        return None
    for index in new:
        piece = make(*keys[index], around, sys.flags.optimize)
        found[index] = file.parts[keys[index]] = Part(piece)
    return [part for part in found if part is not None]


def _facts(parts: Sequence[Part]) -> Facts:
    """Returns what the pieces of a module say together."""
    facts: Facts = {"imports": [], "params": [], "classes": [], "exports": ()}
    above = 0
    for part in parts:
        told = part.piece.facts
        if told is not None:
            facts["imports"] += told["imports"]
            facts["params"] += [(line + above, name) for line, name in told["params"]]
            facts["classes"] += [(name, line + above) for name, line in told["classes"]]
            facts["exports"] = facts["exports"] or told["exports"]
        above += part.height
    return facts
