"""A run as plain lines: for logs, pipes and terminals that can do no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from instar.loop.outbox import Outbox
from instar.view.plain import plain
from instar.view.view import Snapshot

_PATIENCE = 5.0


class LineView:
    """One line a second and every message, without control codes.

    Args:
        stream: where the lines go; usually standard error as it was when the run began.
    """

    interval = 1.0

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._outbox: Outbox[str] = Outbox(self._write)
        self._errors: list[str] = []
        self._said: list[str] = []
        self._closed = False

    def canvas(self, aspect: float = 1.0) -> tuple[int, int] | None:  # noqa: ARG002  a line has no room for a picture
        """None: a line has no room for a picture."""
        return None

    def publish(self, snapshot: Snapshot) -> None:
        """Writes the state as one line, and each error in full when it first appears and no message held it."""
        errors = [str(error) for error in snapshot.get("errors") or ()]
        said, self._said = self._said, []
        for error in errors:
            if error not in self._errors and not any(error in text for text in said):
                self._outbox.put(_block(error))
        self._errors = errors
        self._outbox.replace(status(snapshot))

    def message(self, text: str) -> None:
        """Writes the text on lines of its own."""
        self._said.append(text)
        self._outbox.put(_block(text))

    def listen(self, told: Callable[[str], object]) -> None:
        """There are no keys."""

    @contextmanager
    def released(self) -> Iterator[None]:
        """Writes what is left to write, then stays out of the way."""
        self._outbox.flush(_PATIENCE)
        yield

    def close(self, snapshot: Snapshot) -> None:
        """Writes the last state and waits until all is written, or the reader has not read for seconds."""
        if self._closed:
            return
        self._closed = True
        if snapshot:
            self.publish(snapshot)
        self._outbox.flush(_PATIENCE)
        self._outbox.close()

    def _write(self, text: str) -> None:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        try:
            self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            self._stream.flush()
        except ValueError as error:
            raise BrokenPipeError("the stream was closed") from error


def _block(text: str) -> str:
    return plain(text).rstrip("\n")


def status(snapshot: Snapshot) -> str:
    """The state of a run on one line: `frame 600  60.0 fps  deadline p99 31 µs  update 4.1 ms  boids 10000`."""
    fps = float(snapshot.get("fps_now") or snapshot.get("fps") or 0)
    parts = [f"frame {snapshot.get('frame', 0)}", f"{fps:.1f} fps"]
    deadline = snapshot.get("deadline_error_us") or {}
    if "p99" in deadline:
        parts.append(f"deadline p99 {deadline['p99']:.0f} µs")
    update = (snapshot.get("phases_ms") or {}).get("update")
    if update:
        parts.append(f"update {update['mean']:.1f} ms")
    parts += [f"{table} {rows}" for table, rows in (snapshot.get("agents") or {}).items()]
    parts.append(f"edits {snapshot.get('edit_count', 0)}")
    if snapshot.get("missed"):
        parts.append(f"missed {snapshot['missed']}{_causes(snapshot)}")
    if snapshot.get("dropped"):
        parts.append(f"dropped {snapshot['dropped']}")
    if snapshot.get("errors"):
        parts.append(f"errors {len(snapshot['errors'])}")
    state = snapshot.get("state", "running")
    return "  ".join([*parts, state] if state != "running" else parts)


def _causes(snapshot: Snapshot) -> str:
    causes = (snapshot.get("late") or {}).get("causes") or {}
    return f" ({', '.join(f'{cause} {count}' for cause, count in causes.items())})" if causes else ""
