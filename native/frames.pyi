"""Frames in a ring: what they changed, and the leading of copies through them."""

from typing import final

from typing_extensions import Buffer

from instar.native.column import Column

class Frames:
    """Deltas of consecutive frames, to be read; a `History` is some, and so are frames that were taken out of one."""

    def carry(self, column: Column, chunk: int, data: bytearray | memoryview, start: int, stop: int) -> None:
        """Lead a copy of a column's chunks from one frame to another, forwards or back.

        Args:
            column: The column they are of.
            chunk: The first of them.
            data: Their bytes as of frame ``start``, whole chunks; those of frame ``stop`` afterwards.
            start: A held frame.
            stop: A held frame.

        Raises:
            HistoryError: If a frame between is not held, or a record that is needed is damaged.
        """
    def changed(self, start: int, stop: int) -> dict[Column, list[int]]:
        """The chunks of each column that changed on the way from one held frame to another.

        Raises:
            HistoryError: If a frame between is not held or damaged.
        """
    def carry_extent(self, column: Column, extent: int, start: int, stop: int) -> int:
        """Lead the committed extent that a column has in one frame, in bytes, to another.

        Raises:
            HistoryError: If a frame between is not held.
        """
    def bytes_by_column(self) -> dict[Column, int]:
        """The bytes of the records of each column, those of which there are none left out.

        Together they are less than `used_bytes`: numbers of frames, and room that aligns records, belong to no column.
        """

@final
class Bundle:
    """The records of consecutive frames, taken apart into like values, which compress well; `Joined` puts them together again.

    Its bytes are there until the next is gathered from the same history.

    Attributes:
        oldest: The frame before the first.
        newest: The last frame.
        count: How many frames they are.
        ring_bytes: The bytes they fill in the ring.
        bytes_by_column: The bytes of their records by column.
        headers: Numbers, masks and places, as whole words of 8 bytes.
        words: The changed words, 4 bytes each.
    """

    oldest: int
    newest: int
    count: int
    ring_bytes: int
    bytes_by_column: dict[Column, int]
    headers: memoryview
    words: memoryview

@final
class Joined(Frames):
    """The frames of a bundle, to be read or stepped through.

    Args:
        source: The history that they are of.
        headers: `Bundle.headers`.
        words: `Bundle.words`.

    Raises:
        HistoryError: If the two do not belong together.
    """

    def __init__(self, source: Frames, headers: Buffer, words: Buffer) -> None: ...
    @property
    def oldest(self) -> int:
        """The frame before the first."""
    @property
    def newest(self) -> int:
        """The last frame."""
