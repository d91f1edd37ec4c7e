"""The committed bytes of columns in one frame, taken beside the frames that follow."""

from array import array
from collections.abc import Sequence
from typing import final

from instar.native.column import Column
from instar.native.history import History

@final
class Snapshot:
    """The current frame's committed bytes, for any thread to take while the history's own thread goes on.

    Making one takes the history's thread some microseconds a column. Bytes are copied by whoever calls `take`; those that
    a later frame has changed by then are led back by its deltas. Where the history's own thread is about to undo, redo, add
    to the frame or drop such a delta, it copies the rest first. A history may have several.

    Args:
        history: The history that commits the columns.
        columns: Columns that it knows.

    Attributes:
        extents: The committed extent of each column in that frame, in bytes.
        chunk_crcs: CRC-64/NVME of each column's chunks in that frame, as `Column.chunk_crcs` gives them.

    Raises:
        InstarError: If a column is not known to the history.
        ReservationError: If the system does not give the address space.
    """

    extents: tuple[int, ...]
    chunk_crcs: tuple[array[int], ...]

    def __init__(self, history: History, columns: Sequence[Column]) -> None: ...
    @property
    def frame(self) -> int:
        """The frame it is of."""
    @property
    def complete(self) -> bool:
        """Whether all bytes are copied, so that `take` returns at once."""
    @property
    def followed_bytes(self) -> int:
        """The bytes that the frames after it take in the history, which keeps them for it; 0 once it is complete."""
    def abandon(self) -> None:
        """Copy no more: nothing need be kept for it. Where bytes are missing, `take` raises HistoryError from now on."""
    def take(self) -> list[memoryview]:
        """The bytes of each column, read-only, as many as its extent; other threads run meanwhile. To be called once.

        Raises:
            HistoryError: If a damaged record of the history was needed.
            InstarError: If they were taken before.
        """
