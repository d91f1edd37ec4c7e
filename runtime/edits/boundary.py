"""The boundary of a frame: the newest ready edit is swapped in or refused, and its receipt is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from instar.edits.receipt import Receipt
from instar.hmr.code import Edit, EditPipeline, Program
from instar.native import InstarError


class Swapping(Protocol):
    """A world, as edits see it."""

    @property
    def frame(self) -> int:
        """How many steps are committed."""

    def swap(self, program: Program) -> list[str]:
        """Run new code over the same agents; raises InstarError, with nothing changed, if it cannot."""


class Boundary:
    """Takes edits from a pipeline at the boundary of each frame.

    Attributes:
        receipts: What the edits of this run did, oldest first.
    """

    def __init__(self, world: Swapping, now: Callable[[], int], tell: Callable[[str], object]) -> None:
        """Prepares.

        Args:
            world: Whose code is swapped.
            now: Monotonic ns.
            tell: Shows a message to people.
        """
        self.receipts: list[Receipt] = []
        self._world = world
        self._now = now
        self._tell = tell

    def cross(self, pipeline: EditPipeline) -> None:
        """Take the newest ready edit, and hear which were refused."""
        edit = pipeline.take()
        if edit is not None:
            self._swap(edit, pipeline)
        for rejection in pipeline.rejections():
            now = self._now()
            self._note(Receipt.of(rejection, self._world.frame, now, now, error=rejection.error))

    def _swap(self, edit: Edit, pipeline: EditPipeline) -> None:
        began = self._now()
        try:
            steps = self._world.swap(edit.program)
        except InstarError as error:
            pipeline.refused(edit, error)
            self._note(Receipt.of(edit, self._world.frame, began, self._now(), error=error))
            return
        pipeline.swapped(edit)
        self._note(Receipt.of(edit, self._world.frame, began, self._now(), steps))

    def _note(self, receipt: Receipt) -> None:
        self.receipts.append(receipt)
        self._tell(str(receipt))
