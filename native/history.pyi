"""The committed frames that can be returned to: a ring of deltas within a budget of bytes."""

from collections.abc import Sequence
from typing import Any

from instar.native.column import Column
from instar.native.frames import Bundle, Frames, Joined

class History(Frames):
    """Deltas of the last frames of a set of columns; the oldest are dropped where the budget is full.

    A delta is the XOR of the lines that one frame changed, so the same record undoes and redoes. Before any commit all frame
    numbers are 0. Use it from one thread at a time; it lets other threads run while it works.

    Records carry checks: one that is damaged is never applied.

    Args:
        budget_bytes: Bytes of the ring, at least 65,536; address space until it is written.
        threads: How many threads share a commit of a megabyte or more, the caller's among them.

    Raises:
        InstarError: If the budget is not possible.
        ReservationError: If the system does not give the address space.
    """

    def __init__(self, budget_bytes: int, threads: int = 1) -> None: ...
    def add(self, column: Column) -> int:
        """Make a column known and keep it alive; returns the key that names it in deltas, the same one each time.

        Raises:
            InstarError: If another history knows the column.
        """
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
            HistoryError: If no earlier frame is held, or its record is damaged; nothing is changed then.
        """
    def redo(self) -> int:
        """Go one frame forward again. Returns the frame that is now current.

        Raises:
            HistoryError: If no later frame is held, or its record is damaged; nothing is changed then.
        """
    def reset(self, frame: int) -> None:
        """Forget all deltas and make ``frame`` the current one; bytes stay as they are."""
    def settle(self) -> None:
        """Return when no `Snapshot` reads the columns any more: what it has yet to take is taken first."""
    def extent_at(self, column: Column, frame: int) -> int:
        """The committed extent of a column in a held frame, in bytes.

        Raises:
            HistoryError: If the frame is not held.
        """
    def check(self, first: int | None = None, count: int | None = None) -> list[int]:
        """Verify the records of ``count`` frames from ``first`` on, or of all; returns the frames with damaged ones."""
    def mend(self) -> tuple[list[int], list[int]]:
        """Verify all records and correct those in which a single bit has flipped.

        Frames that cannot be mended are dropped, with those that can only be reached through them.

        Returns:
            The frames that were mended, and those whose damage cost frames.
        """
    def gather(self, after: int, most_bytes: int, newest: int) -> Bundle | None:
        """Take old frames apart, to be kept elsewhere; they stay in the ring until they are dropped.

        Args:
            after: The frame before the first one wanted; any before `oldest` for the oldest that are held.
            most_bytes: What they may fill of the ring; the first may be 16 times as large.
            newest: The last frame that may be taken; never one after the current frame.

        Returns:
            They, or None if the first is too young or too large.

        Raises:
            HistoryError: If one of their records is damaged.
        """
    def drop_oldest(self, count: int) -> None:
        """Drop the oldest frames, none after the current one, and give their memory back to the system."""
    def step(self, frames: Joined, back: bool) -> int:
        """Go one frame back or forward through frames that lie before the oldest. Returns the frame that is now current.

        Live must equal committed; call `discard` first. From such a frame `undo` leads nowhere, and `redo` not before
        `oldest` is reached; a commit drops the frames of the ring.

        Raises:
            InstarError: If the current frame lies after the oldest.
            HistoryError: If the frames do not lead on from the current one.
        """
    def bring_back(self, frames: Joined) -> None:
        """Hold the current frame alone, as it is among frames that were kept elsewhere, so that commits can add to it."""
    def touch_ahead(self, nbytes: int) -> int:
        """Have the system find memory for the next bytes that commits will write, so that they wait for no page faults.

        Returns:
            How many bytes it was asked for; 0 once the ring has been round, or where that much was ready.
        """
    @property
    def threads(self) -> int:
        """How many threads share a commit."""
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
    @property
    def packed(self) -> Sequence[Any]:
        """Frames kept elsewhere than in the ring, each with ``stored_bytes`` and ``is_whole``; a plain history has none."""
    @property
    def snapshot_pending(self) -> bool:
        """Whether a `Snapshot` still has bytes to take."""
    @property
    def limit_bytes(self) -> int:
        """The most of them that are in use after a commit.

        Setting it lower drops the oldest frames at once (those ahead of the current one last, the newest first) and gives
        memory that holds no record back to the system.

        Raises:
            InstarError: If it is set to more than the budget or less than 65,536.
        """
    @limit_bytes.setter
    def limit_bytes(self, value: int) -> None: ...
