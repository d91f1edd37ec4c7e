"""Compiles files that are mostly known in pieces, and others as a whole."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

from instar.hmr.code.compile.pieces.file import File
from instar.hmr.code.compile.pieces.instructions import UnfitError
from instar.hmr.code.compile.pieces.piece import Piece
from instar.hmr.code.compile.translate import Facts, decode

Whole = Callable[[Path, bytes], Facts]
"""Compiles a whole text; may raise CompileError."""
_MOST_FILES = 256


class Incremental:
    """Compiles in this thread what is mostly known. Safe to use from several threads."""

    def __init__(self, whole: Whole) -> None:
        """Args: whole: compiles everything else."""
        self._whole = whole
        self._on_new: Callable[[Path, bytes], None] | None = None
        self._files: OrderedDict[Path, File] = OrderedDict()
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
        facts = self._in_pieces(path, data)
        if facts is None:
            facts = (whole or self._whole)(path, data)
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
        """Returns what is said about a content that is mostly known, None if it is not, or not for pieces."""
        with self._lock:
            file = self._files.get(path)
            if file is None:
                return None
            try:
                return file.translate(decode(data))
            except (UnfitError, SyntaxError, ValueError):
                return None
