"""Events: what happens in a run, for programs that listen and for a log."""

from __future__ import annotations

import difflib
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from instar.faults import WorldError
from instar.telemetry.listeners import Callback, Listeners
from instar.telemetry.log import EventLog

EVENTS = {
    "edit": "a `Receipt`: an edit was decided, or undone later",
    "late": "a `LateFrame`: a frame ended after its deadline, and why",
    "fault": "a `HookFault` or `EditFault`: a hook raised or a value went bad",
    "repair": "a `Fault` that validation found, mended or not",
}
"""The events there are, and what a callback gets."""


class Document(Protocol):
    """What an event is about."""

    def document(self) -> dict[str, Any]:
        """It as plain data for JSON."""


class Events:
    """Hands events to those who listen, between frames, and to a log.

    Attributes:
        log: Where each is written as a line of JSON, or None.
    """

    def __init__(self) -> None:
        self.log: EventLog | None = None
        self._listeners = {name: Listeners(name) for name in EVENTS}
        self._waiting: deque[tuple[str, Document]] = deque()

    def on(self, event: str, callback: Callback) -> Callback:
        """Have a function called with each event of a kind; see `instar.on`.

        Raises:
            WorldError: If there is no such event.
        """
        _require_known(event)
        return self._listeners[event].add(callback)

    def post(self, event: str, what: Document) -> None:
        """Note an event, to be delivered after the frame; logged at once."""
        if self.log is not None:
            self.log.put({"event": event, **what.document()})
        self._waiting.append((event, what))

    def deliver(self, tell: Callable[[str], object]) -> None:
        """Call those who listen; to be called between frames. Args: tell: shows people why one is not called any more."""
        while self._waiting:
            event, what = self._waiting.popleft()
            for events in (self, everywhere):
                events._listeners[event].call(what, tell)  # noqa: SLF001 - its own kind


everywhere = Events()
"""Those who listen to all runs of the process."""


def on(event: str, callback: Callable[[Any], Any] | None = None) -> Callable[..., Any]:
    """Have a function called with each event of a kind, of every `Runtime` in this process.

    It is called on the thread that runs the frames, after the frame in which it happened. Look at it and be quick; where it
    raises, that is shown and it is not called again. A function takes the place of one of the same name and module: a
    notebook's cell may be run again.

    ``edit``: a `Receipt`. ``late``: a `LateFrame`. ``fault``: a `HookFault` or `EditFault`. ``repair``: a `Fault` that
    validation found.

    Example:
        >>> @on("late")
        ... def note(late):
        ...     print(late.frame, late.cause, late.late_ns)

    Args:
        event: Which.
        callback: The function; without it, `on(event)` is a decorator.

    Returns:
        The function, or the decorator.

    Raises:
        WorldError: If there is no such event.
    """
    _require_known(event)
    return partial(on, event) if callback is None else everywhere.on(event, callback)


def on_edit(callback: Callback) -> Callback:
    """Have a function called with the `Receipt` of each edit of every `Runtime` in this process: ``on("edit", callback)``.

    Args:
        callback: The function; this can be a decorator.

    Returns:
        The function.
    """
    return everywhere.on("edit", callback)


def _require_known(event: str) -> None:
    if event not in EVENTS:
        near = difflib.get_close_matches(str(event), EVENTS, 1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        raise WorldError(f"there is no event {event!r}.{meant} Events: {', '.join(EVENTS)}; nothing was registered")
