"""The ledger: all receipts of a run, and everybody who is told of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from instar.edits.receipt import Receipt
from instar.telemetry.events import Events
from instar.telemetry.log import EventLog


class Ledger:
    """Keeps receipts, shows and logs each at once, and posts it as an event.

    Attributes:
        receipts: What the edits did, oldest first; one that was rolled back later stands in its first place.
        log: Where they are written, or None.
    """

    def __init__(self, tell: Callable[[str], object], events: Events) -> None:
        """Prepares.

        Args:
            tell: Shows a message to people.
            events: Where receipts are posted.
        """
        self.receipts: list[Receipt] = []
        self.log: EventLog | None = None
        self._tell = tell
        self._events = events
        self._changed = threading.Condition()

    def note(self, receipt: Receipt) -> Receipt:
        """Keep the receipt of an edit that was decided; returns it with its number."""
        with self._changed:
            receipt = replace(receipt, number=len(self.receipts) + 1)
            self.receipts.append(receipt)
            self._changed.notify_all()
        self._pass_on(receipt)
        return receipt

    def roll_back(self, receipt: Receipt, error: object, frame: int) -> Receipt:
        """Note that the old code came back in place of an edit that was live, at a frame, and why."""
        with self._changed:
            rolled_back = receipt.roll_back(error, frame)
            self.receipts[receipt.number - 1] = rolled_back
            self._changed.notify_all()
        self._pass_on(rolled_back)
        return rolled_back

    def wait_for(
        self, found: Callable[[], Receipt | None], seconds: float, given_up: Callable[[], bool] = lambda: False
    ) -> Receipt | None:
        """Wait until something looked for is there; asked anew after every change, in the thread that waits.

        Args:
            found: Returns what is looked for, or None.
            seconds: How long to wait.
            given_up: Whether it will not come any more; asked after every change and `wake`.

        Returns:
            What was found; None if nothing was.
        """
        with self._changed:
            self._changed.wait_for(lambda: found() is not None or given_up(), seconds)
            return found()

    def wake(self) -> None:
        """Have those who wait look again."""
        with self._changed:
            self._changed.notify_all()

    def _pass_on(self, receipt: Receipt) -> None:
        self._tell(str(receipt))
        if self.log is not None:
            self.log.put(receipt.document())
        self._events.post("edit", receipt)
