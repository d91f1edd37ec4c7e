"""Rows that come and go: ids given and freed, holes closed, ids found."""

from collections.abc import Iterable
from typing import final

import numpy as np
import numpy.typing as npt

from instar.native.column import Column

@final
class Despawns:
    """The rows of one table that are to go. Its memory is a bit per row and eight bytes per move, kept for the next time.

    Attributes:
        scratch_bytes: The memory it holds.
        growths: How often it has asked for memory.
    """

    def __init__(self) -> None: ...
    def __len__(self) -> int:
        """How many rows are marked; one that was marked twice counts once."""
    def mark_rows(self, chosen: npt.NDArray[np.int64], rows: int) -> int | None:
        """Mark rows of a table; negative ones count from its end.

        Args:
            chosen: int64, shape ``(n,)``, contiguous.
            rows: How many rows the table has.

        Returns:
            None, or the first that is not there; none is marked then.
        """
    def mark_mask(self, mask: npt.NDArray[np.bool_]) -> None:
        """Mark the rows where a mask over all rows is true; bytes, contiguous."""
    def mark_range(self, chosen: range, rows: int) -> None:
        """Mark a range of rows of a table.

        Raises:
            InstarError: If it does not lie within the rows; none is marked.
        """
    def clear(self) -> None:
        """Let all rows stay."""
    @property
    def scratch_bytes(self) -> int: ...
    @property
    def growths(self) -> int: ...

@final
class Index:
    """Which agent stands in which row, in three columns.

    An id is ``(generation << 32 | slot) + 1``. Other threads run while it works on many rows.

    Args:
        ids: uint64 per row.
        slots: uint64 per slot: ``generation << 32 | row``; the row is all ones where nobody has the slot.
        free: uint32, a stack of free slots.

    Attributes:
        slots_used: How many slots were ever handed out.
        free_count: How many of them wait on the stack.

    Raises:
        InstarError: If a column cannot be written. Of all methods: if what is asked for does not fit the columns, or they
            contradict each other, so that somebody else must have written them. Nothing has changed then.
    """

    def __init__(self, ids: Column, slots: Column, free: Column) -> None: ...
    @property
    def slots_used(self) -> int: ...
    @property
    def free_count(self) -> int: ...
    def restore(self, slots_used: int, free_count: int) -> None:
        """Take up the counts that belong to the columns' bytes."""
    def spawn(self, start: int, count: int) -> None:
        """Give ids to ``count`` rows from ``start`` on; the slot freed last comes back first."""
    def despawn(self, despawns: Despawns, rows: int, columns: Iterable[tuple[Column, int]]) -> None:
        """Remove the marked rows, of which none remains marked: the last rows that stay move into the holes, in their order.

        Args:
            despawns: The rows that go.
            rows: How many the table has before.
            columns: The columns whose rows go along, with the bytes of one cell; freed cells are zeroed.

        Raises:
            MemoryError: If there is none for the moves; nothing has changed.
        """
    def rows_of(self, ids: npt.NDArray[np.uint64], rows: npt.NDArray[np.int64]) -> None:
        """Write the row of each id into ``rows``, -1 for ids that are gone, 0, or never were given; both of shape ``(n,)``."""
    def forget(self, references: Column, count: int, everywhere: bool) -> int:
        """Zero the live ids, in another table's column, of agents that are gone.

        Ids that were never given stay: they are faults, which validation finds, and of which `seen_outside` tells.

        Args:
            references: Ids, uint64.
            count: How many from the beginning.
            everywhere: Whether to look at all, or only at those that differ from what was committed.

        Returns:
            How many were zeroed.
        """
