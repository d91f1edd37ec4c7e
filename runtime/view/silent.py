"""A view that shows nothing, for programs that only want the report."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from instar.view.view import Snapshot


class SilentView:
    """Nobody looks: output of modules goes where it went before."""

    interval = 3600.0

    def canvas(self, aspect: float = 1.0) -> None:
        """No room for a picture."""

    def publish(self, snapshot: Snapshot) -> None:
        """Do nothing."""

    def message(self, text: str) -> None:
        """Do nothing."""

    def listen(self, told: Callable[[str], object]) -> None:
        """There are no keys."""

    def released(self) -> AbstractContextManager[None]:
        """The terminal was never taken."""
        return nullcontext()

    def close(self, snapshot: Snapshot) -> None:
        """Do nothing."""
