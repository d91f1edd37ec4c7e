"""`breakpoint()` in a hook: the terminal is given back, limits wait, and the time that goes by does not count."""

from __future__ import annotations

import os
import pdb
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

Pause = Callable[[], AbstractContextManager[Any]]


class HookDebugger(pdb.Pdb):
    """pdb at the terminal, with the run paused from its first prompt until the person goes on or quits."""

    def __init__(self, pause: Pause) -> None:
        super().__init__(skip=["instar", "instar.*"], nosigint=True)
        self._pause = pause
        self._paused = ExitStack()
        self._is_paused = False

    def interaction(self, *args: Any, **kwargs: Any) -> None:
        """Prompt; the terminal stays the person's while they step."""
        if not self._is_paused:
            self._is_paused = True
            self._paused.enter_context(self._pause())
            self._paused.enter_context(_real_streams())
        self.stdout = sys.stdout
        try:
            super().interaction(*args, **kwargs)
        finally:
            if self.quitting or self.stoplineno == -1:
                self._go_on()

    def end_of_hook(self) -> None:
        """The hook is over: whoever still stepped through it goes on."""
        if self._is_paused:
            self.set_continue()
            self._go_on()

    def _go_on(self) -> None:
        self._is_paused = False
        self._paused.close()


class Breakpoints:
    """While the context lasts, `breakpoint()` stops at the terminal inside ``pause()``; other threads keep their own."""

    def __init__(self, pause: Pause) -> None:
        self._pause = pause
        self._debugger: HookDebugger | None = None

    def __enter__(self) -> Breakpoints:
        self._thread = threading.get_ident()
        self._before = sys.breakpointhook
        sys.breakpointhook = self._stop
        return self

    def __exit__(self, *exc: object) -> None:
        self.end_of_hook()
        sys.breakpointhook = self._before

    def end_of_hook(self) -> None:
        """Nothing of the scene runs any more; a person who steps goes on."""
        if self._debugger is not None:
            self._debugger.end_of_hook()

    def _stop(self, *args: Any, **kwargs: Any) -> None:
        if threading.get_ident() != self._thread:
            self._before(*args, **kwargs)
            return
        if os.environ.get("PYTHONBREAKPOINT"):
            sys.__breakpointhook__(*args, **kwargs)
            return
        caller = sys._getframe(1)  # noqa: SLF001 - the frame that called breakpoint()
        if not _has_terminal():
            place = f"{caller.f_code.co_filename}:{caller.f_lineno}"
            problem = f"breakpoint() at {place} was passed over: stdin is no terminal"
            warnings.warn(problem, RuntimeWarning, stacklevel=2)
            return
        self._debugger = HookDebugger(self._pause)
        self._debugger.set_trace(caller)


def _has_terminal() -> bool:
    stream = sys.__stdin__
    return stream is not None and not stream.closed and stream.isatty()


@contextmanager
def _real_streams() -> Iterator[None]:
    captured = sys.stdin, sys.stdout, sys.stderr
    terminal = sys.__stdout__ if sys.__stdout__ is not None and sys.__stdout__.isatty() else sys.__stderr__
    sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, terminal, sys.__stderr__
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = captured
