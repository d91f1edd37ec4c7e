"""Ctrl-C: the frame in hand is finished, then the run ends."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Interrupt:
    """Turns SIGINT and SIGTERM into a wish to stop; a second Ctrl-C breaks into whatever runs. A context manager.

    Attributes:
        wanted: Whether somebody asked the run to end.
    """

    def __init__(self) -> None:
        self.wanted = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exc: object) -> None:
        self.wanted = False
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _note(self, signum: int, _frame: FrameType | None) -> None:
        if self.wanted and signum == signal.SIGINT:
            raise KeyboardInterrupt
        self.wanted = True
