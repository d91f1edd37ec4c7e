"""Blocks of elements, brought into a form that compresses well, and back."""

from array import array
from typing import Any, Final, final

import numpy.typing as npt
from typing_extensions import Buffer

_Bytes = Buffer | npt.NDArray[Any]

ELEMENT_BYTES: Final[tuple[int, ...]]
"""The sizes of elements that can be shuffled."""

@final
class Shuffler:
    """Shuffles blocks; for one thread at a time, others run while it works.

    Elements are `size` bytes long: 1, 2, 4 or 8. Each method writes as many bytes into ``out`` as ``data`` has; bytes that fill
    no whole element, or for bits no eight elements, are copied as they are, so that each inverse is exact for every length.

    Args:
        capacity: The most bytes of one block.
    """

    def __init__(self, capacity: int) -> None: ...
    def shuffle(self, data: _Bytes, out: _Bytes, size: int) -> None:
        """Byte-shuffle: the first bytes of all elements, then the second ones, and so on.

        Raises:
            InstarError: If the size is not possible, the bytes do not fit or overlap, or ``out`` is read-only.
        """
    def unshuffle(self, data: _Bytes, out: _Bytes, size: int) -> None:
        """The inverse of `shuffle`; raises as it does."""
    def bit_shuffle(self, data: _Bytes, out: _Bytes, size: int) -> None:
        """Bit-shuffle: the lowest bits of all elements, then the next ones, and so on; raises as `shuffle` does."""
    def bit_unshuffle(self, data: _Bytes, out: _Bytes, size: int) -> None:
        """The inverse of `bit_shuffle`; raises as `shuffle` does."""

def chunk_crcs(data: _Bytes) -> array[int]:
    """CRC-64/NVME of each chunk of bytes, as `Column.chunk_crcs` gives them: a last one counts as filled up with zeros.

    Raises:
        InstarError: If ``data`` is no contiguous buffer.
    """

def all_zero(data: _Bytes) -> bool:
    """Whether every byte of a contiguous buffer is zero.

    Raises:
        InstarError: If ``data`` is no contiguous buffer.
    """
