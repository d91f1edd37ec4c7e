"""Garbage collection in the slack of frames.

With CPython's collector left on, a world with a million live Python objects has 170 ms frames. Instead, each frame's
young objects are collected in its slack and the survivors frozen, so that no later collection looks at them again.
What is frozen can leak in cycles; so growth is estimated, and past 25 % since the last full collection one is due.
"""

from __future__ import annotations

import gc

GROWTH = 0.25
MIN_GROWTH = 100_000
"""Objects; below this, growth is no reason for a full collection."""
YOUNG = 2_000
"""Young objects that are worth a collection."""


class Garbage:
    """Owns the cyclic collector while a loop runs; a context manager that gives it back as it was.

    Attributes:
        full_collections: Full collections done since the loop began.
    """

    def __init__(self) -> None:
        self.full_collections = 0
        self._was_enabled = False
        self._base = 0
        self._grown = 0

    def __enter__(self) -> Garbage:
        self._was_enabled = gc.isenabled()
        gc.disable()
        self._collect_all()
        return self

    def __exit__(self, *exc: object) -> None:
        gc.unfreeze()
        if self._was_enabled:
            gc.enable()

    @property
    def full_collection_due(self) -> bool:
        """Whether enough objects were frozen since the last full collection to make one worth a late frame.

        What was frozen may have gone without a collection: before it says so it counts.
        """
        if not self._is_much:
            return False
        self._grown = gc.get_freeze_count() - self._base
        return self._is_much

    @property
    def _is_much(self) -> bool:
        return self._grown > max(MIN_GROWTH, GROWTH * self._base)

    def collect(self) -> None:
        """Collect what is young and freeze the rest, where there is enough of it; everything, where that is due."""
        if self.full_collection_due:
            self._collect_all()
            self.full_collections += 1
            return
        young = gc.get_count()[0]
        if young >= YOUNG:
            collected = gc.collect(0)
            gc.freeze()
            self._grown += max(0, young - collected)

    def freed(self, count: int) -> None:
        """Objects that had grown old have gone without a collection."""
        self._grown = max(0, self._grown - count)

    def _collect_all(self) -> None:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._base = gc.get_freeze_count()
        self._grown = 0
