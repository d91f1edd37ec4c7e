"""Which frames leave the ring, and when."""

from __future__ import annotations

import time
from collections import deque
from typing import NamedTuple

from instar.hmr.state.aging.archive import Archive, Stretch
from instar.native import Bundle, History, HistoryError

AGE = 120
"""Frames stay in the ring for so many frames: people go back there, and it costs them nothing."""
STRETCH_BYTES = 256 << 10
"""Bytes of the ring that are packed together; an L2 cache holds them twice."""
LEAST_SAVING = 0.1
"""What packing must save at least; else frames stay in the ring, which costs nothing."""
_PATIENCE = 600
_PAUSE = 30
"""Frames after which it is seen whether there is enough to pack: at most, and where there is nothing."""


class _Trial(NamedTuple):
    """Frames that were packed, as a trial, and stayed in the ring."""

    newest: int
    ring_bytes: int
    packed_bytes: int


class Packer:
    """Packs the oldest frames of a ring into an archive.

    Frames that do not get smaller are tried once. Only the oldest frames can leave the ring, so such frames would hold up
    those after them for as long as they are held: they go along, as they are, as soon as that pays for all of them together.
    Frames of many stretches' size are left to fall off: packing one would take longer than a frame has.
    """

    def __init__(self) -> None:
        self._tried: deque[_Trial] = deque()
        self._leaving = 0
        self._next_look = 0

    def pack(self, history: History, archive: Archive, oldest: int, seconds: float) -> int:
        """Pack stretches of old frames for so long; one is the least.

        Args:
            history: The ring; its current frame lies in it.
            archive: Where frames go.
            oldest: The frame before the first in the ring.
            seconds: How long.

        Returns:
            The bytes of the ring that were packed, as a trial or for good.
        """
        newest = history.current - AGE
        self._forget_what_left(oldest, newest)
        if newest < self._next_look <= newest + _PATIENCE or history.snapshot_pending:
            return 0
        end = time.perf_counter() + seconds
        packed = 0
        try:
            while (size := self._pack_one(history, archive, newest)) and time.perf_counter() < end:
                packed += size
        except HistoryError:
            self._next_look = newest + _PATIENCE  # Damage is for validation to mend.
            return packed
        return packed + size

    def _pack_one(self, history: History, archive: Archive, newest: int) -> int:
        """Pack one stretch, or try to; returns its bytes in the ring, 0 if there is none."""
        if self._leaving:
            self._leaving -= 1
            trial = self._tried.popleft()
            known = history.gather(-1, trial.ring_bytes, trial.newest)
            if known is not None:
                _move(history, archive, known, archive.pack(known))
            return trial.ring_bytes
        bundle = history.gather(self._tried[-1].newest if self._tried else -1, STRETCH_BYTES, newest)
        if bundle is None or (bundle.newest >= newest and bundle.ring_bytes < STRETCH_BYTES):
            self._look_later(newest, bundle)
            return 0
        stretch = archive.pack(bundle)
        self._tried.append(_Trial(bundle.newest, bundle.ring_bytes, stretch.stored_bytes))
        if self._pays():
            if len(self._tried) == 1:
                self._tried.clear()
                _move(history, archive, bundle, stretch)
            self._leaving = len(self._tried)
        return bundle.ring_bytes

    def _pays(self) -> bool:
        filled = sum(trial.ring_bytes for trial in self._tried)
        return sum(trial.packed_bytes for trial in self._tried) <= (1 - LEAST_SAVING) * filled

    def _look_later(self, newest: int, bundle: Bundle | None) -> None:
        """Wait until the frames that are too few may be enough."""
        missing = float(_PAUSE) if bundle is None else bundle.count * (STRETCH_BYTES / bundle.ring_bytes - 1)
        self._next_look = newest + round(min(max(missing, 1), _PATIENCE))

    def _forget_what_left(self, oldest: int, newest: int) -> None:
        """Forget trials of frames that the ring has dropped, or that are young again after a rollback."""
        while self._tried and self._tried[0].newest <= oldest:
            self._tried.popleft()
            self._leaving -= self._leaving > 0
        while self._tried and self._tried[-1].newest > newest:
            self._tried.pop()
            self._leaving = min(self._leaving, len(self._tried))


def _move(history: History, archive: Archive, bundle: Bundle, stretch: Stretch) -> None:
    archive.append(stretch)
    history.drop_oldest(bundle.count)
