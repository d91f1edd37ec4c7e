"""Ctrl-C, or a terminal that is closed: the frame in hand is finished, then the run ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType


class Interrupt:
    """Turns SIGINT, SIGTERM and SIGHUP into a wish to stop; a second Ctrl-C breaks into whatever runs. A context manager.

    Attributes:
        wanted: Whether somebody asked the run to end.
        at_prompt: Whether a person is at a prompt, where Ctrl-C takes back a line and means nothing else.
    """

    def __init__(self, continued: Callable[[], object]) -> None:
        """Args: continued: called when the process goes on after it was stopped, as by Ctrl-Z and ``fg``."""
        self.wanted = False
        self.at_prompt = False
        self._continued = continued
        self._before: dict[int, object] = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            for number, handler in (
                (signal.SIGINT, self._note),
                (signal.SIGTERM, self._note),
                (signal.SIGHUP, self._note),
                (signal.SIGCONT, self._go_on),
            ):
                if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                    self._before[number] = signal.signal(number, handler)
        return self

    def __exit__(self, *exc: object) -> None:
        self.wanted = False
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before.clear()

    def _note(self, signum: int, _frame: FrameType | None) -> None:
        if signum == signal.SIGINT and (self.wanted or self.at_prompt):
            raise KeyboardInterrupt
        self.wanted = True

    def _go_on(self, _signum: int, _frame: FrameType | None) -> None:
        self._continued()
