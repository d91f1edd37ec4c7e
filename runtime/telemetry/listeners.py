"""Listeners: functions of a program that are called with each event of a kind."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

Callback = TypeVar("Callback", bound=Callable[[Any], Any])


class Listeners:
    """Functions to be called, in the order in which they came; one that raises is not called again."""

    def __init__(self, event: str) -> None:
        """Args: event: what they are called with, for people."""
        self._event = event
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[Any], Any]] = []

    def add(self, callback: Callback) -> Callback:
        """Have a function called with each event from now on; usable as a decorator, safe from any thread.

        A function takes the place of one of the same name and module: a notebook's cell may be run again.

        Returns:
            The function.
        """
        with self._lock:
            self._callbacks = [one for one in self._callbacks if one != callback and not _renews(callback, one)]
            self._callbacks.append(callback)
        return callback

    def call(self, what: object, tell: Callable[[str], object]) -> None:
        """Call all with an event.

        Args:
            what: What they get.
            tell: Shows people why one is not called any more.
        """
        for callback in list(self._callbacks):
            try:
                callback(what)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises, the run goes on
                self._remove(callback)
                tell(_told(self._event, callback, error))

    def _remove(self, callback: Callable[[Any], Any]) -> None:
        with self._lock:
            self._callbacks = [one for one in self._callbacks if one is not callback]


def _renews(new: Callable[..., Any], old: Callable[..., Any]) -> bool:
    """Whether a function is another version of one: top-level functions of the same name."""
    name = getattr(new, "__qualname__", "<")
    return (
        "<" not in name
        and (name, getattr(new, "__module__", None))
        == (
            getattr(old, "__qualname__", None),
            getattr(old, "__module__", None),
        )
        and not hasattr(new, "__self__")
    )


def _told(event: str, callback: Callable[..., Any], error: BaseException) -> str:
    name = getattr(callback, "__qualname__", repr(callback))
    places = traceback.extract_tb(error.__traceback__)[1:]
    where = f"{places[-1].filename}:{places[-1].lineno}: " if places else ""
    what = "".join(traceback.format_exception_only(error)).strip()
    return f"{where}{event} callback {name} raised {what}\nThe run goes on without it: mend it and register it again."
