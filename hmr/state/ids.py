"""Stable ids of a table's rows.

An id is `generation << 32 | slot`, plus one so that 0 means none. A slot knows the row its agent stands in; a despawned
agent's slot goes on a free list and comes back with the next generation, so that no id is ever used twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from instar.native import Column, Despawns, Index

Rows = npt.NDArray[np.int64]
Ids = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Roots:
    """What a table has besides the columns of its fields.

    Attributes:
        header: Three u64: rows, slots used, slots on the free list.
        counts: Its live bytes, as an array.
        index: Which agent stands in which row.
    """

    header: Column
    counts: npt.NDArray[np.uint64]
    index: IdIndex

    @classmethod
    def reserve(cls, rows: int) -> Roots:
        """Those of a table without rows, with room for so many."""
        header = Column(8 * 3)
        header.fill(bytes(8), 3)
        return cls(header, np.frombuffer(header.live, np.uint64, 3), IdIndex(rows))

    @property
    def native(self) -> tuple[Column, ...]:
        """The native columns."""
        return self.header, *self.index.columns.values()


class IdIndex:
    """Which agent stands in which row; lives in columns, so that commits and rollbacks hold it too.

    Attributes:
        columns: ``id`` (u64 per row), ``slots`` (u64 per slot: generation << 32 | row) and ``free`` (u32 stack of slots).
    """

    def __init__(self, capacity: int) -> None:
        self.columns = {"id": Column(8 * capacity), "slots": Column(8 * capacity), "free": Column(4 * capacity)}
        self._native = Index(*self.columns.values())

    @property
    def room(self) -> int:
        """For how many agents there is room."""
        return min(self.columns["id"].capacity_bytes // 8, self.columns["free"].capacity_bytes // 4)

    @property
    def slots_used(self) -> int:
        """How many slots were ever handed out."""
        return self._native.slots_used

    @property
    def free_count(self) -> int:
        """How many slots wait on the free list."""
        return self._native.free_count

    def view(self, rows: int) -> Ids:
        """The ids of the rows, read-only for good."""
        return np.frombuffer(self.columns["id"].live.toreadonly(), np.uint64, rows)

    def spawn(self, start: int, count: int) -> None:
        """Give ids to the rows ``start … start + count``, which must be the next free ones."""
        self._native.spawn(start, count)

    def despawn(self, doomed: Despawns, rows: int, columns: Iterable[tuple[Column, int]]) -> None:
        """Free the ids of the doomed among ``rows`` rows; the last rows move into the holes, in these columns too."""
        self._native.despawn(doomed, rows, columns)

    def rows_of(self, ids: Ids) -> Rows:
        """The rows in which the agents with these ids stand now; -1 for ids that are despawned, 0 or never given."""
        rows = np.empty(ids.shape, np.int64)
        self._native.rows_of(ids.reshape(-1), rows.reshape(-1))
        return rows

    def forget(self, references: Column, count: int, *, everywhere: bool) -> int:
        """Zero, in a column of ids, those that are despawned; returns how many.

        Args:
            references: The column.
            count: How many ids it has.
            everywhere: Whether to look at each, or only at those that differ from what was committed.
        """
        return self._native.forget(references, count, everywhere)

    def restore(self, slots_used: int, free_count: int) -> None:
        """Take up the counts that belong to the columns as they are now."""
        self.restoring(slots_used, free_count)()

    def restoring(self, slots_used: int, free_count: int) -> Callable[[], object]:
        """What `restore` does, as a call that takes no Python code."""
        return partial(self._native.restore, slots_used, free_count)

    def sync_extents(self, count: int) -> None:
        """Tell the columns how many of their bytes are in use."""
        self.columns["id"].extent = 8 * count
        self.columns["slots"].extent = 8 * self.slots_used
        self.columns["free"].extent = 4 * self.free_count
