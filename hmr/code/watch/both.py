"""Saves where events tell of some and not of others."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

from instar.hmr.code.watch.feed import Feed, Touch
from instar.hmr.code.watch.polling import INTERVAL, PollingFeed


class BothFeed:
    """Touches that events tell of at once, and those that are found by looking."""

    def __init__(self, events: Feed, root: Path, *, others: Collection[Path] = ()) -> None:
        self._events = events
        self._polling = PollingFeed(root, others=others)
        self._due = 0.0

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that are watched."""
        return self._events.folders

    def wait(self, seconds: float | None) -> list[Touch]:
        """See `Feed.wait`."""
        left = max(0.0, self._due - time.monotonic())
        touches = self._events.wait(left if seconds is None else min(left, seconds))
        if time.monotonic() >= self._due:
            touches += self._polling.wait(0)
            self._due = time.monotonic() + INTERVAL
        return touches

    def wake(self) -> None:
        """See `Feed.wake`."""
        self._events.wake()

    def close(self) -> None:
        """See `Feed.close`."""
        self._events.close()
        self._polling.close()
