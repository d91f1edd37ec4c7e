"""Saves where no events can be had: look, and look again."""

from __future__ import annotations

import threading
from collections.abc import Collection
from pathlib import Path

from instar.hmr.code.watch.feed import Kind, Touch, modules_below

INTERVAL = 0.25
"""Seconds between two looks: a stat of every module costs well below a millisecond in a scene of usual size."""


class PollingFeed:
    """Touches of the modules below a folder, found by their size, times and inode. The first look reports them all."""

    def __init__(self, root: Path, interval: float = INTERVAL, *, others: Collection[Path] = ()) -> None:
        self._root = root
        self._others = others
        self._interval = interval
        self._seen: dict[Path, tuple[int, ...]] = {}
        self._woken = threading.Event()
        self._looked = False

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that are watched."""
        return tuple(sorted({self._root, *(path.parent for path in self._seen)}))

    def wait(self, seconds: float | None) -> list[Touch]:
        """See `Feed.wait`."""
        if self._looked:
            self._woken.wait(self._interval if seconds is None else min(seconds, self._interval))
            self._woken.clear()
        self._looked = True
        found = {path: mark for path in modules_below(self._root, self._others) if (mark := mark_of(path)) is not None}
        touches = [Touch(path, Kind.UNSURE) for path, mark in found.items() if self._seen.get(path) != mark]
        touches += [Touch(path, Kind.GONE) for path in self._seen.keys() - found.keys()]
        self._seen = found
        return touches

    def wake(self) -> None:
        """See `Feed.wake`."""
        self._woken.set()

    def close(self) -> None:
        """See `Feed.close`."""
        self._seen = {}


def mark_of(path: Path) -> tuple[int, ...] | None:
    """Returns what differs when a file, or the one that it links to, was changed or replaced; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_ctime_ns
