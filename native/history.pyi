"""The committed frames that can be returned to: a ring of deltas within a budget of bytes."""

from collections.abc import Sequence
from typing import final

from instar.native.column import Column

@final
class History:
    """Deltas of the last frames of a set of columns; the oldest are dropped where the budget is full.

    A delta is the XOR of the lines that one frame changed, so the same record undoes and redoes. Before any commit all frame
    numbers are 0. Use it from one thread at a time; it lets other threads run while it works.

    Args:
        budget_bytes: Bytes of the ring, at least 65,536; address space until it is written.

    Raises:
        InstarError: If the budget is not possible.
        ReservationError: If the system does not give the address space.
    """

    def __init__(self, budget_bytes: int) -> None: ...
    def add(self, column: Column) -> int:
        """Make a column known and keep it alive; returns the key that names it in deltas, the same one each time."""
    def commit(self, frame: int, columns: Sequence[Column]) -> tuple[int, int]:
        """Make the live bytes of columns the committed ones and keep what changed as the frame's delta.

        A frame equal to `current` is added to. Frames that were undone can no longer be redone. If the frame's delta alone is
        larger than the budget, the bytes are committed all the same and no frame can be undone (`oldest` is `newest`).

        Returns:
            The changed lines and their bytes.

        Raises:
            InstarError: If the frame lies before `current`, or a column is not known; nothing is changed then.
        """
    def discard(self, columns: Sequence[Column]) -> None:
        """Make the committed bytes and extents of columns live again."""
    def undo(self) -> int:
        """Go one frame back: live and committed bytes, extents and checksums. Returns the frame that is now current.

        Live must equal committed; call `discard` first.

        Raises:
            HistoryError: If no earlier frame is held; nothing is changed then.
        """
    def redo(self) -> int:
        """Go one frame forward again. Returns the frame that is now current.

        Raises:
            HistoryError: If no later frame is held; nothing is changed then.
        """
    def reset(self, frame: int) -> None:
        """Forget all deltas and make ``frame`` the current one; bytes stay as they are."""
    @property
    def oldest(self) -> int:
        """The first frame that `undo` can reach."""
    @property
    def current(self) -> int:
        """The frame that is committed now."""
    @property
    def newest(self) -> int:
        """The last frame that `redo` can reach."""
    @property
    def used_bytes(self) -> int:
        """Bytes of the ring that hold deltas."""
    @property
    def budget_bytes(self) -> int:
        """Bytes of the ring."""
