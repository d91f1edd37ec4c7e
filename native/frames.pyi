"""Frames in a ring: what they changed, and the leading of copies through them."""

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
