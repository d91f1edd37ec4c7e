"""The bytes of one column: live, committed, and a checksum of each committed chunk."""

from array import array
from typing import Any, Protocol, final

import numpy.typing as npt
from typing_extensions import Buffer

class Packed(Protocol):
    """Committed bytes in another form."""

    def unpack(self, out: memoryview, /) -> None:
        """Write the bytes; ``out`` is zero before, and may stay so where they are damaged."""
    def is_whole(self, start: int, stop: int, /) -> bool:
        """Whether what stands for bytes ``start`` to ``stop`` is undamaged."""
    @property
    def stored_bytes(self) -> int:
        """The bytes it takes."""

@final
class Column:
    """Two reserved mappings, zero until written, that move only by `renew`: what modules write, and the last commit's world.

    Both begin at a page boundary. Bytes of ``live`` at and past `extent` must be zero whenever a history acts on the column.

    Args:
        capacity_bytes: The most bytes it can hold, rounded up to a whole chunk; only address space until it is written.

    Raises:
        InstarError: If the capacity is not possible.
        ReservationError: If the system does not give the address space.
    """

    def __init__(self, capacity_bytes: int) -> None: ...
    @property
    def live(self) -> memoryview:
        """All its bytes, writable: ``np.frombuffer(column.live, dtype)`` is a view that keeps them alive."""
    @property
    def live_views(self) -> int:
        """How many buffers taken by `live` are alive, themselves or in anything made of them (arrays, slices, memoryviews)."""
    @property
    def committed(self) -> memoryview:
        """All its committed bytes, read-only to everyone but a `History`; packed ones are brought back to memory."""
    @property
    def compared(self) -> int:
        """The last frame that was committed with this column, or that an undo or redo changed it in."""
    @property
    def packed(self) -> Packed | None:
        """What the committed bytes are packed in, if they are."""
    def freeze(self, packed: Packed) -> bool:
        """Give the memory of the committed bytes back to the system, as they are packed.

        Whatever needs them brings them back: nothing can read the memory meanwhile. Chunks that the packed form does not give
        right, as `chunk_crcs` tells, are taken from ``live`` then. No `Snapshot` of the history may be pending.

        Args:
            packed: Stands for the bytes of the committed extent.

        Returns:
            Whether it was done: not while views of ``committed`` are alive.

        Raises:
            InstarError: If they are packed already.
        """
    @property
    def capacity_bytes(self) -> int:
        """Its capacity in bytes, a multiple of `CHUNK_BYTES`."""
    @property
    def extent(self) -> int:
        """How many bytes of ``live``, from its beginning, may be other than zero."""
    @extent.setter
    def extent(self, value: int) -> None: ...
    def expect(self, nbytes: int) -> None:
        """Prepare for so many bytes to be written, as setting `extent` does: where they are many, by large pages."""
    @property
    def committed_extent(self) -> int:
        """The extent as of the last commit."""
    def chunk_crcs(self) -> array[int]:
        """CRC-64/NVME of each chunk of the committed extent, uint64; a last chunk counts as filled up with zeros."""
    def first_change(self) -> int | None:
        """The first byte of the committed extent that is another one in ``live``; None if all are the same."""
    def load(self, data: Buffer | npt.NDArray[Any]) -> None:
        """Make bytes the live and the committed ones, with their checksums, whatever was there before.

        Histories know nothing of it: reset those that hold the column. Memory is taken only where bytes are not zero.

        Args:
            data: The bytes; their number becomes the extent, and what lies behind is zero.

        Raises:
            InstarError: If they are more than the capacity; nothing has changed then.
        """
    def fill(self, cell: Buffer | npt.NDArray[Any], count: int) -> None:
        """Make equal cells the live and the committed bytes of a column that no history knows, with their checksums.

        Zeros take neither time nor memory. No history holds a record of it: to a history that gets the column then, it always
        was like this.

        Raises:
            InstarError: If they do not fit, or a history knows the column; nothing has changed then.
        """
    def touch(self, nbytes: int) -> None:
        """Have the system find memory for the first bytes of an unused column; other threads run meanwhile."""
    def settle(self, nbytes: int) -> None:
        """Make the first live bytes the committed ones, as `fill` does; those behind them must be zero."""
    def renew(self, capacity_bytes: int = 0) -> None:
        """Take another mapping for what is live, and more of it if the capacity is to be larger.

        Views taken before keep the old mapping with its values: what is written to it has no effect any more. Without
        views, and without more capacity, nothing is done. No `Snapshot` of the history may be pending.

        Raises:
            InstarError: If the capacity is not possible; nothing has changed then, nor after a ReservationError.
            ReservationError: If the system does not give the address space.
        """
