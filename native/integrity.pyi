"""Whether memory still is what was committed, and the mending of what is not."""

from typing import Any, NamedTuple, final

import numpy.typing as npt
from typing_extensions import Buffer

from instar.native.column import Column
from instar.native.history import History

class Suspect(NamedTuple):
    """What is wrong with one committed chunk.

    Attributes:
        chunk: Its number in the column.
        syndrome: CRC-64/NVME of its bytes ^ the one stored for it; 0 where they agree. A CRC is linear, so this is that of the
            damage alone.
        lines: In how many of its 256 lines live differs; 0 where live was not compared.
        outside: How many of its elements lie outside the bounds.
        past_end: How many of its bytes past the committed extent are not zero.
    """

    chunk: int
    syndrome: int
    lines: int
    outside: int
    past_end: int

@final
class Bounds:
    """What the elements of a column must lie within, ends included. NaN lies within no bounds."""

    def __init__(self, element: str, low: float, high: float) -> None:
        """Make bounds.

        Args:
            element: The dtype's short name, such as ``f32``; ``bool`` is a byte.
            low: The smallest valid value.
            high: The largest.

        Raises:
            InstarError: If the dtype is not known.
            OverflowError: If a bound is no number of an integer dtype.
        """

def check_chunks(
    column: Column, first: int, stop: int, *, with_live: bool, bounds: Bounds | None = None
) -> list[Suspect]:
    """Check committed chunks against their stored checksums; changes nothing, and lets other threads run.

    Args:
        column: The column.
        first: The first chunk.
        stop: The chunk after the last; those past the committed extent are left out.
        with_live: Whether live must equal committed: so right after a commit.
        bounds: What the committed elements must lie within; anything, if None.

    Returns:
        What is wrong, by chunk; empty if nothing is.
    """

def count_outside(data: Buffer | npt.NDArray[Any], bounds: Bounds) -> int:
    """How many elements of a contiguous buffer, which holds whole ones, lie outside bounds; lets other threads run."""

def watch(column: Column, bounds: Bounds | None) -> None:
    """Have commits hold the elements of each chunk of the column that they change against bounds, while it is at hand.

    Args:
        column: The column, one of a history's.
        bounds: What they are to lie within; None ends the watch.
    """

def seen_outside(column: Column) -> int | None:
    """Where something bad was written, as far as it was met while commits were made; nothing is read for this.

    Returns:
        The first chunk in which a watched commit found elements outside the bounds, or in which `Index.forget` met ids that
        were never given, since this was last asked or `watch` was called; None if none did.
    """

def live_is_committed(column: Column, first: int, stop: int) -> bool:
    """Whether live chunks have the checksums of the committed ones, which may be packed meanwhile."""

def find_flip(syndrome: int, size: int) -> int | None:
    """The one bit whose flip leaves a syndrome, by stepping x^k mod P back through a message.

    Args:
        syndrome: CRC-64/NVME found ^ the one expected; not 0.
        size: The bytes of the message.

    Returns:
        The bit, counted from the lowest bit of the first byte, or None if no single bit explains the syndrome.
    """

def crc64(data: Buffer | npt.NDArray[Any], crc: int = 0) -> int:
    """CRC-64/NVME, whose check value for ``b"123456789"`` is 0xae8b14860a799888.

    Args:
        data: Any contiguous buffer; its bytes count, not its items.
        crc: What `crc64` gave for the bytes before these, 0 to begin: ``crc64(b, crc64(a)) == crc64(a + b)``.

    Raises:
        InstarError: If ``data`` is no contiguous buffer.
    """

def linear_crc(data: Buffer) -> int:
    """CRC-64/NVME of bytes without its inversions, so that it is linear: the syndrome of that damage."""

def mend_committed(column: Column, chunk: int, data: Buffer) -> None:
    """Replace the committed bytes of a chunk; its stored checksum stays.

    Raises:
        InstarError: If the chunk does not exist or the data are not a chunk's 16,384 bytes; nothing has changed.
    """

def mend_live(column: Column, chunk: int) -> int:
    """Make the live bytes of a chunk those that are committed; returns how many lines differed.

    Raises:
        InstarError: If the chunk does not exist.
    """

def mend_crc(column: Column, chunk: int) -> None:
    """Store the checksum that the committed bytes of a chunk have.

    Raises:
        InstarError: If the chunk does not exist.
    """

def mend_past_end(column: Column) -> None:
    """Zero the live bytes past the committed extent, up to the end of its chunk."""

def flip(column: Column, where: str, byte: int, bit: int) -> None:
    """Invert one bit of memory, as a cosmic ray would.

    Args:
        column: The column.
        where: ``"live"``, ``"committed"``, or ``"crc"``: the stored checksums, 8 bytes a chunk.
        byte: Which byte of that memory.
        bit: Which bit of it, 0 the lowest.

    Raises:
        InstarError: If there is no such memory, byte or bit; nothing has changed.
    """

def flip_record(history: History, byte: int, bit: int) -> None:
    """Invert one bit of a history's records; ``byte`` counts from the oldest record held.

    Raises:
        InstarError: If there is no such byte or bit; nothing has changed.
    """

@final
class RecordWalk:
    """Verifies the records of a history from the current frame back to the oldest, a few at a time, while frames go on.

    Attributes:
        done: Whether the oldest frame has been verified.
        astray: Whether it cannot go on, because frames were undone or a record is no longer readable: begin anew.
    """

    def __init__(self, history: History) -> None: ...
    @property
    def done(self) -> bool: ...
    @property
    def astray(self) -> bool: ...
    def advance(self, size: int) -> tuple[int, bool]:
        """Verify the next records.

        Args:
            size: About how many bytes; the record in hand is finished.

        Returns:
            The bytes verified, and whether they are sound; `History.check` says which frame is not.
        """

def stray_rows(ids: Column, first: int, stop: int, slots: Column, slot_count: int) -> tuple[int, int]:
    """Committed rows from ``first`` to ``stop`` whose id's slot does not lead back to them: how many, and the first."""

def dead_slots(slots: Column, slot_count: int) -> tuple[int, int]:
    """Committed slots that nobody has, and how many of them have used up their generations."""

def bad_free(free_list: Column, count: int, slots: Column, slot_count: int) -> int:
    """How many committed entries of a free list are no dead slot or come twice."""

def dangling(references: Column, first: int, stop: int, slots: Column, slot_count: int) -> tuple[int, int]:
    """Committed references, elements ``first`` to ``stop``, that are neither 0 nor an id alive: how many, and the first."""
