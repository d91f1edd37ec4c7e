"""The archive: frames that have left the ring, packed in stretches, oldest first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from instar.hmr.state.checkpoint.blocks import BLOCK_BYTES, Block, BlockCodec, BlockError
from instar.native import Bundle, Column, Frames, HistoryError, Joined, crc64
from instar.native.integrity import find_flip

_OVERHEAD_BYTES = 1 << 10
"""What a stretch costs beside its stored bytes, on the safe side."""

_OPEN_BYTES = 8 << 20
"""Bytes of frames that are kept unpacked at hand, while somebody goes through them."""


@dataclass(slots=True)
class Packed:
    """Bytes, stored in blocks.

    Attributes:
        length: How many they are.
        blocks: What they are stored as.
    """

    length: int
    blocks: list[Block]

    @classmethod
    def of(cls, data: memoryview, element: int, codec: BlockCodec) -> Packed:
        """Store bytes, taken as elements of 1, 2, 4 or 8 bytes."""
        plain = np.frombuffer(data, np.uint8)
        starts = range(0, len(plain), BLOCK_BYTES)
        return cls(len(plain), [codec.encode(plain[at : at + BLOCK_BYTES], element, None)[0] for at in starts])

    def unpacked(self, codec: BlockCodec) -> bytearray:
        """The bytes.

        Raises:
            BlockError: If they are damaged.
        """
        data = bytearray(self.length)
        plain = np.frombuffer(data, np.uint8)
        for number, block in enumerate(self.blocks):
            codec.decode(block, plain[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES], None)
        return data

    def mend(self) -> bool:
        """Correct blocks in which a single bit has flipped; whether all are whole then."""
        self.blocks = [block if _is_whole(block) else _mended(block) for block in self.blocks]
        return all(map(_is_whole, self.blocks))

    @property
    def is_whole(self) -> bool:
        """Whether the checksums of all blocks are right."""
        return all(map(_is_whole, self.blocks))

    @property
    def stored_bytes(self) -> int:
        """The bytes they take."""
        return sum(len(block.data) for block in self.blocks)


def _is_whole(block: Block) -> bool:
    return crc64(block.data) == block.crc


def _mended(block: Block) -> Block:
    bit = find_flip(crc64(block.data) ^ block.crc, len(block.data))
    if bit is None:
        return block
    data = bytearray(block.data)
    data[bit // 8] ^= 1 << bit % 8
    return block._replace(data=bytes(data))


@dataclass(slots=True, eq=False)
class Stretch:
    """Consecutive frames, packed.

    Attributes:
        oldest: The frame before the first.
        newest: The last frame.
        headers: `Bundle.headers`.
        words: `Bundle.words`.
        ring_bytes: What they filled in the ring.
        bytes_by_column: The bytes of their records there, by column.
        stored_bytes: What they take now.
    """

    oldest: int
    newest: int
    headers: Packed
    words: Packed
    ring_bytes: int
    bytes_by_column: dict[Column, int]
    stored_bytes: int

    @classmethod
    def of(cls, bundle: Bundle, codec: BlockCodec) -> Stretch:
        """Pack frames."""
        headers, words = Packed.of(bundle.headers, 4, codec), Packed.of(bundle.words, 4, codec)
        stored = headers.stored_bytes + words.stored_bytes + _OVERHEAD_BYTES
        return cls(bundle.oldest, bundle.newest, headers, words, bundle.ring_bytes, bundle.bytes_by_column, stored)

    @property
    def is_whole(self) -> bool:
        """Whether nothing in it is damaged."""
        return self.headers.is_whole and self.words.is_whole

    def mend(self) -> bool:
        """Correct single flipped bits; whether it is whole then."""
        return self.headers.mend() & self.words.mend()


class Archive:
    """Stretches of frames, each of which begins where the one before ends.

    Attributes:
        used_bytes: What they take.
    """

    def __init__(self) -> None:
        self._stretches: deque[Stretch] = deque()
        self._codec = BlockCodec()
        self._opened: dict[Stretch, Joined] = {}
        self.used_bytes = 0

    def __bool__(self) -> bool:
        return bool(self._stretches)

    def __iter__(self) -> Iterator[Stretch]:
        return iter(self._stretches)

    @property
    def oldest(self) -> int:
        """The frame before the first."""
        return self._stretches[0].oldest

    @property
    def first_newest(self) -> int:
        """The last frame of the oldest stretch."""
        return self._stretches[0].newest

    @property
    def newest(self) -> int:
        """The last frame."""
        return self._stretches[-1].newest

    def pack(self, bundle: Bundle) -> Stretch:
        """Pack frames, without keeping them."""
        return Stretch.of(bundle, self._codec)

    def append(self, stretch: Stretch) -> None:
        """Keep the frames that follow."""
        self._stretches.append(stretch)
        self.used_bytes += stretch.stored_bytes

    def drop_oldest(self) -> None:
        """Let the oldest stretch go."""
        self._forget(self._stretches.popleft())

    def truncate(self, newest: int) -> None:
        """Let all frames after one go."""
        while self._stretches and self.newest > newest:
            if self._stretches[-1].oldest < newest:
                self._stretches[-1].newest = newest
            else:
                self._forget(self._stretches.pop())

    def clear(self) -> None:
        """Let everything go."""
        while self._stretches:
            self.drop_oldest()

    def between(self, low: int, high: int) -> Iterator[Stretch]:
        """The stretches with frames after one and up to another, oldest first."""
        return (stretch for stretch in list(self._stretches) if stretch.oldest < high and low < stretch.newest)

    def unpacked(self, stretch: Stretch, source: Frames) -> Joined:
        """The frames of a stretch; some that were unpacked last are kept at hand until `close`.

        Raises:
            HistoryError: If the stretch is damaged.
        """
        joined = self._opened.get(stretch)
        if joined is None:
            try:
                headers, words = stretch.headers.unpacked(self._codec), stretch.words.unpacked(self._codec)
            except BlockError as error:
                raise HistoryError(
                    f"the packed frames {stretch.oldest + 1} to {stretch.newest} are damaged ({error}); nothing was changed. "
                    f"validate(repair=True) mends them, or drops the frames that lie behind them"
                ) from None
            joined = Joined(source, headers, words)
            while self._opened and sum(one.ring_bytes for one in self._opened) + stretch.ring_bytes > _OPEN_BYTES:
                del self._opened[next(iter(self._opened))]
            self._opened[stretch] = joined
        return joined

    def close(self) -> None:
        """Keep nothing unpacked at hand."""
        self._opened.clear()

    def _forget(self, stretch: Stretch) -> None:
        self.used_bytes -= stretch.stored_bytes
        self._opened.pop(stretch, None)
