"""The file format: where the bytes of a checkpoint lie.

All numbers are little-endian; nothing is aligned, and nothing lies between the parts:

==========  ==========================================================================================================
preamble    64 bytes: magic ``89 49 4E 53 54 41 52 0A``, format version u32, zero u32, bytes of header, directory and data
            (u64 each), CRC-64/NVME of header and of directory, and of the 56 bytes before it
header      JSON: frame, metadata, tables with schema and columns (`header/`)
directory   for each column, in the order of the header: for each block its stored bytes u32, filter u8, element's bytes u8,
            rounded u8, zero u8 and the CRC of the stored bytes u64; then the CRC of each chunk as it is restored, u64
data        the stored bytes of all blocks, one after the other
trailer     16 bytes: the bytes of the whole file u64, then ``instar.`` and a newline
==========  ==========================================================================================================

Blocks have no offsets, so that none can be wrong: their sizes must add up to the bytes of data.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Sequence

from instar.hmr.state.checkpoint.blocks import Block, Filter, block_count, chunk_count
from instar.hmr.state.checkpoint.errors import CheckpointError, damaged
from instar.hmr.state.checkpoint.header import BadHeader, Header, SavedColumn
from instar.hmr.state.checkpoint.packing import PackedColumn
from instar.native import ELEMENT_BYTES, crc64

MAGIC = b"\x89INSTAR\n"
VERSION = 1
END = b"instar.\n"
PREAMBLE = struct.Struct("<8sIIQQQQQQ")
TRAILER = struct.Struct("<Q8s")
_BLOCK = struct.Struct("<IBBBBQ")
_CRC = struct.Struct("<Q")
_CHECKED = PREAMBLE.size - _CRC.size


def lay_out(header: bytes, columns: Sequence[PackedColumn]) -> Iterator[bytes]:
    """The parts of the file, in order."""
    directory = b"".join(map(_directory_of, columns))
    stored = sum(column.stored_bytes for column in columns)
    checked = PREAMBLE.pack(MAGIC, VERSION, 0, len(header), len(directory), stored, crc64(header), crc64(directory), 0)[
        :_CHECKED
    ]
    yield checked + _CRC.pack(crc64(checked))
    yield header
    yield directory
    for column in columns:
        yield from (block.data for block in column.blocks if block.data)
    yield TRAILER.pack(PREAMBLE.size + len(header) + len(directory) + stored + TRAILER.size, END)


def file_bytes(header: bytes, columns: Sequence[PackedColumn]) -> int:
    """The bytes of the file that `lay_out` makes."""
    entries = sum(_BLOCK.size * len(column.blocks) + _CRC.size * len(column.crcs) for column in columns)
    return PREAMBLE.size + len(header) + entries + sum(column.stored_bytes for column in columns) + TRAILER.size


def check_preamble(data: bytes, size: int, source: str) -> None:
    """See whether a file begins as a checkpoint of a version that is known, and is as long as it says.

    Args:
        data: Its first bytes, `PREAMBLE.size` of them if it has so many.
        size: The file's bytes.
        source: Its name, for people.

    Raises:
        CheckpointError: If not.
    """
    if not data.startswith(MAGIC[: max(1, len(data))]):
        raise CheckpointError(f"{source} is no checkpoint of Instar: it does not begin as one. Nothing was loaded")
    if len(data) < PREAMBLE.size:
        raise damaged(source, f"it ends after {size:,} bytes, within its preamble")
    _, version, zero, header, directory, stored, _, _, crc = PREAMBLE.unpack(data)
    if crc64(data[:_CHECKED]) != crc:
        raise damaged(source, "its preamble (the first 64 bytes) does not fit its checksum")
    if version > VERSION:
        raise CheckpointError(
            f"{source} has format version {version}, and this Instar reads up to version {VERSION}. Nothing was loaded and the "
            f"file is fine; open it with the newer Instar that wrote it"
        )
    if version < 1 or zero != 0:
        raise damaged(source, f"there is no format version {version}")
    wanted = PREAMBLE.size + header + directory + stored + TRAILER.size
    if wanted != size:
        raise damaged(source, f"it has {size:,} bytes and was written with {wanted:,}")


def parse(data: memoryview, source: str) -> tuple[Header, list[PackedColumn]]:
    """Take a whole file apart; the stored bytes of blocks are not looked at yet.

    Raises:
        CheckpointError: If it cannot be trusted, or is of a newer version.
    """
    check_preamble(bytes(data[: PREAMBLE.size]), len(data), source)
    _, _, _, header_bytes, directory_bytes, _, header_crc, directory_crc, _ = PREAMBLE.unpack(data[: PREAMBLE.size])
    directory_at = PREAMBLE.size + header_bytes
    data_at = directory_at + directory_bytes
    head, directory = data[PREAMBLE.size : directory_at], data[directory_at:data_at]
    if TRAILER.unpack(data[-TRAILER.size :]) != (len(data), END):
        raise damaged(source, "its last 16 bytes are not those that end a checkpoint")
    for name, part, crc in (("header", head, header_crc), ("directory", directory, directory_crc)):
        if crc64(part) != crc:
            raise damaged(source, f"its {name} does not fit its checksum")
    try:
        header = Header.decode(bytes(head))
        columns = [column for table in header.tables for column in table.columns]
        return header, list(_columns(columns, directory, data[data_at : -TRAILER.size]))
    except BadHeader as error:
        raise damaged(source, f"its header makes no sense: {error}") from None


def _directory_of(column: PackedColumn) -> bytes:
    entries = [
        _BLOCK.pack(len(block.data), block.filter, block.element, block.rounded, 0, block.crc)
        for block in column.blocks
    ]
    return b"".join(entries) + struct.pack(f"<{len(column.crcs)}Q", *column.crcs)


def _columns(columns: Sequence[SavedColumn], directory: memoryview, data: memoryview) -> Iterator[PackedColumn]:
    wanted = sum(_BLOCK.size * block_count(one.bytes) + _CRC.size * chunk_count(one.bytes) for one in columns)
    if wanted != len(directory):
        raise BadHeader(f"its columns need a directory of {wanted:,} bytes, and it has {len(directory):,}")
    at = start = 0
    for column in columns:
        packed = PackedColumn()
        for size, number, element, rounded, zero, crc in _BLOCK.iter_unpack(
            directory[at : at + _BLOCK.size * block_count(column.bytes)]
        ):
            if (
                number > max(Filter)
                or element not in ELEMENT_BYTES
                or rounded > 1
                or zero
                or (number == 0) != (size == 0)
            ):
                raise BadHeader(f"a block of {column.name} is described by numbers that mean nothing")
            packed.blocks.append(Block(Filter(number), element, bool(rounded), crc, bytes(data[start : start + size])))
            start += size
        at += _BLOCK.size * len(packed.blocks)
        count = chunk_count(column.bytes)
        packed.crcs = array("Q", struct.unpack_from(f"<{count}Q", directory, at))
        at += _CRC.size * count
        yield packed
    if start != len(data):
        raise BadHeader(f"its blocks add up to {start:,} bytes, and there are {len(data):,}")
