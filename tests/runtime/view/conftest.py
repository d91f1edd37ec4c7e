from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import termios
import threading
from collections.abc import Callable, Iterator
from typing import Any, TextIO

import pyte
import pytest

PATIENCE = 10.0

Build = Callable[..., dict[str, Any]]


def _ms(mean: float) -> dict[str, float]:
    return {"mean": mean, "p99": mean * 1.25, "max": mean * 2}


@pytest.fixture
def snapshot() -> Build:
    """Builds the state of a run of two modules; keywords replace keys."""

    def build(**changes: Any) -> dict[str, Any]:
        phases = {"boundary": 0.02, "input": 0.01, "update": 4.0, "commit": 0.9, "publish": 0.05, "maintain": 0.3}
        return {
            "scene": "predator",
            "title": "Hunters and prey",
            "paths": ["/home/ada/predator"],
            "frame": 12345,
            "frames": 12345,
            "fps": 60,
            "fps_now": 59.98,
            "seconds": 205.7,
            "missed": 0,
            "missed_by_edits": 0,
            "dropped": 0,
            "deadline_error_us": {"p50": 4.1, "p99": 31.0, "max": 220.0},
            "phases_ms": {name: _ms(mean) for name, mean in {**phases, "pace": 11.0}.items()},
            "modules": {
                "prey": {"version": "3fa2c1d09b7e", "state": "live", "ms": _ms(3.2)},
                "hunters": {"version": "91aa02be77f0", "state": "probation", "ms": _ms(0.7)},
            },
            "operations": {
                "commit": {"count": 12345, "ms": {"p50": 0.42, "p99": 0.61}, "bytes": {"p50": 64000, "p99": 91000}},
                "diff": {"count": 0, "ms": {"p50": 0.0, "p99": 0.0}, "bytes": {"p50": 0, "p99": 0}},
                "validate": {"count": 41, "ms": {"p50": 1.2, "p99": 1.9}, "bytes": {"p50": 10**6, "p99": 10**6}},
            },
            "memory": {
                "total": 301_000_000,
                "limit": 2_000_000_000,
                "purposes": {"live": 23_000_000, "committed": 24_000_000, "history": 254_000_000, "cold": 0},
            },
            "agents": {"prey": 9874, "hunters": 211},
            "edit_count": 1,
            "edits": [
                {
                    "files": ["prey.py"],
                    "verdict": "live",
                    "frame": 900,
                    "event_to_ready_ms": 3.2,
                    "ready_to_swap_ms": 8.0,
                    "swap_ms": 0.1,
                    "migrated": ["prey: added energy (f32, default 1.0)"],
                    "error": None,
                    "at": "12:03:44",
                }
            ],
            "errors": [],
            "crc": "ae8b14860a799888",
            "budget_ms": 16.67,
            "budgets": {"update": 8.0},
            "watch": {"mode": "inotify", "notice": None},
            "braille": None,
            "state": "running",
            "history": {"frames": 212, "bytes": 254_345_678},
            **changes,
        }

    return build


class Terminal:
    """A terminal of its own whose screen can be looked at; `stream` writes to it."""

    def __init__(self, columns: int, rows: int) -> None:
        self._ours, self.fd = pty.openpty()
        self.resize(columns, rows)
        self.stream: TextIO = os.fdopen(os.dup(self.fd), "w", encoding="utf-8")
        self.screen = pyte.Screen(columns, rows)
        self._input = pyte.ByteStream(self.screen)
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def text(self) -> str:
        with self._changed:
            return "\n".join(line.rstrip() for line in self.screen.display)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Waits until the condition holds for what the screen shows; a failure shows the screen."""
        with self._changed:
            if not self._changed.wait_for(condition, PATIENCE):
                pytest.fail("the screen never came to show it:\n" + "\n".join(self.screen.display))

    def wait_for_text(self, *texts: str) -> None:
        self.wait_for(lambda: all(text in "\n".join(self.screen.display) for text in texts))

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    @property
    def cursor_visible(self) -> bool:
        return not self.screen.cursor.hidden

    def close(self) -> None:
        self.stream.close()
        os.close(self.fd)
        self._reader.join(PATIENCE)
        os.close(self._ours)

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._ours, 65536):
                with self._changed:
                    self._input.feed(data)
                    self._changed.notify_all()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A terminal of 100 columns and 30 rows."""
    made = Terminal(100, 30)
    yield made
    made.close()
