"""The committed bytes of columns at one frame, taken at once."""

from __future__ import annotations

from collections.abc import Sequence

from instar.native import Column, History


class Snapshot:
    """A copy of committed bytes.

    Attributes:
        frame: The frame it is of.
    """

    def __init__(self, history: History, columns: Sequence[Column]) -> None:
        self.frame = history.current
        self._taken = [bytes(column.committed[: column.committed_extent]) for column in columns]

    def take(self) -> list[bytes]:
        """The bytes of each column; on any thread."""
        return self._taken
