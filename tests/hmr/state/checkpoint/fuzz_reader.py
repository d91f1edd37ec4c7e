"""Feeds the reader what libFuzzer makes up, guided by coverage: `pip install atheris`, then

    python tests/hmr/state/checkpoint/fuzz_reader.py tests/hmr/state/checkpoint/corpus -max_total_time=60

New inputs that reach new code are added to the corpus, which `test_corpus.py` replays. An input is a file whose checksums are
made to fit first, where its parts can be told apart, so that what lies behind them is reached too.
"""

from __future__ import annotations

import struct
import sys

from instar.hmr.state import Checkpoint, CheckpointError, StateManager
from instar.hmr.state.checkpoint.blocks import block_count, chunk_count
from instar.hmr.state.checkpoint.header import BadHeader, Header
from instar.hmr.state.checkpoint.layout import END, MAGIC, PREAMBLE, TRAILER
from instar.native import InstarError, ReservationError, crc64

MOST_RAW_BYTES = 64 << 20
"""Worlds that ask for more, rightly, are left alone: they only take time."""


def seal(data: bytes) -> bytes:
    """The file that some bytes would be if its sizes and checksums were right."""
    if len(data) < PREAMBLE.size + TRAILER.size:
        return data
    _, version, zero, head, directory, _, _, _, _ = PREAMBLE.unpack_from(data)
    room = len(data) - PREAMBLE.size - TRAILER.size
    head = min(head, room)
    directory = min(directory, room - head)
    header = data[PREAMBLE.size : PREAMBLE.size + head]
    entries = bytearray(data[PREAMBLE.size + head : PREAMBLE.size + head + directory])
    stored = data[PREAMBLE.size + head + directory : len(data) - TRAILER.size]
    _seal_blocks(header, entries, stored)
    checked = struct.pack(
        "<8sIIQQQQQ", MAGIC, version, zero, head, directory, len(stored), crc64(header), crc64(entries)
    )
    return checked + struct.pack("<Q", crc64(checked)) + header + entries + stored + TRAILER.pack(len(data), END)


def _seal_blocks(header: bytes, entries: bytearray, stored: bytes) -> None:
    try:
        columns = [column for table in Header.decode(header).tables for column in table.columns]
    except BadHeader:
        return
    at = start = 0
    for column in columns:
        for _ in range(block_count(column.bytes)):
            if at + 16 > len(entries):
                return
            (size,) = struct.unpack_from("<I", entries, at)
            struct.pack_into("<Q", entries, at + 8, crc64(stored[start : start + size]))
            at, start = at + 16, start + size
        at += 8 * chunk_count(column.bytes)


def read(data: bytes) -> bool:
    """Read a file as anybody would; whether it is one. Anything but a clear error is a fault of the reader."""
    state = StateManager(history_bytes=1 << 20)
    try:
        checkpoint = Checkpoint.from_bytes(data, "fuzz")
        if checkpoint.raw_bytes > MOST_RAW_BYTES:
            return False
        state.restore(checkpoint)
    except (CheckpointError, ReservationError):
        assert state.frame == 0
        assert not state.tables
        return False
    except InstarError as error:
        raise AssertionError(f"no error of a reader: {error!r}") from error
    assert not state.validate().faults
    for table in state.tables.values():
        table.spawn(min(3, table.capacity - len(table)))
    state.commit()
    return True


def both(data: bytes) -> None:
    """The input as it is, and with checksums that fit."""
    read(data)
    read(seal(data))


if __name__ == "__main__":
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, both)
    atheris.Fuzz()
