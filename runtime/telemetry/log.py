"""A log: one line of JSON for each event, in a file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from instar.loop.outbox import Outbox
from instar.native import InstarError

_PATIENCE = 5.0


class LogError(InstarError):
    """A log that cannot be written."""


class EventLog:
    """Appends events to a file, each as one line that is written at once, by a thread of its own. A context manager."""

    def __init__(self, path: str | os.PathLike[str], scene: str, tell: Callable[[str], object]) -> None:
        """Make the file if it is not there.

        Args:
            path: The file; what it holds stays.
            scene: What each line calls the scene.
            tell: Shows people that it cannot be written any more.

        Raises:
            LogError: If it cannot be written.
        """
        self.path = Path(path).absolute()
        self._scene = scene
        self._tell = tell
        os.close(self._open())

    def __enter__(self) -> EventLog:
        self._descriptor = self._open()
        self._outbox: Outbox[tuple[datetime, Mapping[str, Any]]] = Outbox(self._write)
        return self

    def __exit__(self, *exc: object) -> None:
        """Write what is left."""
        written = self._outbox.flush(_PATIENCE)
        self._outbox.close()
        if written:  # or the writer still waits for a slow disk, with the file open
            os.close(self._descriptor)

    def put(self, event: Mapping[str, Any]) -> None:
        """Write an event, plain data, as the next line; never waits."""
        self._outbox.put((datetime.now().astimezone(), event))

    def _open(self) -> int:
        try:
            return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o666)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise LogError(
                f"{self.path}: the log cannot be written: {reason}. Nothing was started; name a file in a folder that "
                f"is there and that you may write to"
            ) from None

    def _write(self, entry: tuple[datetime, Mapping[str, Any]]) -> None:
        time, event = entry
        about = {"time": time.isoformat(timespec="milliseconds"), "scene": self._scene, "pid": os.getpid()}
        line = json.dumps({**about, **event}, ensure_ascii=False) + "\n"
        try:
            left = memoryview(line.encode("utf-8", "backslashreplace"))
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            self._tell(f"{self.path}: the log cannot be written any more: {error.strerror}. The run goes on without it")
            raise
