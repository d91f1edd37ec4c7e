"""The frame's side of the live view: hands snapshots and messages over and never waits."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import TextIO

from instar.loop.outbox import Outbox
from instar.view.canvas import canvas, panel_rows
from instar.view.lines import LineView
from instar.view.terminal.keys import Keys
from instar.view.terminal.tty import restore_settings, settings
from instar.view.terminal.tty import size as terminal_size
from instar.view.terminal.wire import ENDING, Message, Unpacker, pack
from instar.view.view import Snapshot

_DRAW = "import sys; sys.path[:] = sys.argv[2:]; from instar.view.terminal.process import main; main(int(sys.argv[1]))"
_PATIENCE = 5.0
_SHOW_CURSOR = b"\x1b[?25h\r"


class TerminalView:
    """A live panel drawn by a process of its own, so that drawing takes nothing from the frame.

    When that process ends before its time, what it had not shown yet follows as plain lines, and so does the rest of
    the run.

    Args:
        stream: the terminal.

    Raises:
        OSError: the process cannot be started.
    """

    interval = 0.1

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._fd = stream.fileno()
        self._settings = settings(self._fd)
        self._changed = threading.Condition()
        self._serial = 0
        self._seen = 0
        self._unseen: dict[int, str] = {}
        self._last: int | None = None
        self._plain: LineView | None = None
        self._reason = ""
        self._error_rows = 0
        self._channel, theirs = socket.socketpair()
        with theirs:
            self.process = _start(self._fd, theirs.fileno())
        self._keys: Keys | None = None
        self._outbox: Outbox[bytes] = Outbox(self._channel.sendall)
        self._listener = threading.Thread(target=self._listen, name="instar-view", daemon=True)
        self._listener.start()

    def canvas(self, aspect: float = 1.0) -> tuple[int, int] | None:
        """Columns and rows of the braille picture that the terminal has room for now, beside any errors, or None."""
        try:
            size = terminal_size(self._fd)
        except OSError:
            return None
        rows = panel_rows(size.lines, urgent=self._error_rows > 0) - self._error_rows
        return None if self._plain else canvas(size.columns - 1, rows, aspect)

    def publish(self, snapshot: Snapshot) -> None:
        """Hands the state over; it takes the place of one that still waits."""
        errors = [str(error).strip("\n") for error in snapshot.get("errors") or ()]
        self._error_rows = sum(error.count("\n") + 1 for error in errors) + 2 * bool(errors)
        if self._plain:
            self._plain.publish(snapshot)
        elif self._last is None:
            self._outbox.replace(pack({"kind": "snapshot", "snapshot": snapshot}))

    def message(self, text: str) -> None:
        """Hands text over and keeps it until it is known to be shown."""
        with self._changed:
            if self._plain:
                self._plain.message(text)
            else:
                self._send("message", text)

    def listen(self, told: Callable[[str], object]) -> None:
        """Has a function called with each key that is pressed, in a thread of the view's own."""
        if self._keys is None and self._plain is None:
            self._keys = Keys(self._fd, told)

    @contextmanager
    def released(self) -> Iterator[None]:
        """The terminal as it was before the view: panel left in place, cursor visible, keys echoed, line by line."""
        with self._keys.left_alone() if self._keys else nullcontext():
            if not self._await(self._send("release")):
                self._give_up()
            try:
                yield
            finally:
                self._send("resume")

    def close(self, snapshot: Snapshot) -> None:
        """Shows all that was handed over and the last state, and gives the terminal back."""
        if self._last is not None:
            return
        if self._keys is not None:
            self._keys.close()
        self._last = self._send("close", snapshot=snapshot)
        if not self._await(self._last):
            self._give_up()
        self._outbox.close()
        if self._plain:
            self._plain.close(snapshot)
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        self._listener.join(_PATIENCE)
        self._channel.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_PATIENCE)

    def _send(self, kind: str, text: str | None = None, snapshot: Snapshot | None = None) -> int:
        """Puts a numbered message on its way; the drawing process answers with the number when it is done."""
        with self._changed:
            self._serial += 1
            message: Message = {"kind": kind, "serial": self._serial}
            if text is not None:
                message["text"] = self._unseen[self._serial] = text
            if snapshot:
                message["snapshot"] = snapshot
            if not self._plain:
                self._outbox.put(pack(message))
            return self._serial

    def _await(self, serial: int) -> bool:
        """Waits until a message is done or there is nobody to do it; False when neither happens in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._seen >= serial or self._plain is not None, _PATIENCE)

    def _listen(self) -> None:
        unpacker = Unpacker()
        with suppress(OSError):
            while data := self._channel.recv(4096):
                for answer in unpacker.feed(data):
                    self._reason = answer.get("failed", "")
                    self._mark_seen(answer.get("done", 0))
        self._fall_back()

    def _mark_seen(self, serial: int) -> None:
        with self._changed:
            self._seen = max(self._seen, serial)
            for shown in [number for number in self._unseen if number <= serial]:
                del self._unseen[shown]
            self._changed.notify_all()

    def _fall_back(self) -> None:
        """Goes on as plain lines, the unseen messages first; nothing to do after a regular close."""
        with self._changed:
            if self._last is not None and self._seen >= self._last:
                return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_PATIENCE)
        if self._keys is not None:
            self._keys.close()
        restore_settings(self._fd, self._settings)
        with suppress(OSError):
            os.write(self._fd, _SHOW_CURSOR)
        reason = self._reason or f"its process ended with {self.process.returncode}"
        with self._changed:
            self._plain = LineView(self._stream)
            self._plain.message(f"instar: the live view stopped ({reason}); the run goes on, shown as plain lines.")
            for text in self._unseen.values():
                self._plain.message(text)
            self._unseen.clear()
            self._changed.notify_all()

    def _give_up(self) -> None:
        """Ends a drawing process that does not answer."""
        self.process.kill()
        self._listener.join(_PATIENCE)


def _start(terminal: int, channel: int) -> subprocess.Popen[bytes]:
    """The drawing process; signals to end are held back from it from its first instruction on."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _DRAW, str(channel), *map(str, sys.path)],
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=terminal,
            pass_fds=(channel,),
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
