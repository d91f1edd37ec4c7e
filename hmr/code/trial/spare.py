"""A second trial process, kept ready to take the place of the first."""

from __future__ import annotations

import threading
from collections.abc import Callable

from instar.hmr.code.trial.worker import Death, Worker

AFTER_SECONDS = 0.5
"""How long after it is wanted it is started: the edit that was just tried goes first."""


_MOST_DEATHS = 3
"""How many may die of what they shall execute: the next one is spared that."""


class Spare:
    """At most one process, started and warmed in a thread of its own, so that nobody waits when it is needed."""

    def __init__(self, start: Callable[[], Worker], warm: Callable[[Worker], None]) -> None:
        """Prepares; `want` begins.

        Args:
            start: starts a process; may raise OSError.
            warm: has it execute what runs; may raise Death, and then another one is tried.
        """
        self._start = start
        self._warm = warm
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._worker: Worker | None = None
        self._is_warm = False
        self._is_coming = False

    @property
    def pid(self) -> int | None:
        """The process, None while there is none that is warm."""
        worker = self._worker
        return worker.pid if worker is not None and self._is_warm else None

    def want(self) -> None:
        """Has one come up unless there is one, or one is coming."""
        with self._changed:
            if self._worker is None and not self._is_coming and not self._closing.is_set():
                self._is_coming = True
                self._thread = threading.Thread(target=self._make, name="instar-trial-spare", daemon=True)
                self._thread.start()

    def take(self) -> Worker | None:
        """Returns the process, which belongs to the caller now; None if there is none.

        One that is just being warmed is waited for.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._worker is None or self._is_warm)
            worker, self._worker, self._is_warm = self._worker, None, False
        return worker

    def close(self) -> None:
        """Ends it, and the thread."""
        self._closing.set()
        with self._changed:
            if self._worker is not None:
                self._worker.kill()
        if self._thread is not None:
            self._thread.join()
        worker = self.take()
        if worker is not None:
            worker.end()

    def _make(self) -> None:
        if not self._closing.wait(AFTER_SECONDS):
            for _ in range(_MOST_DEATHS):
                if self._try():
                    return
        with self._changed:
            self._is_coming = False

    def _try(self) -> bool:
        """Starts one and warms it; returns whether it is there."""
        with self._changed:
            if self._closing.is_set():
                return False
            try:
                worker = self._worker = self._start()
            except OSError:  # the first process tells people, if it cannot be started either
                return False
        is_warm = False
        try:
            self._warm(worker)
            is_warm = True
        except Death:
            worker.end()
        finally:
            with self._changed:
                self._worker, self._is_warm = worker if is_warm else None, is_warm
                self._is_coming = not is_warm
                self._changed.notify_all()
        return is_warm
