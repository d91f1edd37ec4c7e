"""Compiles files that are mostly known in pieces, and others as a whole."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol

from instar.hmr.code.compile.pieces.file import File, MuchNewError
from instar.hmr.code.compile.pieces.instructions import UnfitError
from instar.hmr.code.compile.pieces.piece import Around, Piece
from instar.hmr.code.compile.translate import Facts, decode

_MOST_FILES = 256
_AT_ONCE = 32
"""Pieces that are compiled elsewhere in one go: others may go on in between."""
_MOST_PART = 0.5
"""Of a text: if more is new, compiling it as a whole is as good."""


class Elsewhere(Protocol):
    """Compiles what is too much for the thread that asks. May raise CompileError."""

    def translate(self, path: Path, data: bytes) -> Facts:
        """Returns what `translate.translate` says about a content."""

    def make(self, path: Path, new: Collection[tuple[str, int]], around: Around) -> list[Piece]:
        """Returns pieces of texts with their roles, none if one of them is unfit."""


class Incremental:
    """Compiles in this thread what is mostly known. Safe to use from several threads."""

    def __init__(self, elsewhere: Elsewhere) -> None:
        """Args: elsewhere: compiles everything else."""
        self._elsewhere = elsewhere
        self._on_new: Callable[[Path, bytes], None] | None = None
        self._files: OrderedDict[Path, File] = OrderedDict()
        self._lock = threading.Lock()

    def listen(self, on_new: Callable[[Path, bytes], None]) -> None:
        """Has somebody told of contents that had to be compiled as a whole, whose pieces may be learned."""
        self._on_new = on_new

    def translate(self, path: Path, data: bytes, elsewhere: Elsewhere | None = None) -> Facts:
        """Returns what `translate.translate` says about a content; its imports may be in another order.

        Args:
            path: the file.
            data: its content.
            elsewhere: compiles what is too much, instead of who does so for others.

        Raises:
            CompileError: the compiler did not survive it.
        """
        elsewhere = elsewhere or self._elsewhere
        facts = None
        if path in self._files:
            facts = self._in_pieces(path, data, elsewhere)
        if facts is None:
            facts = elsewhere.translate(path, data)
            if "code" in facts and not facts["warnings"] and self._on_new is not None:
                self._on_new(path, data)
        return facts

    def learn(self, path: Path, data: bytes, elsewhere: Elsewhere) -> None:
        """Knows the pieces of a content from now on, if it can be compiled in pieces.

        Args:
            path: the file.
            data: its content.
            elsewhere: compiles those that are new.

        Raises:
            CompileError: the compiler did not survive it.
        """
        self._in_pieces(path, data, elsewhere, learns=True)

    def _in_pieces(self, path: Path, data: bytes, elsewhere: Elsewhere, *, learns: bool = False) -> Facts | None:
        """Returns what is said about a content; None if it is not for pieces, or most of it is new."""
        try:
            try:
                return self._from_pieces(path, data, here=not learns)
            except MuchNewError as much:
                if not learns and sum(len(text) for text, _ in much.new) > _MOST_PART * len(data):
                    return None
                new = list(much.new)
                for begin in range(0, len(new), _AT_ONCE):
                    pieces = elsewhere.make(path, new[begin : begin + _AT_ONCE], much.around)
                    if not pieces:
                        return None
                    with self._lock:
                        self._file(path).learn(pieces)
                return self._from_pieces(path, data, here=False)
        except (MuchNewError, UnfitError, SyntaxError, ValueError):
            return None

    def _from_pieces(self, path: Path, data: bytes, *, here: bool) -> Facts:
        with self._lock:
            return self._file(path).translate(decode(data), here=here)

    def _file(self, path: Path) -> File:
        """Returns what is known of a file; the lock is held."""
        file = self._files.setdefault(path, File(str(path)))
        self._files.move_to_end(path)
        while len(self._files) > _MOST_FILES:
            self._files.popitem(last=False)
        return file
