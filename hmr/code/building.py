"""Building: from changed files to a program that the world can take, without harm to what runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from instar.hmr.code.codebase import Codebase
from instar.hmr.code.compile.cache import UnitCache
from instar.hmr.code.compile.pieces.incremental import Incremental
from instar.hmr.code.compile.process import CompileHelper
from instar.hmr.code.errors import GOES_ON, EditError
from instar.hmr.code.load.effects import Effects
from instar.hmr.code.load.limit import LoadLimit
from instar.hmr.code.program import Program, drop
from instar.hmr.code.trial import Trial
from instar.native.errors import InstarError


class Builder:
    """Builds programs: compiled in one process, tried in another, loaded in this one.

    Attributes:
        incremental: compiles.
        cache: what was compiled.
    """

    def __init__(self, codebase: Codebase, check: Callable[[Program], None], on_stuck: Callable[[str], None]) -> None:
        """Prepares; `start` begins.

        Args:
            codebase: loads programs.
            check: raises InstarError if the world could not take a program.
            on_stuck: is told, for people, of a load that hangs although its trial did not.
        """
        self._codebase = codebase
        self._check = check
        self._helper = CompileHelper()
        self.incremental = Incremental(self._helper)
        self.cache = UnitCache(self.incremental.translate)
        self._trial = Trial()
        self._limit = LoadLimit(on_stuck)

    @property
    def notice(self) -> str | None:
        """What people should know of the trials; None if nothing."""
        return self._trial.notice

    def start(self, program: Program) -> None:
        """Starts the processes, beside a program that runs; returns when the one that compiles is warm."""
        self._trial.start(program.instances, program.chosen(program.values))
        self._helper.warm()

    def close(self) -> None:
        """Ends them."""
        self._helper.close()
        self._trial.close()
        self._limit.close()

    def build(self, head: Program, data: Mapping[Path, bytes]) -> Program:
        """Returns the program that `head` becomes by other contents of some files.

        Raises:
            InstarError: there is none, or the world could not take it; nothing is left behind.
        """
        program = head
        effects = Effects()
        try:
            with self._limit.watching():
                program = self._codebase.build(head, data, self.cache.compile, self._trial, effects)
            self._check(program)
        except InstarError:
            drop(program, head)
            effects.undo(found.module for found in program.instances.values() if program is not head)
            raise
        except Exception as error:
            drop(program, head)
            failure = EditError(f"Instar itself failed on this edit: {type(error).__name__}: {error}")
            failure.kept = GOES_ON
            raise failure from error
        return program

    def looks_whole(self, path: Path, data: bytes) -> bool:
        """Returns whether this could be the complete content of a file."""
        if path in self._codebase.files:
            return self._codebase.can_read(data)
        return self.cache.is_valid(path, data)
