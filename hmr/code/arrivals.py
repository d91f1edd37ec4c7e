"""What the loader thread is told, in order, and which saves belong together."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar, cast

from instar.hmr.code.watch import Change, Repository

LOOK_SECONDS = 0.005
"""How often it is looked whether git is done."""
WRITING_SECONDS = 0.3
"""What an edit that cannot run waits for files that are just being written: they may be what it lacks."""

SIBLING_SECONDS = 0.1
"""What an edit that can run waits for a file that was saved together with it before and is just being written."""

_M = TypeVar("_M")


class Arrivals(Generic[_M]):
    """Messages for one thread: saves (lists of `Change`), others, and None at the end.

    A save that stands alone is heard at once. Those that come while git exchanges files, while an edit is built, or just
    after one failed, may be heard before their turn, because together they may be what was meant.
    """

    def __init__(
        self,
        repository: Repository,
        settle: Callable[[Callable[[bool], None]], None],
        overtaken: Callable[[_M, list[Change]], _M] = lambda message, _: message,
    ) -> None:
        """Prepares.

        Args:
            repository: around the scene.
            settle: has a function called when all saves until now are told.
            overtaken: what a message becomes when saves that came after it are heard before it.
        """
        self._overtaken = overtaken
        self._repository = repository
        self._settle = settle
        self._queue: queue.SimpleQueue[list[Change] | _M | None] = queue.SimpleQueue()
        self._waiting: deque[list[Change] | _M | None] = deque()
        self._ended = False

    def put(self, message: list[Change] | _M) -> None:
        """Adds a message, from any thread."""
        self._queue.put(message)

    def end(self) -> None:
        """Ends all waiting; after the messages until now comes None."""
        self._ended = True
        self._queue.put(None)

    def get(self) -> list[Change] | _M | None:
        """Returns the next message, as soon as there is one; saves together with those that git makes with them."""
        message = self._waiting.popleft() if self._waiting else self._queue.get()
        return message + self._held() if isinstance(message, list) else message

    def joining(self, began: int | None = None) -> list[Change]:
        """Returns what was saved while an edit was built.

        Args:
            began: when it was begun, `time.monotonic_ns`, if files that were saved together with it before have changed:
                they are waited for.
        """
        return self._saves() + self._held() if began is None else self.about_to_come(began, SIBLING_SECONDS)

    def about_to_come(self, began: int, seconds: float | None = None) -> list[Change]:
        """Returns what was saved while an edit was built, or is just being written.

        Args:
            began: when the edit was begun, `time.monotonic_ns`.
            seconds: how long after that it is waited for writers; `WRITING_SECONDS` if None.
        """
        while not self._ended:
            found = self._held()
            more, writing = self._all_told()
            late = time.monotonic_ns() - began > (WRITING_SECONDS if seconds is None else seconds) * 1e9
            if found or more or not writing or late:
                return found + more
            if more := self._saves(LOOK_SECONDS):
                return more
        return []

    def _held(self) -> list[Change]:
        """Holds on while git exchanges files; returns what was saved meanwhile."""
        found: list[Change] = []
        held = self._repository.was_busy()
        while not self._ended and self._repository.busy():
            held = True
            found += self._saves(LOOK_SECONDS)
        return found + self._all_told()[0] if held else found

    def _all_told(self) -> tuple[list[Change], bool]:
        """Returns what was saved until now and has not had its turn, and whether files are being written."""
        told = threading.Event()
        writing: list[bool] = []

        def done(busy: bool) -> None:
            writing.append(busy)
            told.set()

        self._settle(done)
        told.wait(WRITING_SECONDS)
        return self._saves(), any(writing)

    def _saves(self, seconds: float = 0.0) -> list[Change]:
        """Returns the saves that have come, before their turn; the other messages keep theirs.

        Args:
            seconds: how long to wait for the first one, or for the end.
        """
        due = time.monotonic() + seconds
        found: list[Change] = []
        while True:
            kept: deque[list[Change] | _M | None] = deque()
            for message in self._waiting:
                if isinstance(message, list):
                    found += message
                    kept = deque(one and self._overtaken(cast("_M", one), message) for one in kept)
                else:
                    kept.append(message)
            self._waiting = kept
            try:
                left = 0.0 if found or self._ended else due - time.monotonic()
                self._waiting.append(self._queue.get(timeout=left) if left > 0 else self._queue.get_nowait())
            except queue.Empty:
                return found
