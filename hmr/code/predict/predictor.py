"""Compiles what is likely to be saved next, in a process of its own that has to wait for all others."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import Counter
from collections.abc import Collection, Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from instar.hmr.code.compile.cache import Origin, UnitCache
from instar.hmr.code.compile.pieces.incremental import Incremental
from instar.hmr.code.compile.process import CompileHelper
from instar.hmr.code.compile.source import Source, digest_of
from instar.hmr.code.compile.translate import PIECES_KNOWN
from instar.hmr.code.edit import Edit
from instar.hmr.code.errors import CompileError
from instar.hmr.code.predict.siblings import Siblings
from instar.hmr.code.watch.feed import is_module
from instar.hmr.code.watch.reading import read_as_it_is
from instar.hmr.code.watch.temporary import MOST_BYTES, meant_by

_NICENESS = 10
_MOST_WAITING = 8


class _Guess(NamedTuple):
    path: Path
    data: bytes
    origin: Origin


class Predictor:
    """Fills a cache with contents before they are asked for; a wrong guess changes nothing else.

    In between it learns the pieces of what runs, so that their next edits need not be compiled as a whole.

    Attributes:
        guesses: contents compiled before they were asked for.
    """

    def __init__(self, cache: UnitCache, incremental: Incremental) -> None:
        self.guesses = 0
        self._incremental = incremental
        self._cache = cache
        self._siblings = Siblings()
        self._helper = CompileHelper(niceness=_NICENESS)
        self._waiting: queue.Queue[_Guess | Path | None] = queue.Queue()
        self._lessons: dict[Path, bytes] = {}
        self._thread = threading.Thread(target=self._run, name="instar-predictor", daemon=True)
        self._hits: Counter[str] = Counter()
        self._edits = 0
        self._closed = False
        self._saved_ns = 0

    def start(self, sources: Iterable[Source] = ()) -> None:
        """Begins; its process is warmed beside what comes next, and learns these files."""
        for source in sources:
            if is_module(source.path.name):
                self._study(source.path, source.data)
        self._incremental.listen(self._study)
        self._thread.start()

    def close(self) -> None:
        """Ends thread and process; what waits is left."""
        self._closed = True
        self._waiting.put(None)
        if self._thread.ident is not None:
            self._thread.join()
        self._helper.close()

    def guess(self, path: Path, data: bytes, origin: Origin) -> None:
        """Has a content compiled that may soon be that of a file; safe from any thread."""
        if self._waiting.qsize() < _MOST_WAITING:
            self._waiting.put(_Guess(path, data, origin))

    def aside(self, path: Path, data: bytes, modules: Iterable[Path]) -> None:
        """Has a file compiled that an editor may be about to move to the name of one of these modules."""
        self.guess(meant_by(path, modules), data, "temp file")

    def note(self, together: Collection[Path]) -> None:
        """Remembers that these files were saved together."""
        self._siblings.note(together)

    def read_siblings(self, saved: Collection[Path]) -> bool:
        """Has files compiled that were saved together with these before and have changed; returns whether there are any."""
        changed = self._siblings.changed(saved)
        for path in changed:
            data = read_as_it_is(path, MOST_BYTES)
            if data:
                self.guess(path, data, "sibling")
        return bool(changed)

    def count(self, edit: Edit) -> None:
        """Counts an edit that runs."""
        self._edits += 1
        self._saved_ns += edit.saved_ns
        if edit.predicted is not None:
            self._hits[edit.predicted] += 1

    def document(self) -> dict[str, Any]:
        """What came of it: edits that had nothing to compile, by how they were known, of all that run; and time spared."""
        return {
            "guesses": self.guesses,
            "edits": self._edits,
            "hits": {origin: self._hits[origin] for origin in ("temp file", "sibling", "known version")},
            "hit_rate": round(self._hits.total() / self._edits, 4) if self._edits else None,
            "saved_ms": round(self._saved_ns / 1e6, 3),
        }

    def _study(self, path: Path, data: bytes) -> None:
        """Has the pieces of a file learned; of texts that wait for that, the last one counts."""
        waits = path in self._lessons
        self._lessons[path] = data
        if PIECES_KNOWN and not waits:
            self._waiting.put(path)

    def _run(self) -> None:
        self._helper.warm()
        while (task := self._waiting.get()) is not None and not self._closed:
            with contextlib.suppress(CompileError):  # whoever really saves it is told
                if isinstance(task, Path):
                    self._incremental.learn(task, self._lessons.pop(task), self._helper)
                else:
                    self._compile(task)

    def _compile(self, guess: _Guess) -> None:
        digest = digest_of(guess.data)
        if digest not in self._cache:
            compiled = partial(self._incremental.translate, elsewhere=self._helper)
            self._cache.fill(digest, guess.path, guess.data, guess.origin, compiled)
            self.guesses += 1
