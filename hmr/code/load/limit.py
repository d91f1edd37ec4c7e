"""A limit on how long the top level of a scene's files may take in this process."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from instar.hmr.code.errors import LoadError
from instar.hmr.code.load.lines import unit_of

LIMIT_SECONDS = 2.0
IMPORT_SECONDS = 60.0
_IMPORTING = "<frozen importlib."


class LoadTimeout(BaseException):
    """A file is executed for too long; no `Exception`, so that a file that catches those does not swallow it."""


class LoadLimit:
    """Interrupts a load that hangs, although its trial did not.

    A thread looks at the one that loads, now and then; a load need not wake it, which would cost more than most loads.
    Python code is interrupted by an exception, again and again until it gives up. What hangs in native code cannot be:
    people are told, and no edit is loaded until it ends.
    """

    def __init__(
        self, on_stuck: Callable[[str], None], limit: float = LIMIT_SECONDS, import_limit: float = IMPORT_SECONDS
    ) -> None:
        """Prepares; the thread starts with the first load.

        Args:
            on_stuck: called in the thread that looks, with what people should know.
            limit: seconds that files of the scene may take.
            import_limit: seconds they may take inside an import of what is no file of the scene.
        """
        self._on_stuck = on_stuck
        self._limits = limit, import_limit
        self._changed = threading.Condition()
        self._looker: threading.Thread | None = None
        self._watched: int | None = None
        self._seen: float | None = None
        self._told = False
        self._closed = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watches over the loads of this thread in the body.

        Raises:
            LoadError: it was interrupted where nobody else said so.
        """
        try:
            self._watch(threading.get_ident())
            try:
                yield
            finally:
                self._watch(None)
        except LoadTimeout as error:
            self._watch(None)
            raise LoadError(str(error)) from None

    def close(self) -> None:
        """Ends the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._looker is not None:
            self._looker.join()

    def _watch(self, thread: int | None) -> None:
        with self._changed:
            if self._told and self._watched is not None:
                _take_back()
            self._watched, self._seen, self._told = thread, None, False
            if self._looker is None:
                self._looker = threading.Thread(target=self._look_on, name="instar-load-limit", daemon=True)
                self._looker.start()

    def _look_on(self) -> None:
        with self._changed:
            while not self._closed:
                self._changed.wait(self._limits[0] / 4)
                self._look()

    def _look(self) -> None:
        """Sees whether the same load has been in files of the scene for too long; called with the lock held."""
        if self._watched is None:
            return
        frame = sys._current_frames().get(self._watched)  # noqa: SLF001 - there is no other way to look at a thread
        place, is_importing = _place(frame)
        now = time.monotonic()
        if place is None:
            self._seen = None
            return
        self._seen = self._seen or now
        limit = self._limits[is_importing]
        if now - self._seen < limit:
            return
        if not self._told:
            self._told = True
            self._on_stuck(
                f"{place}: it has been executing for more than {limit:g} s, though not when it was tried in another process, "
                "and is being interrupted\nThe running version goes on. Until this ends, no other edit is loaded: if it "
                "does not, it hangs in native code, and only a new run helps."
            )
        _interrupt(self._watched, LoadTimeout)


def timeout_problem(limit: float = LIMIT_SECONDS) -> str:
    """Returns what is wrong with a file that was interrupted."""
    return f"it did not finish within {limit:g} s when it was imported, though it did in another process, and was interrupted"


def _place(frame: FrameType | None) -> tuple[str | None, bool]:
    """Returns the innermost file and line of the scene that a thread is in, and whether it imports something there."""
    is_importing = False
    while frame is not None:
        unit = unit_of(frame.f_globals)
        if unit is not None:
            return f"{unit.source.path}:{frame.f_lineno}", is_importing
        is_importing = is_importing or frame.f_code.co_filename.startswith(_IMPORTING)
        frame = frame.f_back
    return None, False


def _interrupt(thread: int, error: type[BaseException]) -> None:
    """Has an exception raised in a thread as soon as it executes Python code."""
    import ctypes  # noqa: PLC0415 - hardly any run needs it

    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))


def _take_back() -> None:
    """Has an exception that may be on its way to this thread raised here, where it does no harm.

    To take it back by NULL would leave CPython 3.11 believing that one is pending: whoever traces then, such as a
    debugger, goes round in circles.
    """
    with suppress(LoadTimeout):
        _interrupt(threading.get_ident(), LoadTimeout)
        while True:
            pass
