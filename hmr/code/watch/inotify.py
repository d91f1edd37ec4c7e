"""Saves on Linux, by watchdog's bindings of inotify(7).

watchdog's own observer holds all events back for up to half a second after a file was moved out of the folder, to see
whether it is moved in again. Here events are passed on as they come: a file is complete when its writer closes it or
when it is moved here, and being written from its first modification on.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import stat
import struct
from collections.abc import Collection
from functools import reduce
from operator import or_
from pathlib import Path

from watchdog.observers.inotify_c import InotifyConstants as In
from watchdog.observers.inotify_c import Mask, WatchDescriptor, inotify_add_watch, inotify_init, inotify_rm_watch

from instar.hmr.code.watch.feed import FeedLostError, Kind, Touch, is_package, is_watched
from instar.hmr.code.watch.links import targets
from instar.hmr.code.watch.temporary import is_temporary

_MASK = reduce(
    or_,
    (
        In.IN_MODIFY, In.IN_CLOSE_WRITE, In.IN_ATTRIB, In.IN_CREATE, In.IN_DELETE, In.IN_MOVED_FROM, In.IN_MOVED_TO,
        In.IN_DELETE_SELF, In.IN_MOVE_SELF, In.IN_ONLYDIR,
    ),
)  # fmt: skip
_KINDS = (
    (In.IN_CLOSE_WRITE | In.IN_MOVED_TO, Kind.WRITTEN),
    (In.IN_MODIFY, Kind.WRITING),
    (In.IN_CREATE | In.IN_ATTRIB, Kind.UNSURE),  # a link has no writer; a file may have become readable
    (In.IN_DELETE | In.IN_MOVED_FROM, Kind.GONE),
)
_HEADER = struct.Struct("iIII")
_BUFFER = 1 << 16
_MOST_READS = 64
"""What is read at once of events that never cease."""
_FILE_MASK = In.IN_MODIFY | In.IN_CLOSE_WRITE | In.IN_ATTRIB
_LIMITS = {
    errno.ENOSPC: "the limit of inotify watches is reached (raise it: sysctl fs.inotify.max_user_watches)",
    errno.EMFILE: "the limit of inotify instances is reached (raise it: sysctl fs.inotify.max_user_instances)",
}


class InotifyFeed:
    """Touches of the modules below a folder. Links to folders are followed, and those to files by their targets."""

    def __init__(self, root: Path, *, others: Collection[Path] = ()) -> None:
        """Watches a folder and those below it, for modules and for `others`.

        Raises:
            FeedLostError: a limit is reached, or the folder cannot be watched.
        """
        self._root = root
        self._others = others
        self._wake_read, self._wake_write = os.pipe()
        self._events = -1
        self._paths: dict[WatchDescriptor, Path] = {}
        self._links: dict[WatchDescriptor, dict[str, set[Path]]] = {}
        self._files: dict[WatchDescriptor, set[Path]] = {}
        try:
            self._begin([])
        except FeedLostError:
            self.close()
            raise

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that are watched; those that only hold targets of links are not counted."""
        return tuple(sorted(self._paths.values()))

    def wait(self, seconds: float | None) -> list[Touch]:
        """See `Feed.wait`."""
        touches: list[Touch] = []
        ready = self._ready(seconds)
        reads = 0
        while ready and reads < _MOST_READS:
            self._take(os.read(self._events, _BUFFER), touches)
            ready = self._ready(0)
            reads += 1
        return touches

    def wake(self) -> None:
        """See `Feed.wake`."""
        os.write(self._wake_write, b"!")

    def close(self) -> None:
        """See `Feed.close`."""
        for descriptor in (self._events, self._wake_read, self._wake_write):
            if descriptor >= 0:
                os.close(descriptor)
        self._events = self._wake_read = self._wake_write = -1

    def _begin(self, touches: list[Touch]) -> None:
        """Watches the whole tree anew and reports all its modules as unsure."""
        if self._events >= 0:
            os.close(self._events)
        self._paths.clear()
        self._links.clear()
        self._files.clear()
        self._events = inotify_init()
        if self._events < 0:
            raise _lost(ctypes.get_errno(), self._root)
        os.set_inheritable(self._events, False)
        self._poller = select.poll()
        self._poller.register(self._events, select.POLLIN)
        self._poller.register(self._wake_read, select.POLLIN)
        self._root_watch = self._watch(self._root, touches)
        if self._root_watch < 0:
            raise _lost(ctypes.get_errno(), self._root)

    def _ready(self, seconds: float | None) -> bool:
        """Returns whether there are events; false after so many seconds, or when woken."""
        found = self._poller.poll(None if seconds is None else seconds * 1000)
        if any(descriptor == self._wake_read for descriptor, _ in found):
            os.read(self._wake_read, _BUFFER)
            return False
        return bool(found)

    def _watch(self, folder: Path, touches: list[Touch]) -> WatchDescriptor:
        """Watches a folder and those below it, and reports what is in them: it may have come before the watch."""
        watch = inotify_add_watch(self._events, os.fsencode(folder), Mask(_MASK))
        if watch < 0:
            if (number := ctypes.get_errno()) in _LIMITS:
                raise _lost(number, folder)
            return watch  # it is gone again, or closed to us
        if self._paths.get(watch, folder) != folder:
            return watch  # a link to a folder that is watched under its own name
        self._paths[watch] = folder
        try:
            entries = list(os.scandir(folder))
        except OSError:
            return watch
        for entry in entries:
            if is_watched(folder / entry.name, self._others):
                touches.append(Touch(folder / entry.name, Kind.UNSURE))
                self._follow(folder / entry.name)
            elif is_package(entry.name) and entry.is_dir():
                self._watch(folder / entry.name, touches)
                self._follow(folder / entry.name)
        return watch

    def _follow(self, path: Path) -> None:
        """Watches what else decides on a module or folder: where its links lead, and a file that has other names."""
        try:
            status = path.lstat()
        except OSError:
            return
        if stat.S_ISLNK(status.st_mode):
            self._follow_link(path)
        elif stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
            watch = inotify_add_watch(self._events, os.fsencode(path), Mask(_FILE_MASK))
            if watch >= 0:
                self._files.setdefault(watch, set()).add(path)
            elif (number := ctypes.get_errno()) in _LIMITS:
                raise _lost(number, path)

    def _follow_link(self, link: Path) -> None:
        """Watches the folders in which it is decided where a link leads, for those names only."""
        for target in targets(link):
            watch = inotify_add_watch(self._events, os.fsencode(target.parent), Mask(_MASK))
            if watch >= 0:
                self._links.setdefault(watch, {}).setdefault(target.name, set()).add(link)
            elif (number := ctypes.get_errno()) in _LIMITS:
                raise _lost(number, target.parent)

    def _forget(self, gone: Path) -> None:
        """Watches a file or folder, and what is below it, no longer: it was moved, so its paths are wrong."""
        watched = self._paths.keys() | self._links.keys() | self._files.keys()
        files = {
            watch: {path for path in paths if not path.is_relative_to(gone)} for watch, paths in self._files.items()
        }
        self._files = {watch: paths for watch, paths in files.items() if paths}
        self._paths = {watch: path for watch, path in self._paths.items() if not path.is_relative_to(gone)}
        left: dict[WatchDescriptor, dict[str, set[Path]]] = {}
        for watch, names in self._links.items():
            for name, links in names.items():
                if kept := {link for link in links if not link.is_relative_to(gone)}:
                    left.setdefault(watch, {})[name] = kept
        self._links = left
        for watch in watched - self._paths.keys() - left.keys() - self._files.keys():
            inotify_rm_watch(self._events, watch)

    def _take(self, buffer: bytes, touches: list[Touch]) -> None:
        position = 0
        while position < len(buffer):
            watch, mask, _, length = _HEADER.unpack_from(buffer, position)
            position += _HEADER.size + length
            name = os.fsdecode(buffer[position - length : position].rstrip(b"\0"))
            if mask & In.IN_Q_OVERFLOW:
                touches.append(Touch(self._root, Kind.LOST))
                self._begin(touches)
                return
            self._take_event(WatchDescriptor(watch), mask, name, touches)

    def _take_event(self, watch: WatchDescriptor, mask: int, name: str, touches: list[Touch]) -> None:
        if watch == self._root_watch and mask & (In.IN_DELETE_SELF | In.IN_MOVE_SELF | In.IN_IGNORED | In.IN_UNMOUNT):
            raise FeedLostError(f"{self._root} was moved or deleted", passing=True)
        if mask & In.IN_IGNORED:
            for place in (self._paths, self._links, self._files):
                place.pop(watch, None)
            return
        for path in list(self._files.get(watch, ())):
            self._take_module(path, mask, touches)
        for link in list(self._links.get(watch, {}).get(name, ())):
            self._take_link(link, mask, touches)
        folder = self._paths.get(watch)
        if folder is not None and name:
            self._take_entry(folder / name, mask, touches)

    def _take_entry(self, path: Path, mask: int, touches: list[Touch]) -> None:
        """Reports an event of what is in a folder that is watched."""
        name = path.name
        if mask & In.IN_ISDIR or (is_package(name) and self._is_folder(path, mask)):
            self._take_folder(path, mask, touches)
        elif is_watched(path, self._others):
            if mask & (In.IN_DELETE | In.IN_MOVED_FROM | In.IN_MOVED_TO):
                self._forget(path)
            self._take_module(path, mask, touches)
        elif mask & In.IN_CLOSE_WRITE and is_temporary(name):
            touches.append(Touch(path, Kind.ASIDE))

    def _take_module(self, path: Path, mask: int, touches: list[Touch]) -> None:
        """Reports an event of a module, or of a file that it is a link to."""
        touches.extend(Touch(path, kind) for bits, kind in _KINDS if mask & bits)
        if mask & (In.IN_CREATE | In.IN_MOVED_TO | In.IN_ATTRIB):
            self._follow(path)

    def _take_link(self, link: Path, mask: int, touches: list[Touch]) -> None:
        """Reports an event of what decides where a link leads."""
        if is_watched(link, self._others):
            self._take_module(link, mask, touches)
        elif mask & (In.IN_CREATE | In.IN_MOVED_TO | In.IN_DELETE | In.IN_MOVED_FROM):
            self._forget(link)
            touches.append(Touch(link, Kind.GONE))
            if link.is_dir():
                self._watch(link, touches)
            self._follow(link)

    def _is_folder(self, path: Path, mask: int) -> bool:
        """Returns whether an event of what is no folder itself is one of a folder: a link to one came or went."""
        if mask & (In.IN_CREATE | In.IN_MOVED_TO):
            return path.is_dir()
        return bool(mask & (In.IN_DELETE | In.IN_MOVED_FROM)) and path in self._paths.values()

    def _take_folder(self, path: Path, mask: int, touches: list[Touch]) -> None:
        if mask & (In.IN_MOVED_FROM | In.IN_DELETE):
            self._forget(path)
            touches.append(Touch(path, Kind.GONE))
        elif mask & (In.IN_CREATE | In.IN_MOVED_TO) and is_package(path.name):
            self._forget(path)
            self._watch(path, touches)
            self._follow(path)


def _lost(number: int, folder: Path) -> FeedLostError:
    return FeedLostError(_LIMITS.get(number, f"{folder} cannot be watched: {os.strerror(number)}"))
