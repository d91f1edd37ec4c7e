"""Stable ids of a table's rows.

An id is `generation << 32 | slot`, plus one so that 0 means none. A slot knows the row its agent stands in; a despawned
agent's slot goes on a free list and comes back with the next generation, so that no id is ever used twice.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from instar.native import Column

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ONE = np.uint64(1)
_LAST_GENERATION = np.uint64(0xFFFFFFFF)

Rows = npt.NDArray[np.int64]
Ids = npt.NDArray[np.uint64]


class IdIndex:
    """Which agent stands in which row; lives in columns, so that commits and rollbacks hold it too.

    Attributes:
        columns: ``id`` (u64 per row), ``slots`` (u64 per slot: generation << 32 | row) and ``free`` (u32 stack of slots).
        slots_used: How many slots were ever handed out.
        free_count: How many slots wait on the free list.
    """

    def __init__(self, capacity: int) -> None:
        self.columns = {"id": Column(8 * capacity), "slots": Column(8 * capacity), "free": Column(4 * capacity)}
        self.ids: Ids = np.frombuffer(self.columns["id"].live, np.uint64, capacity)
        self._slots: Ids = np.frombuffer(self.columns["slots"].live, np.uint64, capacity)
        self._free: npt.NDArray[np.uint32] = np.frombuffer(self.columns["free"].live, np.uint32, capacity)
        self.slots_used = 0
        self.free_count = 0

    def view(self, rows: int) -> Ids:
        """The ids of the rows, read-only for good."""
        return np.frombuffer(self.columns["id"].live.toreadonly(), np.uint64, rows)

    def spawn(self, start: int, count: int) -> None:
        """Give ids to the rows ``start … start + count``, which must be the next free ones."""
        reused = min(count, self.free_count)
        fresh = count - reused
        slots = np.empty(count, np.uint64)
        top = self._free[self.free_count - reused : self.free_count]
        slots[:reused] = top[::-1]
        slots[reused:] = np.arange(self.slots_used, self.slots_used + fresh, dtype=np.uint64)
        top[:] = 0
        self.free_count -= reused
        self.slots_used += fresh
        generations = self._slots[slots] & ~_LOW
        self._slots[slots] = generations | np.arange(start, start + count, dtype=np.uint64)
        self.ids[start : start + count] = (generations | slots) + _ONE

    def despawn(self, dead: Rows, holes: Rows, movers: Rows, count: int) -> None:
        """Free the ids of the rows ``dead``, move those of ``movers`` into ``holes``, and leave ``count - len(dead)`` rows."""
        slots = (self.ids[dead] - _ONE) & _LOW
        generations = self._slots[slots] >> _HALF
        self._slots[slots] = ((generations + _ONE) << _HALF) | _LOW
        again = slots[generations < _LAST_GENERATION - _ONE]
        self._free[self.free_count : self.free_count + len(again)] = again
        self.free_count += len(again)
        moved = self.ids[movers]
        moved_slots = (moved - _ONE) & _LOW
        self._slots[moved_slots] = (self._slots[moved_slots] & ~_LOW) | holes.astype(np.uint64)
        self.ids[holes] = moved
        self.ids[count - len(dead) : count] = 0

    def rows_of(self, ids: npt.ArrayLike) -> Rows:
        """The rows in which the agents with these ids stand now; -1 for ids that are despawned, 0 or never given."""
        wanted = np.asarray(ids, np.uint64)
        slots = (wanted - _ONE) & _LOW
        known = slots < np.uint64(self.slots_used)
        entries = self._slots[np.where(known, slots, 0)]
        alive = known & (entries >> _HALF == (wanted - _ONE) >> _HALF) & (entries & _LOW != _LOW)
        return np.where(alive, entries & _LOW, ~np.uint64(0)).view(np.int64)

    def sync_extents(self, count: int) -> None:
        """Tell the columns how many of their bytes are in use."""
        self.columns["id"].extent = 8 * count
        self.columns["slots"].extent = 8 * self.slots_used
        self.columns["free"].extent = 4 * self.free_count
