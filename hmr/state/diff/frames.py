"""One held frame, read beside the committed one: chunks that differ are copied and carried there by the history's deltas."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from instar.hmr.state.dtypes import ColumnType
from instar.hmr.state.ids import Ids, Rows
from instar.native import CHUNK_BYTES, Column, History

Cells = npt.NDArray[np.generic]

ID = ColumnType("u64", np.dtype(np.uint64))
"""The type of an id column."""

_GAP = 4 * CHUNK_BYTES
"""Runs of changed chunks that are no further apart are read as one: a copy of so much costs less than a call."""


class HeldFrame:
    """The cells of columns as they were in one frame. The world stays where it is.

    Args:
        history: Holds the frame.
        frame: The frame.
        stale: The chunks of columns that changed between the frame and the current one.

    Attributes:
        frame: The frame.
        bytes: The bytes read so far.
    """

    def __init__(self, history: History, frame: int, stale: Mapping[Column, Sequence[int]]) -> None:
        self.frame = frame
        self.bytes = 0
        self._history = history
        self._stale = stale

    def rows(self, ids: Column) -> int:
        """How many rows the table of an id column had."""
        current = self.frame == self._history.current or ids not in self._stale
        extent = ids.committed_extent if current else self._history.extent_at(ids, self.frame)
        return extent // ID.cell_bytes

    def cells(self, column: Column, kind: ColumnType, start: int, stop: int) -> Cells:
        """The cells of the rows ``start … stop``, shape ``(stop - start, *cell)``; good until the next commit."""
        low, high = start * kind.cell_bytes, stop * kind.cell_bytes
        self.bytes += high - low
        first, last = low // CHUNK_BYTES, -(-high // CHUNK_BYTES)
        stale = self._stale.get(column, ())
        at = bisect_left(stale, first)
        if at == len(stale) or stale[at] >= last:
            data = np.frombuffer(column.committed, np.uint8, high - low, low)
        else:
            whole = np.frombuffer(column.committed, np.uint8, (last - first) * CHUNK_BYTES, first * CHUNK_BYTES).copy()
            self._history.carry(column, first, whole.data, self._history.current, self.frame)
            data = whole[low - first * CHUNK_BYTES : high - first * CHUNK_BYTES]
        return data.view(kind.dtype).reshape(stop - start, *kind.shape)

    def gather(self, column: Column, kind: ColumnType, rows: Rows) -> Cells:
        """The cells of some rows, in their order; a copy."""
        if not len(rows):
            return np.empty((0, *kind.shape), kind.dtype)
        reach = int(rows.max()) + 1
        flat = np.frombuffer(column.committed, kind.dtype, reach * math.prod(kind.shape))
        found = flat.reshape(reach, *kind.shape)[rows]
        self.bytes += found.nbytes
        for start, stop in row_runs(self._stale_under(column, kind.cell_bytes, rows), kind.cell_bytes, reach):
            inside = np.flatnonzero((rows >= start) & (rows < stop))
            if len(inside):
                found[inside] = self.cells(column, kind, start, stop)[rows[inside] - start]
        return found

    def ids(self, column: Column, rows: Rows) -> Ids:
        """The ids of some rows."""
        return self.gather(column, ID, rows).view(np.uint64)

    def _stale_under(self, column: Column, cell_bytes: int, rows: Rows) -> Sequence[int]:
        """The stale chunks in which rows begin or end; all of them where a cell may be longer than two."""
        stale = self._stale.get(column, ())
        if not stale or cell_bytes > CHUNK_BYTES:
            return stale
        ends = (rows * cell_bytes // CHUNK_BYTES, ((rows + 1) * cell_bytes - 1) // CHUNK_BYTES)
        touched = set(np.concatenate([np.unique(end) for end in ends]).tolist())
        return [chunk for chunk in stale if chunk in touched]


def row_runs(chunks: Sequence[int], cell_bytes: int, rows: int) -> Iterator[tuple[int, int]]:
    """The runs of rows, none past ``rows``, that have bytes in chunks given in order; they do not overlap."""
    start = stop = 0
    for chunk in chunks:
        low = chunk * CHUNK_BYTES // cell_bytes
        high = min(-(-(chunk + 1) * CHUNK_BYTES // cell_bytes), rows)
        if low >= rows:
            break
        if start == stop:
            start = low
        elif (low - stop) * cell_bytes > _GAP:
            yield start, stop
            start = low
        stop = high
    if start < stop:
        yield start, stop
