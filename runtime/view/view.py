"""What every view of a run can do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

Snapshot = dict[str, Any]
"""The state of a run as plain JSON values: the document of `run --json` and what only viewers need."""


class View(Protocol):
    """Shows a run to people; no method but `released` and `close` ever waits.

    Attributes:
        interval: seconds between the snapshots the view has use for.
    """

    interval: float

    def canvas(self, aspect: float = 1.0) -> tuple[int, int] | None:
        """Columns and rows of the braille picture the view has room for, or None.

        Args:
            aspect: the world's width divided by its height.
        """

    def publish(self, snapshot: Snapshot) -> None:
        """Shows a newer state; dropped in favour of the next one while the view is behind."""

    def message(self, text: str) -> None:
        """Shows text of any number of lines and keeps it: what modules print, log lines, receipts. Never dropped."""

    def listen(self, told: Callable[[str], object]) -> None:
        """Has a function called with each key that is pressed from now on, in a thread of the view's own.

        Views without keys do nothing.
        """

    def released(self) -> AbstractContextManager[None]:
        """Gives the terminal away, as for a debugger: plain and quiet inside, taken back on leaving."""

    def close(self, snapshot: Snapshot) -> None:
        """Shows the last state, which stays, and gives the terminal back; once.

        Args:
            snapshot: the last state; empty where the run ended before it had one.
        """
