"""A world saved every so often while it runs, by a thread that no frame waits for."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from instar.hmr.state import Checkpoint, CheckpointError
from instar.native import InstarError


class Autosave:
    """Saves checkpoints to one file, never two at once; what goes wrong is told once and ends nothing.

    Attributes:
        path: The file.
        error: Why the last save failed; None if it did not.
    """

    def __init__(
        self, path: Path, every_ns: int, take: Callable[[], Checkpoint], tell: Callable[[str], object]
    ) -> None:
        """Makes the file's folder.

        Args:
            path: The file.
            every_ns: The time between saves.
            take: Takes a checkpoint of the committed world.
            tell: Shows a message to people.

        Raises:
            CheckpointError: If there can be no such folder.
        """
        self.path = path
        self.error: str | None = None
        self._every_ns = every_ns
        self._take = take
        self._tell = tell
        self._due: int | None = None
        self._worker = ThreadPoolExecutor(1, "instar-autosave")
        self._running: Future[None] | None = None
        self._saves = 0
        self._frame: int | None = None
        self._seconds = 0.0
        _make_folder(path.parent)

    def maintain(self, now: int) -> None:
        """Begin a save if one is due, and hear how the last one went; called by the frame thread, never waits.

        Args:
            now: The clock's time in ns.
        """
        if self._running is not None:
            if not self._running.done():
                return
            self._conclude(self._running)
        if self._due is None:
            self._due = now + self._every_ns
        elif now >= self._due:
            self._due = now + self._every_ns
            self._begin()

    def finish(self) -> None:
        """Save the committed world a last time and wait for it."""
        if self._running is not None:
            self._conclude(self._running)
        self._begin()
        if self._running is not None:
            self._conclude(self._running)

    def document(self) -> dict[str, Any]:
        """What it did, for the report: the file, the frame in it, how often and how long the last save took."""
        return {
            "path": str(self.path),
            "frame": self._frame,
            "saves": self._saves,
            "seconds": round(self._seconds, 6),
            "every_s": self._every_ns / 1e9,
            "error": self.error,
        }

    def _begin(self) -> None:
        try:
            checkpoint = self._take()
        except CheckpointError as error:
            self._fail(error)
            return
        if checkpoint.frame != self._frame:
            self._running = self._worker.submit(self._save, checkpoint)

    def _save(self, checkpoint: Checkpoint) -> None:
        began = time.perf_counter()
        checkpoint.save(self.path)
        self._frame, self._seconds = checkpoint.frame, time.perf_counter() - began
        self._saves += 1

    def _conclude(self, running: Future[None]) -> None:
        self._running = None
        try:
            running.result()
        except InstarError as error:
            self._fail(error)
        else:
            self.error = None

    def _fail(self, error: InstarError) -> None:
        if str(error) != self.error:
            self._tell(f"autosave failed: {error}. The run goes on, and saving is tried again")
        self.error = str(error)


def _make_folder(folder: Path) -> None:
    """Make the folder, of which version control is to keep nothing."""
    try:
        folder.mkdir(exist_ok=True)
        (folder / ".gitignore").write_text("*\n", encoding="ascii")
    except OSError as error:
        raise CheckpointError(
            f"{folder} cannot be written to ({error.strerror}), so that nothing could be saved. Nothing was started; run a "
            f"copy of the scene in a folder of your own, or run without --autosave"
        ) from None
