"""Steps of the storm: what is done to the files, and what they hold after each moment of it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import saves
from belief import Disk, Moment
from contents import Content


@dataclass(frozen=True)
class Save:
    """A content is saved, in some way, after a pause."""

    content: Content
    way: str
    pause: float
    seed: int

    def do(self, scene: Path) -> int:
        time.sleep(self.pause)
        path = scene / self.content.file
        path.parent.mkdir(exist_ok=True)
        way, _ = saves.WAYS[self.way]
        return way(path, self.content.data, Random(self.seed))

    def __str__(self) -> str:
        return f"{self.content.file} := {self.content.tag} {self.way}"


@dataclass(frozen=True)
class Checkout:
    """`git checkout` of a branch in which several files have another content."""

    contents: tuple[Content, ...]
    pause: float

    def do(self, scene: Path) -> int:
        _commit(scene, "before", "-A")
        changed = [f"100644,{_blob(scene, content.data)},{content.file}" for content in self.contents]
        index = {"GIT_INDEX_FILE": str(scene / ".git" / "storm-index")}
        _git(scene, "read-tree", "HEAD", env=index)
        _git(scene, "update-index", "--add", *(part for one in changed for part in ("--cacheinfo", one)), env=index)
        tree = _git(scene, "write-tree", env=index)
        commit = _git(scene, "commit-tree", tree, "-p", "HEAD", "-m", "after")
        time.sleep(self.pause)
        _git(scene, "checkout", "-q", commit)
        return time.monotonic_ns()

    def __str__(self) -> str:
        return "git checkout " + ", ".join(f"{one.file} := {one.tag}" for one in self.contents)


@dataclass(frozen=True)
class Act:
    """Something that happens to a file, or to a folder, and is no save."""

    what: str
    file: str
    pause: float
    seed: int

    def do(self, scene: Path) -> int:
        time.sleep(self.pause)
        ACTS[self.what](scene / self.file, Random(self.seed))
        return time.monotonic_ns()

    def __str__(self) -> str:
        return f"{self.what} {self.file}"


Action = Save | Checkout | Act


@dataclass(frozen=True)
class Step:
    """Something that a person does, or several things at once.

    Attributes:
        number: its place in the storm.
        kind: what people would call it.
        actions: what is done.
        moments: what is saved and deleted, one after the other.
        before: the contents of all files before.
        after: the contents of all files afterwards.
        expects: what the oracle must know beyond that: "fault", "refusal".
    """

    number: int
    kind: str
    actions: Sequence[Action]
    moments: Sequence[Moment] = field(repr=False)
    before: Disk = field(repr=False)
    after: Disk = field(repr=False)
    expects: str | None = None

    @property
    def contents(self) -> list[Content]:
        """The contents that are saved, in order."""
        return [content for moment in self.moments if not moment.again for content in moment.saved]

    @property
    def saves(self) -> int:
        """How many files are saved."""
        return len(self.contents)


def _delete(path: Path, _moments: Random) -> None:
    path.unlink(missing_ok=True)


def _move_away(path: Path, _moments: Random) -> None:
    path.replace(path.parents[1] / "moved-away")


def _move_back(path: Path, _moments: Random) -> None:
    (path.parents[1] / "moved-away").replace(path)


ACTS: dict[str, Callable[[Path, Random], None]] = {
    "touch": saves.touch,
    "litter": saves.litter,
    "chmod": saves.chmod,
    "delete": _delete,
    "move away": _move_away,
    "move back": _move_back,
}


def begin_git(scene: Path) -> None:
    """Makes the scene's folder a repository."""
    _git(scene, "init", "-q")
    _git(scene, "config", "gc.auto", "0")
    (scene / ".git" / "info" / "exclude").write_text(
        "*~\n*.bak\n*.orig\n*.tmp\n.*\n#*\n__pycache__\n", encoding="utf-8"
    )
    _commit(scene, "first", "-A")


def _commit(scene: Path, message: str, *options: str) -> None:
    _git(scene, "add", *options)
    _git(scene, "commit", "-q", "--allow-empty", "-m", message)


def _blob(scene: Path, data: bytes) -> str:
    return _git(scene, "hash-object", "-w", "--stdin", data=data)


def _git(scene: Path, *args: str, data: bytes | None = None, env: dict[str, str] | None = None) -> str:
    who = {f"GIT_{role}_{what}": "storm" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["git", *args], cwd=scene, input=data or b"", capture_output=True, check=True,
        env={**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, **(env or {})},
    )  # fmt: skip
    return done.stdout.decode().strip()
