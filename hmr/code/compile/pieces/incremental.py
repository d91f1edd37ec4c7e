"""Compiles files that are mostly known in pieces, and others as a whole."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Protocol

from instar.hmr.code.compile.pieces.file import File, MuchNewError
from instar.hmr.code.compile.pieces.instructions import UnfitError
from instar.hmr.code.compile.pieces.piece import Around, Piece
from instar.hmr.code.compile.translate import Facts, decode

_MOST_FILES = 256
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
        try:
            try:
                facts = self._in_pieces(path, data)
            except MuchNewError as much:
                if sum(len(text) for text, _ in much.new) < _MOST_PART * len(data):
                    self.learn(path, elsewhere.make(path, much.new, much.around))
                    facts = self._in_pieces(path, data)
        except (MuchNewError, UnfitError, SyntaxError, ValueError):
            facts = None
        if facts is None:
            facts = elsewhere.translate(path, data)
            if "code" in facts and not facts["warnings"] and self._on_new is not None:
                self._on_new(path, data)
        return facts

    def learn(self, path: Path, pieces: Iterable[Piece]) -> None:
        """Knows the pieces of a file from now on."""
        with self._lock:
            self._files.setdefault(path, File(str(path))).learn(pieces)
            self._files.move_to_end(path)
            while len(self._files) > _MOST_FILES:
                self._files.popitem(last=False)

    def _in_pieces(self, path: Path, data: bytes) -> Facts | None:
        """Returns what is said about a content, None if nothing of the file is known."""
        with self._lock:
            file = self._files.get(path)
            return None if file is None else file.translate(decode(data))
