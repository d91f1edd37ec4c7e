"""Versions: which program ran in which frame, for as far back as the history reaches."""

from __future__ import annotations

from instar.hmr.code import Program


class Versions:
    """The programs of the frames held; each is that of all frames until the next one.

    Args:
        program: The one that runs from frame 0 on.
    """

    def __init__(self, program: Program) -> None:
        self._since = [(0, program)]

    def __len__(self) -> int:
        return len(self._since)

    def at(self, frame: int) -> Program:
        """The program that ran in a frame that is held."""
        return next(program for since, program in reversed(self._since) if since <= frame)

    def add(self, frame: int, program: Program, oldest: int) -> None:
        """Have a program from a frame on; later ones are dropped, and those of frames before ``oldest`` alone."""
        self._since = [entry for entry in self._since if entry[0] <= frame]
        self._since.append((frame, program))
        while len(self._since) > 1 and self._since[1][0] <= oldest:
            self._since.pop(0)

    def begin_with(self, frame: int, program: Program) -> None:
        """Forget all others: the history begins anew at a frame, with a program."""
        self._since = [(frame, program)]
