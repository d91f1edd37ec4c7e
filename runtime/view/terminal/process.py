"""The process that draws: reads messages from the frame and keeps the terminal; rich lives only here."""

from __future__ import annotations

import io
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType

from rich.console import Console
from rich.text import Text

from instar.view.canvas import panel_rows
from instar.view.panel import render
from instar.view.plain import plain
from instar.view.terminal.painter import HIDE_CURSOR, SHOW_CURSOR, Painter
from instar.view.terminal.tty import Tty
from instar.view.terminal.tty import size as terminal_size
from instar.view.terminal.wire import ENDING, Message, Unpacker, pack
from instar.view.view import Snapshot

PERIOD = 0.1
"""Seconds between two drawings at least."""

_RESIZE = 0.25


def main(channel: int) -> None:
    """Draws on standard output until the frame's end of the socket `channel` closes."""
    for ignored in (*ENDING, signal.SIGTTOU):
        signal.signal(ignored, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    with socket.socket(fileno=channel) as frame:
        screen = Screen(frame)
        signal.signal(signal.SIGTSTP, screen.stop)
        try:
            screen.run()
        except OSError:
            return  # the terminal or the frame is gone
        except Exception as error:  # noqa: BLE001  whatever it is, the frame goes on and says it
            frame.sendall(pack({"failed": f"{type(error).__name__}: {error}"}))
        finally:
            screen.leave()


class Screen:
    """The terminal as the run's messages want it."""

    def __init__(self, frame: socket.socket, terminal: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._frame = frame
        self._terminal = terminal
        self._clock = clock
        self._tty = Tty(terminal)
        self._painter = Painter()
        self._snapshot: Snapshot | None = None
        self._texts: list[str] = []
        self._done = 0
        self._released = 0
        self._entered = False
        self._ended = False
        self._changed = False
        self._due = 0.0
        self._size = os.terminal_size((0, 0))

    def run(self) -> None:
        """Until the frame says close, or is gone."""
        unpacker = Unpacker()
        self._enter()
        while not self._ended:
            pending = self._changed or bool(self._texts)
            wait = max(0.0, self._due - self._clock()) if pending else _RESIZE
            if select.select([self._frame], [], [], wait)[0]:
                data = self._frame.recv(1 << 16)
                if not data:
                    return
                for message in unpacker.feed(data):
                    self._take(message)
            if self._clock() >= self._due:
                self._draw()

    def leave(self) -> None:
        """Gives the terminal back: panel in place, cursor below it and visible, keys echoed."""
        if self._entered:
            self._entered = False
            self._painter.forget()
            try:
                self._write(SHOW_CURSOR)
            finally:
                self._tty.restore()

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Ctrl-Z: a usable terminal while stopped, the panel again afterwards."""
        entered = self._entered
        self.leave()
        os.kill(os.getpid(), signal.SIGSTOP)
        if entered:
            self._enter()
            self._changed = True

    def _enter(self) -> None:
        self._entered = True
        self._tty.quiet()
        self._write(HIDE_CURSOR)

    def _take(self, message: Message) -> None:
        kind = message["kind"]
        if kind == "message":
            self._texts.append(message["text"])
        elif kind in {"snapshot", "close"}:
            self._snapshot = self._newer(message.get("snapshot"))
            self._changed = True
        self._done = message.get("serial", self._done)
        if kind == "release":
            self._draw()
            self.leave()
            self._released += 1
            self._acknowledge()
        elif kind == "resume":
            self._released -= 1
            if not self._released:
                self._enter()
                self._changed = True
        elif kind == "close":
            self._draw()
            self.leave()
            self._acknowledge()
            self._ended = True

    def _newer(self, snapshot: Snapshot | None) -> Snapshot | None:
        """The state to show now: the last one, a report, comes without a picture and keeps the one before."""
        before = self._snapshot
        if snapshot and before and "braille" not in snapshot:
            return {**snapshot, "braille": before.get("braille")}
        return snapshot or before

    def _draw(self) -> None:
        """Shows what came since the last drawing; without the panel while the terminal is released."""
        size = terminal_size(self._terminal)
        if not (self._changed or self._texts or size != self._size):
            return
        console = _console(max(1, size.columns - 1))
        above = "".join(_text(console, text) for text in self._texts)
        panel = self._panel(console, size.lines) if self._entered else []
        texts, self._texts = self._texts, []
        self._write(self._painter.paint(above, panel, size.columns))
        self._changed, self._size, self._due = False, size, self._clock() + PERIOD
        if texts:
            self._acknowledge()

    def _panel(self, console: Console, rows: int) -> list[str]:
        if self._snapshot is None:
            return []
        room = panel_rows(rows, urgent=bool(self._snapshot.get("errors")))
        with console.capture() as drawn:
            console.print(render(self._snapshot, console.width, room))
        return drawn.get().rstrip("\n").split("\n")

    def _acknowledge(self) -> None:
        try:
            self._frame.sendall(pack({"done": self._done}))
        except OSError:
            self._ended = True

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            select.select([], [self._terminal], [])
            data = data[os.write(self._terminal, data) :]


def _console(width: int) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, highlight=False, legacy_windows=False)


def _text(console: Console, text: str) -> str:
    """A module's text with its colours and without any other control of the terminal."""
    with console.capture() as drawn:
        console.print(Text.from_ansi(plain(text, colours=True).rstrip("\n")), soft_wrap=True)
    return drawn.get()
