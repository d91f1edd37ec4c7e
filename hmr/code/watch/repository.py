"""The git repository around a scene: whether it is exchanging files right now."""

from __future__ import annotations

import time
from pathlib import Path

HOLD_SECONDS = 2.0
"""A lock that stays longer was left behind by a git that died, or belongs to one that waits for a person."""


class Repository:
    """The repository that a folder is in, if it is in one.

    While git exchanges the files of a working tree (checkout, stash, pull, each step of a rebase) its `index.lock` exists;
    it goes when all files are there. The lock of a linked worktree is in its own folder, which its `.git` file names.

    What a command that was quick has exchanged is known by its new index.

    Attributes:
        notice: a lock that is not waited for, for people; None if there is none.
    """

    def __init__(self, folder: Path) -> None:
        folder = folder.absolute()
        self._lock = next((lock for place in (folder, *folder.parents) if (lock := _lock_in(place))), None)
        self._index = self._index_now()
        self._stale: tuple[int, int] | None = None
        self._since: float | None = None
        self.notice: str | None = None

    def busy(self) -> bool:
        """Returns whether files are being exchanged: false once that has taken `HOLD_SECONDS`, until another lock comes."""
        identity = None if self._lock is None else _identity(self._lock)
        if identity is None or identity == self._stale:
            self._since = None
            if identity is None:
                self._stale = self.notice = None
            return False
        now = time.monotonic()
        if self._since is None:
            self._since = now
        if now - self._since < HOLD_SECONDS:
            return True
        self._stale, self._since = identity, None
        self.notice = (
            f"{self._lock} has been there for {HOLD_SECONDS:g} s, as if git were still exchanging files; edits no longer wait "
            f"for it. If no git command is running, remove it"
        )
        return False

    def was_busy(self) -> bool:
        """Returns whether a command has written the index since this was asked last: its files may still be on their way."""
        before, self._index = self._index, self._index_now()
        return before != self._index

    def _index_now(self) -> tuple[int, int] | None:
        return None if self._lock is None else _identity(self._lock.with_name("index"))


def _lock_in(folder: Path) -> Path | None:
    git = folder / ".git"
    try:
        if git.is_dir():
            return git / "index.lock"
        words = git.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    kind, _, place = words.strip().partition("gitdir: ")
    return None if kind or not place else folder / place / "index.lock"


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
