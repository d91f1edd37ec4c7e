"""What the different ways to notice saves have in common."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from enum import Enum
from pathlib import Path
from typing import NamedTuple, Protocol


class Kind(Enum):
    """What happened to a file.

    Attributes:
        WRITTEN: it was closed after writing or moved here, so it is complete.
        WRITING: it was modified and its writer has yet to close it.
        UNSURE: it changed or appeared, and nothing says whether it is complete.
        GONE: it, or the folder of that name, was deleted or moved away.
        ASIDE: a file that is no module but may become one was closed after writing.
        LOST: events were lost; all that is there is told anew, and what was being written may be complete by now.
    """

    WRITTEN = 0
    WRITING = 1
    UNSURE = 2
    GONE = 3
    ASIDE = 4
    LOST = 5


class Touch(NamedTuple):
    """Something that happened to a file."""

    path: Path
    kind: Kind


class FeedLostError(Exception):
    """Events cannot be had, or no longer; the text says why, for people.

    Attributes:
        passing: whether they can be had again when the folder is back.
    """

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.passing = passing


class Feed(Protocol):
    """A source of touches, read by one thread."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that are watched."""

    def wait(self, seconds: float | None) -> list[Touch]:
        """Returns what happened, in order, as soon as something did; nothing after so many seconds, or when woken.

        Raises:
            FeedLostError: nothing more will be heard.
        """

    def wake(self) -> None:
        """Has `wait` return, from any thread."""

    def close(self) -> None:
        """Gives everything back; called by the reading thread, or after it has ended."""


def is_module(name: str) -> bool:
    """Returns whether a file of that name can be a module; editors' swap and backup files cannot."""
    return name.endswith(".py") and name[:-3].isidentifier()


def is_package(name: str) -> bool:
    """Returns whether modules can be in a folder of that name."""
    return name.isidentifier() and name != "__pycache__"


def is_watched(path: Path, others: Collection[Path]) -> bool:
    """Returns whether a file is watched: it can be a module, or is one of `others`."""
    return is_module(path.name) or path in others


def modules_below(folder: Path, others: Collection[Path] = ()) -> Iterator[Path]:
    """Yields the files below a folder that can be modules, and those of `others` that are there.

    Links to folders are followed, circles are not.
    """
    waiting = [folder]
    seen = set()
    while waiting:
        current = waiting.pop()
        try:
            identity = current.stat()
            entries = list(os.scandir(current))
        except OSError:
            continue
        if (identity.st_dev, identity.st_ino) in seen:
            continue
        seen.add((identity.st_dev, identity.st_ino))
        for entry in entries:
            if is_watched(current / entry.name, others):
                yield current / entry.name
            elif is_package(entry.name) and entry.is_dir():
                waiting.append(current / entry.name)
