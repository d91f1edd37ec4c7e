"""The watcher: tells of each save once, with the complete content, as soon as it is complete."""

from __future__ import annotations

import platform
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from instar.hmr.code.compile.source import digest_of
from instar.hmr.code.watch.both import BothFeed
from instar.hmr.code.watch.feed import Feed, FeedLostError, Kind, Touch, modules_below
from instar.hmr.code.watch.mounts import hears, remote_kind
from instar.hmr.code.watch.polling import PollingFeed
from instar.hmr.code.watch.reading import BeingWrittenError, read_as_it_is, read_closed, read_whole
from instar.hmr.code.watch.temporary import MOST_BYTES

SETTLED_SECONDS = 0.015
"""A file that nothing calls complete is so when it was the same twice, so far apart, and compiles."""
STALE_SECONDS = 0.3
"""One that does not compile is taken as complete when it was the same for so long; others wait so long for its writer."""
KEPT_OPEN_SECONDS = 2.0
"""A file that its writer neither closes nor writes to for so long is looked at all the same."""


@dataclass(frozen=True, slots=True)
class Change:
    """New content of a file.

    Attributes:
        path: the file, below the folder as it was given.
        data: its complete content; never empty.
        digest: the name of the content.
        event_ns: when the save was noticed, `time.monotonic_ns`.
    """

    path: Path
    data: bytes
    digest: str
    event_ns: int


@dataclass(slots=True)
class _Guess:
    """A file that may be incomplete: its content when last read, since when it is the same, and when to look again.

    `written` is whether somebody had it open for writing then.
    """

    event_ns: int
    written: bool = False
    begun: float = field(default_factory=time.monotonic)
    digest: str | None = None
    since: float = 0.0
    due: float = 0.0


class Watcher:
    """Watches the modules below a folder, in a thread of its own.

    A save is told when its writer closes the file or a file is moved to its name, whatever the editor does. Content
    decides: a save that changes nothing, a change of times and an empty file are none. A deleted file is forgotten,
    so that its return is told. Where the system does not tell that a file is complete, it is read until it is the same
    twice; where there are no events, it is looked for. What is complete while another file is being written is told with
    that: they may be saved together, or again. A context manager.

    Attributes:
        mode: "events", or "polling" where there are none.
        notice: why there are none and what to do, for people; None if there are.
    """

    def __init__(
        self,
        root: Path,
        on_change: Callable[[list[Change]], None],
        *,
        known: Mapping[Path, str] | None = None,
        complete: Callable[[Path, bytes], bool] | None = None,
        others: Collection[Path] = (),
        on_gone: Callable[[Path], None] | None = None,
        on_aside: Callable[[Path, bytes], None] | None = None,
        polling: bool = False,
    ) -> None:
        """Prepares; `start` begins.

        Args:
            root: the folder.
            on_change: called in the watcher's thread with the saves noticed together.
            known: digests of files as somebody has read them before; files that differ by now are told at once.
            complete: whether content that may be cut off looks whole; consulted where the system does not tell.
            others: files below the folder to watch besides those that can be modules.
            on_gone: called in the watcher's thread when a file was emptied, or it or a folder was deleted or moved away.
            on_aside: called in the watcher's thread with a file that may be moved to a module's name soon, and its content.
            polling: do without events.
        """
        self.mode: Literal["events", "polling"] = "polling" if polling else "events"
        self.notice: str | None = None
        self._root = root
        self._others = frozenset(others)
        self._on_change = on_change
        self._on_gone = on_gone or (lambda _: None)
        self._known = dict(known or {})
        self._complete = complete or (lambda *_: True)
        self._feed: Feed = PollingFeed(root, others=self._others)
        self._on_aside = on_aside
        self._aside: set[Path] = set()
        self._written: dict[Path, int] = {}
        self._writing: dict[Path, float] = {}
        self._lost: FeedLostError | None = None
        self._unsure: dict[Path, _Guess] = {}
        self._held: list[Change] = []
        self._held_until = 0.0
        self._stopping = False
        self._told_elsewhere: deque[Change] = deque()
        self._settling: deque[Callable[[bool], None]] = deque()
        self._thread = threading.Thread(target=self._run, name="instar-watcher", daemon=True)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that are watched now."""
        return self._feed.folders

    def start(self) -> None:
        """Begins; every save from now on is told."""
        if self.mode == "events":
            try:
                self._feed = _open_feed(self._root, self._others)
                self.notice = _remote_notice(self._root)
            except FeedLostError as error:
                self._poll_from_now(error)
        for path in modules_below(self._root, self._others):
            data = read_as_it_is(path)
            if data and self._known.setdefault(path, digest_of(data)) != digest_of(data):  # saved since it was loaded
                self._unsure[path] = _Guess(time.monotonic_ns())
        if self.mode == "polling":
            self._absorb(self._feed.wait(0))  # what it finds deleted later is what it sees now
        self._thread.start()

    def close(self) -> None:
        """Ends; returns when the thread has."""
        self._stopping = True
        if self._thread.ident is not None:
            self._feed.wake()
            self._thread.join()
        self._feed.close()
        self._answer()

    def know(self, changes: Iterable[Change]) -> None:
        """Takes note of contents that somebody else tells of, from any thread; they are not told again."""
        self._told_elsewhere.extend(changes)

    def settle(self, done: Callable[[bool], None]) -> None:
        """Has `done` called, in the watcher's thread, when all saves made before this call are told, or wait for a writer.

        It is called with whether files are still being written.
        """
        self._settling.append(done)
        self._feed.wake()

    def __enter__(self) -> Watcher:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._turn()
            except FeedLostError as error:
                self._poll_from_now(error)

    def _turn(self) -> None:
        """Waits until something happens, and tells of what came of it."""
        self._absorb(self._feed.wait(self._patience()))
        changes = self._complete_ones()
        self._hear_again()
        if changes:
            self._on_change(changes)
        elif self._aside:
            self._tell_aside()
        elif self._settling:
            self._settle()

    def _complete_ones(self) -> list[Change]:
        """Returns what is to be told: all that is complete, unless a file is just being written."""
        changes = self._read_written() + self._read_unsure()
        if changes and not self._held:
            self._held_until = time.monotonic() + STALE_SECONDS
        self._held += changes
        if self._being_written() and time.monotonic() < self._held_until:
            return []
        changes, self._held = self._held, []
        return changes

    def _being_written(self) -> bool:
        return bool(self._writing or self._written) or any(guess.written for guess in self._unsure.values())

    def _tell_aside(self) -> None:
        """Tells of files that may become modules; those that have by now are gone from where they were."""
        for path in self._aside:
            data = read_as_it_is(path, MOST_BYTES)
            if data and self._on_aside is not None:
                self._on_aside(path, data)
        self._aside.clear()

    def _settle(self) -> None:
        """Hears what was there when it was asked for, and answers; a wake may have come before that."""
        self._absorb(self._feed.wait(0))
        if not self._written:
            self._answer()

    def _answer(self) -> None:
        busy = bool(self._writing or self._unsure)
        while self._settling:
            self._settling.popleft()(busy)

    def _poll_from_now(self, reason: FeedLostError) -> None:
        self._lost = reason
        self.mode = "polling"
        self.notice = f"no events: {reason}; looking for saves 4 times a second instead"
        lost, self._feed = self._feed, PollingFeed(self._root, others=self._others)
        lost.close()
        self._look_anew()

    def _hear_again(self) -> None:
        """Goes back to events where the folder that was lost is back."""
        if self._lost is None or not self._lost.passing or not self._root.is_dir():
            return
        try:
            feed = _open_feed(self._root, self._others)
        except FeedLostError as error:
            self._lost = error
            return
        self._lost = None
        lost, self._feed = self._feed, feed
        lost.close()
        self.mode, self.notice = "events", _remote_notice(self._root)
        self._look_anew()

    def _look_anew(self) -> None:
        """Forgets what was heard of files that are gone or were being written, and looks at all that are there."""
        self._writing.clear()
        for path in [path for path in self._known if not path.exists()]:
            self._forget(path)
        for path in modules_below(self._root, self._others):
            self._unsure.setdefault(path, _Guess(time.monotonic_ns()))

    def _patience(self) -> float | None:
        if self._written or self._settling or self._aside or (self._held and not self._being_written()):
            return 0.0
        if not self._unsure and not self._writing:
            return None
        due = min([*(guess.due for guess in self._unsure.values()), *self._writing.values()])
        due = min(due, self._held_until) if self._held else due
        return max(0.0, due - time.monotonic())

    def _absorb(self, touches: list[Touch]) -> None:
        now = time.monotonic_ns()
        for path, kind in touches:
            if kind is Kind.WRITTEN:
                self._writing.pop(path, None)
                self._unsure.pop(path, None)
                self._written.setdefault(path, now)
            elif kind is Kind.WRITING:
                self._written.pop(path, None)
                self._unsure.pop(path, None)
                self._writing[path] = time.monotonic() + KEPT_OPEN_SECONDS
            elif kind is Kind.UNSURE and path not in self._written and path not in self._writing:
                self._unsure.setdefault(path, _Guess(now)).due = 0.0
            elif kind is Kind.ASIDE:
                self._aside.add(path)
            elif kind is Kind.GONE:
                self._forget(path)
            elif kind is Kind.LOST:
                self._look_anew()

    def _forget(self, gone: Path) -> None:
        self._on_gone(gone)
        for place in (self._known, self._written, self._unsure, self._writing):
            for path in [path for path in place if path.is_relative_to(gone)]:
                del place[path]
        self._held = [change for change in self._held if not change.path.is_relative_to(gone)]

    def _read_written(self) -> list[Change]:
        """Reads complete files; those that are written to again by now are left to their next event."""
        if not self._written:
            return []
        reads = []
        for path, event_ns in self._written.items():
            try:
                reads.append((path, event_ns, read_closed(path)))
            except BeingWrittenError:
                self._unsure[path] = _Guess(event_ns, written=True)  # to be told when it is closed, or stays the same
        self._written.clear()
        self._absorb(self._feed.wait(0))
        changes = []
        for path, event_ns, data in reads:
            if path in self._written:
                self._written[path] = event_ns
            elif path not in self._writing and data is not None and b"\0" in data:
                self._unsure[path] = _Guess(
                    event_ns
                )  # room for what its writer has yet to put there, through a mapping
            elif path not in self._writing:
                changes += self._change(path, data, event_ns)
        return changes

    def _read_unsure(self) -> list[Change]:
        """Reads files that may be incomplete, and takes those that have stayed the same."""
        changes = []
        now = time.monotonic()
        for path in [path for path, due in self._writing.items() if due <= now]:
            del self._writing[path]
            self._unsure[path] = _Guess(time.monotonic_ns(), begun=now - STALE_SECONDS)
        for path, guess in [(path, guess) for path, guess in self._unsure.items() if guess.due <= now]:
            try:
                data = read_whole(path)
                guess.written = False
            except BeingWrittenError:
                guess.written = now - guess.begun < STALE_SECONDS
                if guess.written:
                    guess.due = now + SETTLED_SECONDS
                    continue
                data = read_as_it_is(path)  # somebody keeps it open for good
            digest = digest_of(data) if data else None
            if data == b"":
                self._forget(path)
            elif data is None or digest is None or self._known.get(path) == digest:
                del self._unsure[path]
            elif digest != guess.digest:
                guess.digest, guess.since, guess.due = digest, now, now + SETTLED_SECONDS
            elif now - guess.since >= STALE_SECONDS or self._complete(path, data):
                del self._unsure[path]
                changes += self._change(path, data, guess.event_ns)
            else:
                guess.due = guess.since + STALE_SECONDS
        return changes

    def _change(self, path: Path, data: bytes | None, event_ns: int) -> list[Change]:
        if not data:
            if data is not None:
                self._forget(path)
            return []
        while self._told_elsewhere:
            told = self._told_elsewhere.popleft()
            self._known[told.path] = told.digest
        digest = digest_of(data)
        if self._known.get(path) == digest:
            return []
        self._known[path] = digest
        return [Change(path, data, digest, event_ns)]


def _open_feed(root: Path, others: Collection[Path]) -> Feed:
    feed: Feed
    if platform.system() == "Linux":
        from instar.hmr.code.watch.inotify import InotifyFeed  # noqa: PLC0415 - only there

        feed = InotifyFeed(root, others=others)
    else:
        from instar.hmr.code.watch.observer import ObserverFeed  # noqa: PLC0415 - the other systems

        feed = ObserverFeed(root, others=others)
    if not hears(feed, root):
        feed.close()
        raise FeedLostError(f"a file that was written in {root} was not told of")
    return feed if remote_kind(root) is None else BothFeed(feed, root, others=others)


def _remote_notice(root: Path) -> str | None:
    kind = remote_kind(root)
    if kind is None:
        return None
    return f"{root} is on a {kind} file system, which does not tell what others save; looking for that 4 times a second too"
