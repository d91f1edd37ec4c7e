"""Versions: which program ran in which frame, for as far back as the history reaches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from instar.hmr.code import Program
from instar.hmr.state import FrameError

MOST_LOADED = 8
"""Programs that stay loaded; of those before them only the files are kept, which are loaded again when they are wanted."""
MOST_KEPT = 256
"""Programs that are kept at all: frames before the first of them cannot be returned to."""

Build = Callable[[Program, Mapping[Path, bytes]], Program]
"""Builds the program that another becomes by other contents of its files; raises EditError."""


@dataclass(slots=True)
class _Version:
    """A program and the first frame that it ran in; or what it was made of."""

    since: int
    program: Program | None
    number: int
    contents: Mapping[Path, bytes]

    @classmethod
    def of(cls, since: int, program: Program) -> _Version:
        return cls(since, program, program.number, {path: source.data for path, source in program.sources.items()})


class Versions:
    """The programs of the frames held; each is that of all frames until the next one.

    Args:
        program: The one that runs from frame 0 on.
        build: Loads a program again from its files.
    """

    def __init__(self, program: Program, build: Build) -> None:
        self._build = build
        self._kept = [_Version.of(0, program)]

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def oldest(self) -> int:
        """The first frame whose program is kept."""
        return self._kept[0].since

    def at(self, frame: int) -> Program:
        """The program that ran in a frame that is held.

        Raises:
            FrameError: If it is not kept.
            EditError: If it was long ago, and its files cannot be loaded any more.
        """
        if frame < self.oldest:
            raise FrameError(
                f"frame {frame} is held, but the code that ran in it is not, after {MOST_KEPT} edits. Nothing has changed; "
                f"frames from {self.oldest} on can be returned to"
            )
        version = next(one for one in reversed(self._kept) if one.since <= frame)
        if version.program is None:
            loaded = next(one.program for one in reversed(self._kept) if one.program is not None)
            version.program = replace(self._build(loaded, version.contents), number=version.number)
        return version.program

    def add(self, frame: int, program: Program, oldest: int) -> None:
        """Have a program from a frame on; later ones are dropped, and those of frames before ``oldest`` alone."""
        self.forget_after(frame)
        self._kept.append(_Version.of(frame, program))
        while len(self._kept) > 1 and (self._kept[1].since <= oldest or len(self._kept) > MOST_KEPT):
            self._kept.pop(0)
        for one in self._kept[:-MOST_LOADED]:
            one.program = None

    def forget_after(self, frame: int) -> None:
        """Forget the programs of frames after one that becomes the newest."""
        if self._kept[-1].since > frame:
            self._kept = [one for one in self._kept if one.since <= frame]

    def begin_with(self, frame: int, program: Program) -> None:
        """Forget all others: the history begins anew at a frame, with a program."""
        self._kept = [_Version.of(frame, program)]
