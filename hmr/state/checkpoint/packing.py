"""Columns, packed into blocks and unpacked again, verified chunk by chunk."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from instar.hmr.state.checkpoint.blocks import (
    BLOCK_BYTES,
    Block,
    BlockCodec,
    BlockError,
    Bytes,
    Filter,
    block_count,
    chunk_count,
)
from instar.hmr.state.checkpoint.errors import CheckpointError, damaged
from instar.hmr.state.checkpoint.header import Header, SavedColumn
from instar.native import CHUNK_BYTES, chunk_crcs, crc64

_ZERO_CHUNK = crc64(bytes(CHUNK_BYTES))
_BLOCK_CHUNKS = BLOCK_BYTES // CHUNK_BYTES


@dataclass(slots=True)
class PackedColumn:
    """The stored form of a column.

    Attributes:
        blocks: Its blocks in order; each stands for `BLOCK_BYTES`, the last one for what is left.
        crcs: CRC-64/NVME of each chunk as it will be restored; a last chunk counts as filled up with zeros.
    """

    blocks: list[Block] = field(default_factory=list)
    crcs: array[int] = field(default_factory=lambda: array("Q"))

    @property
    def stored_bytes(self) -> int:
        """The bytes of its blocks."""
        return sum(len(block.data) for block in self.blocks)


def pack(header: Header, taken: Sequence[object], crcs: Sequence[array[int]]) -> list[PackedColumn]:
    """Compress columns.

    Args:
        header: Says what the columns are.
        taken: The committed bytes of each column, in the header's order.
        crcs: The checksums of their chunks, as they were committed.

    Raises:
        CheckpointError: If a column is not what was committed: its memory was damaged.
    """
    codec = BlockCodec()
    columns = [(table.name, column) for table in header.tables for column in table.columns]
    return [
        _pack_column(codec, f"{table}.{column.name}", column, np.frombuffer(data, np.uint8, column.bytes), chunks)  # type: ignore[call-overload]
        for (table, column), data, chunks in zip(columns, taken, crcs, strict=True)
    ]


def _pack_column(codec: BlockCodec, name: str, column: SavedColumn, data: Bytes, crcs: array[int]) -> PackedColumn:
    packed = PackedColumn()
    for start in range(0, column.bytes, BLOCK_BYTES):
        block_bytes = data[start : start + BLOCK_BYTES]
        first = start // CHUNK_BYTES
        exact = chunk_crcs(block_bytes)
        if exact != crcs[first : first + len(exact)]:
            bad = next(at for at, crc in enumerate(exact) if crc != crcs[first + at]) + first
            raise CheckpointError(
                f"the committed bytes of {name} are damaged in chunk {bad} (bytes {bad * CHUNK_BYTES:,} on): no checkpoint was "
                f"made of them. Mend them with validate(repair=True), or roll back, and try again"
            )
        block, restored = codec.encode(block_bytes, column.element_bytes, column.field)
        packed.blocks.append(block)
        packed.crcs.extend(exact if restored is block_bytes else chunk_crcs(restored))
    return packed


def unpack(header: Header, columns: Sequence[PackedColumn], source: str) -> list[Bytes]:
    """Decompress and verify every column; see `unpack_column`."""
    codec = BlockCodec()
    named = [(table.name, column) for table in header.tables for column in table.columns]
    return [
        unpack_column(codec, f"{table}.{column.name}", column, packed, source)
        for (table, column), packed in zip(named, columns, strict=True)
    ]


def unpack_column(codec: BlockCodec, name: str, column: SavedColumn, packed: PackedColumn, source: str) -> Bytes:
    """The bytes of a column, verified; memory is taken only where they are not zero.

    Raises:
        CheckpointError: If a block or a chunk is damaged, or there is no memory; names column and place.
    """
    try:
        out = np.zeros(chunk_count(column.bytes) * CHUNK_BYTES, np.uint8)
        for index in range(block_count(column.bytes)):
            unpack_block(codec, name, column, packed, index, source, out[index * BLOCK_BYTES :])
    except MemoryError:
        raise CheckpointError(
            f"{source}: there is no memory for the {column.bytes:,} bytes of {name}. Nothing was loaded"
        ) from None
    return out[: column.bytes]


def unpack_block(
    codec: BlockCodec, name: str, column: SavedColumn, packed: PackedColumn, index: int, source: str, out: Bytes
) -> None:
    """Decompress and verify one block.

    Args:
        codec: Does it.
        name: The column's, for people.
        column: What the column is.
        packed: Its stored form.
        index: Which block.
        source: The file, for people.
        out: Where its bytes go, zero before; whole chunks.

    Raises:
        DamagedError: If it is not what was stored.
    """
    block = packed.blocks[index]
    length = min(BLOCK_BYTES, column.bytes - index * BLOCK_BYTES)
    chunks = chunk_count(length)
    try:
        codec.decode(block, out[:length], column.field)
    except BlockError as error:
        raise damaged(source, f"block {index} of {name}: {error}") from None
    first = index * _BLOCK_CHUNKS
    crcs = packed.crcs[first : first + chunks]
    zero = block.filter == Filter.ZERO
    found = array("Q", [_ZERO_CHUNK]) * chunks if zero else chunk_crcs(out[: chunks * CHUNK_BYTES])
    if found != crcs:
        bad = next(at for at, crc in enumerate(found) if crc != crcs[at]) + first
        raise damaged(source, f"chunk {bad} of {name} (bytes {bad * CHUNK_BYTES:,} on) does not fit its checksum")
