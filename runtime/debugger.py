"""`breakpoint()` in a hook: the terminal is given back, limits wait, and the time that goes by does not count."""

from __future__ import annotations

import os
import pdb
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

Pause = Callable[[], AbstractContextManager[Any]]


class HookDebugger(pdb.Pdb):
    """pdb at the terminal, with the run paused around every prompt."""

    def __init__(self, pause: Pause) -> None:
        super().__init__(nosigint=True)
        self._pause = pause

    def interaction(self, *args: Any, **kwargs: Any) -> None:
        """Pause the run, then prompt until the person goes on."""
        with self._pause(), _real_streams():
            self.stdout = sys.stdout
            super().interaction(*args, **kwargs)


@contextmanager
def breakpoints(pause: Pause) -> Iterator[None]:
    """While the context lasts, `breakpoint()` stops at the terminal inside ``pause()``."""

    def stop(*args: Any, **kwargs: Any) -> None:
        if os.environ.get("PYTHONBREAKPOINT"):
            sys.__breakpointhook__(*args, **kwargs)
            return
        caller = sys._getframe(1)  # noqa: SLF001 - the frame that called breakpoint()
        if not _has_terminal():
            place = f"{caller.f_code.co_filename}:{caller.f_lineno}"
            warnings.warn(
                f"breakpoint() at {place} was passed over: stdin is no terminal", RuntimeWarning, stacklevel=2
            )
            return
        HookDebugger(pause).set_trace(caller)

    before = sys.breakpointhook
    sys.breakpointhook = stop
    try:
        yield
    finally:
        sys.breakpointhook = before


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
