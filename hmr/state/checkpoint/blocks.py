"""Blocks of a column: shuffled and compressed by whatever a quick trial shows to be best.

A block is 256 KiB: smaller ones save less and cost more calls, larger ones leave the L2 cache.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import lz4.block
import numpy as np
import numpy.typing as npt

from instar.hmr.state.checkpoint.quantise import can_round, quantised, restored
from instar.hmr.state.fields import Field
from instar.native import CHUNK_BYTES, Shuffler, all_zero, crc64

BLOCK_BYTES = 256 << 10
"""Bytes of a column that are filtered and compressed together; a multiple of a chunk."""
_SAMPLE_BYTES = 16 << 10
_WORTHWHILE = 0.97
"""A filter that saves less than this leaves a block raw, which is read faster."""

Bytes = npt.NDArray[np.uint8]


class Filter(IntEnum):
    """What was done to a block before it was stored; the number is that of the file format."""

    ZERO = 0
    RAW = 1
    LZ4 = 2
    SHUFFLE = 3
    BIT_SHUFFLE = 4

    def __str__(self) -> str:
        return ("zero", "raw", "lz4", "shuffle+lz4", "bitshuffle+lz4")[self]


class Block(NamedTuple):
    """One stored block.

    Attributes:
        filter: What was done to it.
        element: Bytes of an element, as the shuffles took them.
        rounded: Whether the values were rounded to the field's step.
        crc: CRC-64/NVME of `data`.
        data: The stored bytes.
    """

    filter: Filter
    element: int
    rounded: bool
    crc: int
    data: bytes


class BlockError(ValueError):
    """A block is not what it says; the text says why."""


class BlockCodec:
    """Encodes and decodes blocks; for one thread at a time."""

    def __init__(self) -> None:
        self._shuffler = Shuffler(BLOCK_BYTES)
        self._room = np.empty(BLOCK_BYTES, np.uint8)

    def encode(self, data: Bytes, element: int, field: Field | None) -> tuple[Block, Bytes]:
        """Store a block.

        Args:
            data: Its bytes, at most `BLOCK_BYTES`.
            element: Bytes of an element: 1, 2, 4 or 8.
            field: The field whose cells these are, if any.

        Returns:
            The block, and the bytes that it will give back: other than `data` only where the field has a step.
        """
        if all_zero(data):
            return Block(Filter.ZERO, element, False, 0, b""), data
        found = quantised(data.view(field.type.dtype), field) if field is not None and can_round(field) else None
        if found is not None:
            whole, rounded = found
            block = self._store(whole.view(np.uint8), element, rounded=True)
            if block.filter != Filter.RAW:  # else nothing would be won by rounding
                return block, rounded.view(np.uint8)
        return self._store(data, element, rounded=False), data

    def _store(self, data: Bytes, element: int, *, rounded: bool) -> Block:
        chosen = self._choose(data, element)
        stored = self._compress(data, element, chosen)
        if len(stored) >= len(data):
            chosen, stored = Filter.RAW, data.tobytes()
        return Block(chosen, element, rounded, crc64(stored), stored)

    def decode(self, block: Block, out: Bytes, field: Field | None) -> None:
        """Bring a block back.

        Args:
            block: The block.
            out: Where its bytes go; zero before, and exactly as long as the block.
            field: The field whose cells these are, if any.

        Raises:
            BlockError: If the stored bytes are damaged or stand for something else.
        """
        if crc64(block.data) != block.crc:
            raise BlockError("its checksum does not fit its stored bytes")
        if block.filter == Filter.ZERO:
            return
        self._decompress(block, out)
        if block.rounded:
            if not can_round(field) or field is None or out.nbytes % field.type.dtype.itemsize:
                raise BlockError("it says that values were rounded which cannot be")
            with np.errstate(all="ignore"):
                values = restored(out.view(f"u{field.type.dtype.itemsize}"), field)
            out[:] = values.view(np.uint8)

    def _choose(self, data: Bytes, element: int) -> Filter:
        """The filter that makes a sample from the middle smallest."""
        start = (len(data) - min(_SAMPLE_BYTES, len(data))) // 2 // 8 * 8
        sample = data[start : start + _SAMPLE_BYTES]
        trials = [Filter.LZ4, Filter.BIT_SHUFFLE, *([Filter.SHUFFLE] if element > 1 else [])]
        sizes = {trial: len(self._compress(sample, element, trial)) for trial in trials}
        best = min(trials, key=sizes.__getitem__)
        return best if sizes[best] <= _WORTHWHILE * len(sample) else Filter.RAW

    def _compress(self, data: Bytes, element: int, chosen: Filter) -> bytes:
        if chosen == Filter.RAW:
            return data.tobytes()
        room = self._room[: len(data)]
        if chosen == Filter.SHUFFLE:
            self._shuffler.shuffle(data, room, element)
        elif chosen == Filter.BIT_SHUFFLE:
            self._shuffler.bit_shuffle(data, room, element)
        else:
            room = data
        packed: bytes = lz4.block.compress(room, store_size=False)
        return packed

    def _decompress(self, block: Block, out: Bytes) -> None:
        plain: Any = block.data
        if block.filter != Filter.RAW:
            try:
                plain = lz4.block.decompress(block.data, uncompressed_size=len(out))
            except (lz4.block.LZ4BlockError, MemoryError, OverflowError, ValueError) as error:
                raise BlockError(f"LZ4 cannot read it ({error})") from None
        if len(plain) != len(out):
            raise BlockError(f"it gives {len(plain):,} bytes where {len(out):,} belong")
        if block.filter == Filter.SHUFFLE:
            self._shuffler.unshuffle(plain, out, block.element)
        elif block.filter == Filter.BIT_SHUFFLE:
            self._shuffler.bit_unshuffle(plain, out, block.element)
        else:
            out[:] = np.frombuffer(plain, np.uint8)


def block_count(size: int) -> int:
    """How many blocks so many bytes of a column make."""
    return -(-size // BLOCK_BYTES)


def chunk_count(size: int) -> int:
    """How many chunks so many bytes of a column make."""
    return -(-size // CHUNK_BYTES)
