"""The world as it was in one frame, beside the history, which may drop that frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from instar.native import Column, History, HistoryError, Snapshot, chunk_crcs

EAGER_BYTES = 4 << 20
"""A larger image is copied by a worker in time; a smaller one by the commit that would drop what it needs."""

_worker = ThreadPoolExecutor(1, "instar-probation")


class Image:
    """The committed bytes of all columns in the current frame.

    As long as the history leads back to its frame, bytes that are missing can still be had, and the commit that would drop a
    delta they need copies them first. So that none has to wait for much, a worker copies a large image once an eighth of the
    history has been written since; where frames change little it is never copied.

    Attributes:
        frame: The frame.
    """

    def __init__(self, history: History, columns: Mapping[str, Sequence[Column]]) -> None:
        """Begin an image.

        Args:
            history: The history that commits the columns.
            columns: The columns by table.
        """
        self.frame = history.current
        self._history = history
        self._columns = [column for own in columns.values() for column in own]
        self._bytes = {name: sum(column.committed_extent for column in own) for name, own in columns.items()}
        self._is_large = sum(self._bytes.values()) > EAGER_BYTES
        self._snapshot = Snapshot(history, self._columns)
        self._taken: Sequence[memoryview] | Future[list[memoryview]] | None = None

    def advance(self) -> None:
        """Have a worker copy a large image when it is time; call it after each commit."""
        is_time = 8 * self._snapshot.followed_bytes >= self._history.limit_bytes
        if self._taken is None and self._is_large and is_time:
            self._taken = _worker.submit(self._snapshot.take)

    def bytes_by_table(self) -> Mapping[str, int]:
        """The bytes of each table."""
        return self._bytes

    def of(self, column: Column) -> memoryview:
        """The bytes of a column.

        Raises:
            HistoryError: If they could not be taken.
        """
        return self._all()[self._columns.index(column)]

    def verified(self) -> Iterable[tuple[Column, memoryview]]:
        """All columns with their bytes.

        Raises:
            HistoryError: If they could not be taken, or are not what was committed.
        """
        taken = self._all()
        for data, crcs in zip(taken, self._snapshot.chunk_crcs, strict=True):
            if chunk_crcs(data) != crcs:
                raise HistoryError(
                    f"the copy of frame {self.frame} is damaged; nothing was changed. It cannot be returned to"
                )
        return list(zip(self._columns, taken, strict=True))

    def abandon(self) -> None:
        """Copy no more; the bytes are still there."""
        self._snapshot.abandon()
        self._bytes = {}

    def free(self) -> None:
        """Let go of the bytes. A worker gives their memory back, as that takes ms, and other mappings wait for it."""
        self.abandon()
        parts = [self._snapshot, self._taken]
        del self._snapshot, self._taken
        _worker.submit(parts.clear)

    def _all(self) -> Sequence[memoryview]:
        if self._taken is None:
            self._taken = self._snapshot.take()
        elif isinstance(self._taken, Future):
            self._taken = self._taken.result()
        return self._taken
