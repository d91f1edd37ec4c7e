"""Committed bytes that nothing has changed for long: packed, and their memory given back."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from instar.hmr.state.checkpoint.blocks import BLOCK_BYTES, Block, BlockCodec, BlockError
from instar.native import CHUNK_BYTES, Column, History, crc64
from instar.native.integrity import check_chunks

AGE = 600
"""Frames for which no commit had to compare a column before its committed bytes are packed."""
LEAST_BYTES = 64 << 10
"""Smaller columns are left alone."""
LEAST_SAVING = 0.1
"""What packing must save at least."""


class Cold:
    """The committed bytes of a column, in blocks.

    Attributes:
        stored_bytes: What they take.
    """

    def __init__(self, blocks: Iterable[Block]) -> None:
        self.blocks = list(blocks)
        self.stored_bytes = sum(len(block.data) for block in self.blocks)

    def unpack(self, out: memoryview) -> None:
        """Write the bytes; those of damaged blocks are left as they are."""
        codec = BlockCodec()
        plain = np.frombuffer(out, np.uint8)
        for number, block in enumerate(self.blocks):
            part = plain[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES]
            try:
                codec.decode(block, part, None)
            except BlockError:
                part[:] = 0

    def is_whole(self, start: int, stop: int) -> bool:
        """Whether the blocks of bytes ``start`` to ``stop`` are undamaged."""
        chosen = self.blocks[start // BLOCK_BYTES : -(-stop // BLOCK_BYTES)]
        return all(crc64(block.data) == block.crc for block in chosen)


class _Trial(NamedTuple):
    """When a column was packed, and whether that paid."""

    frame: int
    pays: bool


@dataclass(slots=True)
class _Work:
    """A column that is being packed.

    Attributes:
        column: The column.
        element: Bytes of one of its elements.
        compared: `Column.compared` as it was at the beginning.
        extent: Its committed extent then.
        blocks: What is done.
    """

    column: Column
    element: int
    compared: int
    extent: int
    blocks: list[Block] = field(default_factory=list)

    @classmethod
    def on(cls, column: Column, element: int) -> _Work:
        """Begin with a column."""
        return cls(column, element, column.compared, column.committed_extent)

    @property
    def is_done(self) -> bool:
        """Whether all bytes are packed."""
        return len(self.blocks) * BLOCK_BYTES >= self.extent

    def advance(self, codec: BlockCodec) -> int:
        """Pack one block; returns its bytes, 0 if it is damaged: that is for validation to mend."""
        start = len(self.blocks) * BLOCK_BYTES
        stop = min(start + BLOCK_BYTES, self.extent)
        if check_chunks(self.column, start // CHUNK_BYTES, -(-stop // CHUNK_BYTES), with_live=False):
            return 0
        data = np.frombuffer(self.column.committed, np.uint8, stop - start, start)
        self.blocks.append(codec.encode(data, self.element, None)[0])
        return stop - start

    @property
    def is_valid(self) -> bool:
        """Whether the column still is as it was."""
        column = self.column
        return (column.compared, column.committed_extent, column.packed) == (self.compared, self.extent, None)


class Freezer:
    """Packs cold columns, a block at a time.

    A column that does not get smaller is tried once in its present state, and one whose bytes were needed again is left alone
    for as long as it takes to grow cold.
    """

    def __init__(self) -> None:
        self._codec = BlockCodec()
        self._work: _Work | None = None
        self._tried: dict[Column, _Trial] = {}

    def freeze(self, history: History, columns: Iterable[tuple[Column, int]], seconds: float) -> int:
        """Pack cold columns for so long; one block is the least, if there is one.

        Args:
            history: The history of the columns.
            columns: Those that may be packed, and the bytes of an element of each.
            seconds: How long.

        Returns:
            The bytes that were packed, as a trial or for good.
        """
        end = time.perf_counter() + seconds
        packed = size = 0
        while (
            not history.snapshot_pending
            and (size := self._advance(history.current, columns))
            and time.perf_counter() < end
        ):
            packed += size
            size = 0
        return packed + size

    def _advance(self, frame: int, columns: Iterable[tuple[Column, int]]) -> int:
        """Pack one block, and with the last one give the column's memory up; returns its bytes, 0 if there is none."""
        work = self._work
        if work is None or not work.is_valid:
            work = self._work = next((_Work.on(*one) for one in columns if self._is_cold(one[0], frame)), None)
        if work is None:
            return 0
        size = work.advance(self._codec)
        if work.is_done or not size:
            self._end(work, frame)
        return size

    def _end(self, work: _Work, frame: int) -> None:
        cold = Cold(work.blocks)
        pays = work.is_done and cold.stored_bytes <= (1 - LEAST_SAVING) * work.extent
        self._work = None
        self._tried[work.column] = _Trial(frame, pays)
        if pays:
            work.column.freeze(cold)

    def _is_cold(self, column: Column, frame: int) -> bool:
        if frame - column.compared < AGE or column.packed is not None or column.committed_extent < LEAST_BYTES:
            return False
        trial = self._tried.get(column)
        return trial is None or column.compared > trial.frame or (trial.pays and frame - trial.frame >= AGE)
