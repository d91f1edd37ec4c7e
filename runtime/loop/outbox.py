"""A thread that writes for the frame, so that a slow reader never holds a frame up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Outbox(Generic[Item]):
    """Items on their way to a writer that may wait.

    Putting is one queue operation: safe from any thread, signal handler or finaliser.

    Args:
        write: called with one item after the other on the outbox's thread; an OSError ends the outbox.
    """

    def __init__(self, write: Callable[[Item], None]) -> None:
        self._write = write
        self._queue: SimpleQueue[Callable[[], Item] | threading.Event | None] = SimpleQueue()
        self._latest: Item | None = None
        self._waiting = False
        self._thread = threading.Thread(target=self._run, name="instar-outbox", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Sends an item after all that were put before; never dropped."""
        self._queue.put(lambda: item)

    def replace(self, item: Item) -> None:
        """Sends an item in place of an earlier one put by `replace` that still waits."""
        self._latest = item
        if not self._waiting:
            self._waiting = True
            self._queue.put(self._take_latest)

    def flush(self, timeout: float) -> bool:
        """Waits at most `timeout` seconds until all that was put is written; says whether it was."""
        done = threading.Event()
        self._queue.put(done)
        return done.wait(timeout)

    def close(self) -> None:
        """Lets the thread end once all is written; does not wait for it."""
        self._queue.put(None)

    def _take_latest(self) -> Item:
        self._waiting = False
        assert self._latest is not None
        return self._latest

    def _run(self) -> None:
        failed = False
        while (entry := self._queue.get()) is not None:
            if isinstance(entry, threading.Event):
                entry.set()
            elif not failed:
                try:
                    self._write(entry())
                except OSError:
                    failed = True
