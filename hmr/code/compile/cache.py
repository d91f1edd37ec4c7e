"""Compiled contents, kept by what they are: what was compiled once needs no compiling again, under any name."""

from __future__ import annotations

import _imp
import marshal
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from instar.hmr.code.compile.compiler import Unit, unit_of
from instar.hmr.code.compile.source import Source, digest_of
from instar.hmr.code.compile.translate import Facts
from instar.hmr.code.errors import CompileError

Origin = Literal["temp file", "sibling", "known version"]
"""How a content was known before it was needed: it was in a temporary file, was read early, or was compiled before."""
_MOST_BYTES = 32 << 20
_PATIENCE_SECONDS = 0.1
"""What is being compiled by somebody with more time is waited for so long."""


@dataclass(slots=True)
class _Entry:
    """What compiling a content gave: under which name, how it came to be known before it is used, and how long it took."""

    facts: Facts
    path: str
    origin: Origin | None
    cost_ns: int
    size: int


@dataclass(slots=True)
class Use:
    """What the cache did for one build.

    Attributes:
        compiled: how many contents had to be compiled for it.
        done_ns: when the last content was there, `time.monotonic_ns`; 0 if none was asked for.
        origins: how the others were known.
        saved_ns: what compiling those took before.
        counted: the contents that are counted: an edit may take several attempts.
    """

    compiled: int = 0
    done_ns: int = 0
    origins: set[Origin] = field(default_factory=set)
    saved_ns: int = 0
    counted: set[str] = field(default_factory=set)

    @property
    def predicted(self) -> Origin | None:
        """How all that changed was known; None if something had to be compiled."""
        if self.compiled:
            return None
        return next((origin for origin in ("temp file", "sibling", "known version") if origin in self.origins), None)


class UnitCache:
    """Contents that were compiled, the most recent ones, within so many bytes. Safe to use from several threads.

    A content that is being compiled is waited for, not compiled twice.
    """

    def __init__(self, translate: Callable[[Path, bytes], Facts], most_bytes: int = _MOST_BYTES) -> None:
        """Args: translate: compiles; may raise CompileError, of which nothing is kept."""
        self._translate = translate
        self._most_bytes = most_bytes
        self._bytes = 0
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._busy: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self.use = Use()

    def __contains__(self, digest: str) -> bool:
        return digest in self._entries or digest in self._busy

    def begin(self) -> None:
        """Counts in `use` what is done from now on."""
        self.use = Use()

    def compile(self, source: Source) -> Unit:
        """Returns a compiled file.

        Raises:
            CompileError: it is not valid Python, or could not be compiled.
        """
        entry = self._known(source.digest) or self.fill(source.digest, source.path, source.data)
        self._count(source.digest, entry)
        return unit_of(source, _named(entry, str(source.path)))

    def is_valid(self, path: Path, data: bytes) -> bool:
        """Returns whether a content is valid Python; it is not counted as known before it is used."""
        digest = digest_of(data)
        try:
            entry = self._known(digest) or self.fill(digest, path, data)
        except CompileError:
            return False
        return "error" not in entry.facts

    def _count(self, digest: str, entry: _Entry) -> None:
        use = self.use
        use.done_ns = time.monotonic_ns()
        if digest not in use.counted:
            use.counted.add(digest)
            if entry.origin is None:
                use.compiled += 1
            else:
                use.origins.add(entry.origin)
                use.saved_ns += entry.cost_ns
        entry.origin = "known version"

    def fill(
        self,
        digest: str,
        path: Path,
        data: bytes,
        origin: Origin | None = None,
        translate: Callable[[Path, bytes], Facts] | None = None,
    ) -> _Entry:
        """Compiles a content and keeps it; others who want it wait.

        Args:
            digest: the name of the content.
            path: the name that goes into its code.
            data: the content.
            origin: how it came to be known before it is used; None if it is wanted now.
            translate: compiles it, if not what compiles for everybody.

        Raises:
            CompileError: the compiler did not survive it.
        """
        done = threading.Event()
        with self._lock:
            self._busy[digest] = done
        try:
            began = time.monotonic_ns()
            facts = (translate or self._translate)(path, data)
            size = 2 * len(data) + len(facts.get("code", b""))
            entry = _Entry(facts, str(path), origin, time.monotonic_ns() - began, size)
            self._keep(digest, entry)
        finally:
            with self._lock:
                if self._busy.get(digest) is done:
                    del self._busy[digest]
            done.set()
        return entry

    def _known(self, digest: str) -> _Entry | None:
        busy = self._busy.get(digest)
        if busy is not None:
            busy.wait(_PATIENCE_SECONDS)
        with self._lock:
            entry = self._entries.get(digest)
            if entry is not None:
                self._entries.move_to_end(digest)
        return entry

    def _keep(self, digest: str, entry: _Entry) -> None:
        with self._lock:
            replaced = self._entries.pop(digest, None)
            self._bytes += entry.size - (replaced.size if replaced is not None else 0)
            self._entries[digest] = entry
            while self._bytes > self._most_bytes and len(self._entries) > 1:
                _, oldest = self._entries.popitem(last=False)
                self._bytes -= oldest.size


def _named(entry: _Entry, path: str) -> Facts:
    """Returns facts whose code has the name of its file, which it may have been compiled without."""
    if entry.path == path or "code" not in entry.facts:
        return entry.facts
    code = marshal.loads(entry.facts["code"])
    _imp._fix_co_filename(code, path)  # type: ignore[attr-defined]  # noqa: SLF001 - as Python does for .pyc files
    return {**entry.facts, "code": marshal.dumps(code)}
