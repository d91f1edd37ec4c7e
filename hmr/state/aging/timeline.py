"""One history, however its frames are kept: the last ones as they were committed, those before them packed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from instar.hmr.state.aging.archive import Archive, Stretch
from instar.hmr.state.aging.freezer import Freezer
from instar.hmr.state.aging.packer import Packer
from instar.native import Column, History, HistoryError

_MARGIN_BYTES = 1 << 20
_TOUCHED_PER_SECOND = 2e9
"""Bytes for which a system finds memory, on the slow side."""


class Timeline(History):
    """A `History` whose old frames are packed where that pays; its budget is for both.

    Frames are packed by `pack`, which is for the time that frames leave over. Everything else is as in a `History`, to which
    the packed frames only seem to be older ones. Where the budget is full the oldest fall off.

    Args:
        budget_bytes: As for a `History`.
        threads: As for a `History`.
    """

    def __init__(self, budget_bytes: int, threads: int = 1) -> None:
        super().__init__(budget_bytes, threads)
        self._archive = Archive()
        self._packer = Packer()
        self._freezer = Freezer()
        self._changed_bytes = 0

    @property
    def oldest(self) -> int:
        """The first frame that `undo` can reach."""
        return self._archive.oldest if self._archive else super().oldest

    @property
    def used_bytes(self) -> int:
        """Bytes that hold deltas, packed or not."""
        return super().used_bytes + self._archive.used_bytes

    @property
    def packed_bytes(self) -> int:
        """Bytes of them that are packed."""
        return self._archive.used_bytes

    @property
    def packed_ring_bytes(self) -> int:
        """The bytes that the packed ones would take unpacked."""
        return sum(stretch.ring_bytes for stretch in self._archive)

    @property
    def packed(self) -> list[Stretch]:
        """The packed frames, oldest first."""
        return list(self._archive)

    @property
    def limit_bytes(self) -> int:
        """The most bytes that are in use after a commit, as in a `History`."""
        return super().limit_bytes

    @limit_bytes.setter
    def limit_bytes(self, value: int) -> None:
        if value <= self.budget_bytes:
            self._shed_packed(value)
            if self.used_bytes > value and self.current < self._seam:
                self._forget_ahead()
                self._shed_packed(value)
        History.limit_bytes.__set__(self, value)  # type: ignore[attr-defined]

    def commit(self, frame: int, columns: Sequence[Column]) -> tuple[int, int]:
        """Commit as a `History` does."""
        archive = self._archive
        if not archive:
            done = super().commit(frame, columns)
            self._changed_bytes = done[1]
            return done
        if frame == self.current <= self._seam:
            self._bring_back()
        before = self.current
        done = super().commit(frame, columns)
        archive.truncate(before)
        if archive and archive.newest != self._seam:
            archive.clear()  # The ring had to drop frames of its own, which are newer.
        self._shed_packed(self.limit_bytes)
        self._changed_bytes = done[1]
        return done

    def undo(self) -> int:
        """Go one frame back, as a `History` does."""
        if not self._archive or self.current > self._seam:
            return super().undo()
        if self.current == self._archive.oldest:
            raise HistoryError(
                f"no frame before {self.current} is held; the world stays there. The history reaches from {self.oldest} to "
                f"{self.newest}; a larger budget would reach further back"
            )
        return self.step(self._archive.unpacked(self._holding(self.current), self), back=True)

    def redo(self) -> int:
        """Go one frame forward, as a `History` does."""
        if not self._archive or self.current >= self._seam:
            return super().redo()
        return self.step(self._archive.unpacked(self._holding(self.current + 1), self), back=False)

    def reset(self, frame: int) -> None:
        """Forget all deltas and make ``frame`` the current one; bytes stay as they are."""
        super().reset(frame)
        self._archive.clear()

    def resetting(self, frame: int) -> list[Callable[[], object]]:
        """What `reset` does, as calls that take no Python code."""
        return [partial(History.reset, self, frame), partial(self.__dict__.update, {"_archive": Archive()})]

    def carry(self, column: Column, chunk: int, data: bytearray | memoryview, start: int, stop: int) -> None:
        """Lead a copy of a column's chunks from one frame to another, as a `History` does."""
        self._require_held(start, stop)
        super().carry(column, chunk, data, max(start, self._seam), max(stop, self._seam))
        for low, high, stretch in self._packed_between(start, stop):
            self._archive.unpacked(stretch, self).carry(column, chunk, data, low, high)

    def carry_extent(self, column: Column, extent: int, start: int, stop: int) -> int:
        """Lead a committed extent from one frame to another, as a `History` does."""
        self._require_held(start, stop)
        extent = super().carry_extent(column, extent, max(start, self._seam), max(stop, self._seam))
        for low, high, stretch in self._packed_between(start, stop):
            extent = self._archive.unpacked(stretch, self).carry_extent(column, extent, low, high)
        return extent

    def changed(self, start: int, stop: int) -> dict[Column, list[int]]:
        """The chunks of each column that changed between two frames, as a `History` tells them."""
        self._require_held(start, stop)
        found = super().changed(max(start, self._seam), max(stop, self._seam))
        for low, high, stretch in self._packed_between(start, stop):
            for column, chunks in self._archive.unpacked(stretch, self).changed(low, high).items():
                found[column] = sorted({*chunks, *found.get(column, ())})
        return found

    def bytes_by_column(self) -> dict[Column, int]:
        """The bytes that the deltas of each column take; of what is packed together, each has its share."""
        found = super().bytes_by_column()
        for stretch in self._archive:
            share = stretch.stored_bytes / stretch.ring_bytes
            for column, count in stretch.bytes_by_column.items():
                found[column] = found.get(column, 0) + int(count * share)
        return found

    def check(self, first: int | None = None, count: int | None = None) -> list[int]:
        """Verify what is held of ``count`` frames from ``first`` on, or of all; returns frames with damage.

        Frames that are packed together stand or fall together: of those the last is named, and looked at, for all.
        """
        low = self.oldest if first is None else first - 1
        high = self.newest if count is None else low + count
        packed = [one.newest for one in self._archive if low < one.newest <= high and not one.is_whole]
        return packed + super().check(first, count)

    def mend(self) -> tuple[list[int], list[int]]:
        """Verify everything and correct single flipped bits, as a `History` does."""
        mended, lost = super().mend()
        archive = self._archive
        if archive and archive.newest != self._seam:
            archive.clear()  # What led to the packed frames is lost.
        damaged = [stretch for stretch in archive if not stretch.is_whole]
        beyond = [stretch for stretch in damaged if not stretch.mend()]
        mended += [stretch.newest for stretch in damaged if stretch not in beyond]
        for stretch in beyond:
            lost.append(stretch.newest)
            if stretch.newest > self.current:
                self._forget_ahead()
            while stretch in archive:
                archive.drop_oldest()
        return mended, lost

    def maintain(self, columns: Iterable[tuple[Column, int]], seconds: float) -> int:
        """Spend time that is left over: memory is made ready for the next commits, what is old is packed.

        Args:
            columns: Those whose committed bytes may be packed where nothing changes them, and the bytes of an element of each.
            seconds: How long; a little more may be taken.

        Returns:
            The bytes that were packed, as a trial or for good.
        """
        end = time.perf_counter() + seconds
        self.touch_ahead(min(2 * self._changed_bytes + _MARGIN_BYTES, int(seconds * _TOUCHED_PER_SECOND)))
        packed = self.pack(end - time.perf_counter())
        return packed + self._freezer.freeze(self, columns, end - time.perf_counter())

    def pack(self, seconds: float) -> int:
        """Pack old frames for so long, at least one stretch of them if there is one.

        Returns:
            The bytes of the ring that were packed, as a trial or for good.
        """
        self._archive.close()
        if self.current < self._seam:
            return 0
        packed = self._packer.pack(self, self._archive, self._seam, seconds)
        self._shed_packed(self.limit_bytes)  # What goes along as it is may have grown by a little.
        return packed

    @property
    def _seam(self) -> int:
        """The frame before the first of the ring; the last one packed."""
        return super().oldest

    def _holding(self, frame: int) -> Stretch:
        return next(stretch for stretch in self._archive if stretch.oldest < frame <= stretch.newest)

    def _packed_between(self, start: int, stop: int) -> Iterator[tuple[int, int, Stretch]]:
        low, high = min(start, stop), min(max(start, stop), self._seam)
        for stretch in self._archive.between(low, high):
            yield max(low, stretch.oldest), min(high, stretch.newest), stretch

    def _require_held(self, start: int, stop: int) -> None:
        if min(start, stop) < self.oldest or max(start, stop) > self.newest:
            raise HistoryError(
                f"frames {min(start, stop)} to {max(start, stop)} are not all held; nothing was read. The history reaches from "
                f"{self.oldest} to {self.newest}; a larger budget would reach further back"
            )

    def _shed_packed(self, limit: int) -> None:
        """Drop the oldest packed frames, as long as more bytes than the limit are in use."""
        while self._archive and self.used_bytes > limit and self._archive.first_newest <= self.current:
            self._archive.drop_oldest()

    def _forget_ahead(self) -> None:
        """Drop the frames after the current one, which is packed."""
        super().reset(self.current)
        self._archive.truncate(self.current)

    def _bring_back(self) -> None:
        """Take the current frame, which is packed, back into the ring, as it is to be added to."""
        if self.current > self._archive.oldest:
            super().bring_back(self._archive.unpacked(self._holding(self.current), self))
        fits = self._seam < self.current
        self._archive.truncate(self._seam if fits else self._archive.oldest)
