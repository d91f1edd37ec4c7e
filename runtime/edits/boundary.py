"""The boundary of a frame: the newest ready edit is swapped in or refused, and its receipt is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from instar.edits.ledger import Ledger
from instar.edits.receipt import Receipt
from instar.edits.verdicts import Verdicts
from instar.hmr.code import Edit, EditPipeline, Program, Rejection
from instar.native import InstarError
from instar.telemetry.events import Events


class Swapping(Protocol):
    """A world, as edits see it."""

    @property
    def frame(self) -> int:
        """How many steps are committed."""

    @property
    def program(self) -> Program:
        """The code it runs."""

    @property
    def verdicts(self) -> Verdicts:
        """Who judges the edit that is on probation."""

    def swap(self, program: Program) -> list[str]:
        """Run new code over the same agents; raises InstarError, with nothing changed, if it cannot."""


class Boundary:
    """Takes edits from a pipeline at the boundary of each frame.

    Attributes:
        ledger: What the edits of this run did.
    """

    def __init__(self, world: Swapping, now: Callable[[], int], tell: Callable[[str], object], events: Events) -> None:
        """Prepares.

        Args:
            world: Whose code is swapped.
            now: Monotonic ns.
            tell: Shows a message to people.
            events: Where receipts are posted.
        """
        self.ledger = Ledger(tell, events)
        self._live: tuple[Edit, Receipt] | None = None
        self._world = world
        self._now = now
        self._tell = tell

    def cross(self, pipeline: EditPipeline) -> None:
        """Hear which edits were refused, then take the newest that is ready."""
        for rejection in pipeline.rejections():
            self._note(rejection, self._now(), error=rejection.error)
        edit = pipeline.take()
        if edit is not None:
            self._swap(edit, pipeline)

    def settle(self, pipeline: EditPipeline) -> bool:
        """Hear whether the edit that was swapped in last was undone, and tell it; returns whether it was."""
        undone = self._world.verdicts.take_undone()
        if undone is None or self._live is None or self._live[0].program is not undone.program:
            return False
        (edit, receipt), self._live = self._live, None
        pipeline.refused(edit, undone.error)
        self.ledger.roll_back(receipt, undone.error, self._world.frame)
        return True

    def _swap(self, edit: Edit, pipeline: EditPipeline) -> None:
        began = self._now()
        try:
            steps = self._world.swap(edit.program)
        except InstarError as error:
            pipeline.refused(edit, error)
            self._note(edit, began, error=error)
            return
        pipeline.swapped(edit)
        self._live = edit, self._note(edit, began, steps)
        for notice in edit.notices:
            self._tell(notice)

    def _note(
        self, edit: Edit | Rejection, began: int, steps: Sequence[str] = (), error: InstarError | None = None
    ) -> Receipt:
        """Keep the receipt of an edit that was decided, whose boundary began at a time."""
        world = self._world
        ended = self._now()
        return self.ledger.note(Receipt.of(edit, world.frame, began, ended, steps, error, world.program.number))
