"""Saves on systems where watchdog has events, but none that says that a file is complete (macOS)."""

from __future__ import annotations

import os
import queue
from collections.abc import Collection
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from instar.hmr.code.watch.feed import FeedLostError, Kind, Touch, is_package, is_watched, modules_below
from instar.hmr.code.watch.polling import INTERVAL, mark_of
from instar.hmr.code.watch.temporary import is_temporary

_NOTHING_NEW = {"opened", "closed_no_write"}


class ObserverFeed(FileSystemEventHandler):
    """Touches of the modules below a folder, as the system's watchdog observer tells them.

    It tells nothing of files that modules are links to: those are looked for.
    """

    def __init__(self, root: Path, *, others: Collection[Path] = ()) -> None:
        """Watches a folder and those below it, for modules and for `others`.

        Raises:
            FeedLostError: the folder cannot be watched.
        """
        self._root = root
        self._others = others
        self._real = Path(os.path.realpath(root))
        self._events: queue.SimpleQueue[FileSystemEvent | None] = queue.SimpleQueue()
        self._observer = Observer()
        self._links: dict[Path, tuple[int, ...] | None] = {}
        try:
            self._observer.schedule(self, str(self._real), recursive=True)
            self._observer.start()
        except OSError as error:
            raise FeedLostError(f"{root} cannot be watched: {error}") from None
        for path in modules_below(root, others):
            self._note_link(path)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that are watched."""
        return tuple(sorted({self._root, *(path.parent for path in modules_below(self._root, self._others))}))

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Called by the observer's thread."""
        self._events.put(event)

    def wait(self, seconds: float | None) -> list[Touch]:
        """See `Feed.wait`."""
        touches: list[Touch] = []
        if self._links:
            seconds = INTERVAL if seconds is None else min(seconds, INTERVAL)
        try:
            event = self._events.get(timeout=seconds) if seconds != 0 else self._events.get_nowait()
            while event is not None:
                self._take(event, touches)
                event = self._events.get_nowait()
        except queue.Empty:
            pass
        for path, before in self._links.items():
            if (mark := mark_of(path)) != before:
                self._links[path] = mark
                touches.append(Touch(path, Kind.GONE if mark is None else Kind.UNSURE))
        return touches

    def wake(self) -> None:
        """See `Feed.wake`."""
        self._events.put(None)

    def close(self) -> None:
        """See `Feed.close`."""
        self._observer.stop()
        self._observer.join()

    def _take(self, event: FileSystemEvent, touches: list[Touch]) -> None:
        if event.event_type in _NOTHING_NEW:
            return
        if event.event_type in ("deleted", "moved"):
            self._touch(event.src_path, Kind.GONE, touches)
        if event.event_type == "moved":
            self._touch(event.dest_path, Kind.UNSURE, touches)
        elif event.event_type != "deleted":
            self._touch(event.src_path, Kind.UNSURE, touches)

    def _touch(self, place: bytes | str, kind: Kind, touches: list[Touch]) -> None:
        real = Path(os.fsdecode(place))
        if not real.is_relative_to(self._real):
            return
        inside = real.relative_to(self._real)
        path = self._root / inside
        if not all(is_package(part) for part in inside.parts[:-1]):
            return
        if kind is not Kind.GONE and inside.parts and is_temporary(path.name):
            touches.append(Touch(path, Kind.ASIDE))
        elif kind is Kind.GONE or (inside.parts and is_watched(path, self._others)):
            self._note_link(path)
            touches.append(Touch(path, kind))
        elif not inside.parts or is_package(path.name):
            for module in modules_below(path, self._others):
                self._note_link(module)
                touches.append(Touch(module, kind))

    def _note_link(self, path: Path) -> None:
        if path.is_symlink():
            self._links.setdefault(path, mark_of(path))
        else:
            self._links.pop(path, None)
