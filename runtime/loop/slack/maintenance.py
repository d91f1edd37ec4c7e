"""Maintenance: what is done for a world in the slack of its frames."""

from __future__ import annotations

from collections.abc import Callable

from instar.hmr.state import StateManager
from instar.loop.slack.autosave import Autosave
from instar.loop.slack.garbage import Garbage
from instar.loop.slack.validation import Validation
from instar.native import Spans

GARBAGE_SLACK_NS = 1_000_000
"""Slack that a collection of young objects needs, so that it makes no frame late."""
PACKING_SLACK_NS = 4_000_000
"""Slack from which on a quarter of it is spent on the memory of the world: a piece of that work takes up to 2 ms."""


class Maintenance:
    """Saves, validates, collects and packs, as far as a frame leaves time for it.

    Attributes:
        autosave: What saves the world every so often; None if nothing does.
        validation: What verifies it.
        garbage: What collects Python's cycles.
    """

    def __init__(
        self,
        state: StateManager,
        depart: Callable[[int], int],
        frame_seconds: float,
        now: Callable[[], int],
        tell: Callable[[str], object],
        spans: Spans,
    ) -> None:
        """Prepares.

        Args:
            state: What is maintained.
            depart: Frees versions that no longer run, given the ns that are left; returns how many objects were freed.
            frame_seconds: How long a frame lasts.
            now: Monotonic ns.
            tell: Shows a message to people.
            spans: Where it is recorded what each part of it takes.
        """
        self._spans = spans
        self.autosave: Autosave | None = None
        self.validation = Validation(state, frame_seconds, tell)
        self.garbage = Garbage()
        self._state = state
        self._depart = depart
        self._now = now
        self._tell = tell
        self._told_of_memory = False

    def maintain(self, slack: int) -> None:
        """Do what is due, with so many ns until the deadline.

        Raises:
            DamageError: If committed bytes are lost for good.
        """
        began = self._now()
        span = self._spans.span
        if self.autosave is not None:
            with span("autosave"):
                self.autosave.maintain(began)
        with span("validation"):
            self.validation.maintain(slack)
        self._tell_of_memory()
        if slack > GARBAGE_SLACK_NS or self.garbage.full_collection_due:
            with span("garbage"):
                self.garbage.collect()
        with span("old versions"):
            self.garbage.freed(self._depart(slack - (self._now() - began)))
        left = slack - (self._now() - began)
        if left > PACKING_SLACK_NS:
            with span("packing"):
                self._state.maintain(left / 4e9)

    def _tell_of_memory(self) -> None:
        """Say once that the history was cut."""
        notice = self._state.memory_notice
        if notice is not None and not self._told_of_memory:
            self._told_of_memory = True
            self._tell(notice)
