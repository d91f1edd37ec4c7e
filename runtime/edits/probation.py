"""Probation: the first frames of an edit, in which faults bring back the version before it, bad values the world."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from instar.faults import EditFault, HookFault
from instar.hmr.code import Program
from instar.hmr.state import BadValue, FrameError, Mark, MigrationError, StateManager
from instar.native import HistoryError

FRAMES = 60
"""Committed frames that an edit is on probation."""
SLOW_FRAMES = 3
"""Frames in a row over the budget that make a breach of it: one alone may be the machine's."""


@dataclass(frozen=True, slots=True)
class Undone:
    """An edit that was undone.

    Attributes:
        program: What it had made of the scene's code.
        error: Why, and what was kept.
    """

    program: Program
    error: EditFault


class Probation:
    """One edit in its first frames.

    Attributes:
        before: The program that comes back if it fails.
        program: The program on probation.
        since: The frame after which it was swapped in.
        resting: The modules that were quarantined before it, with their faults.
        modules: The modules that it changed.
        unmade: The modules that it added, once the world is as it was without them.
    """

    def __init__(self, mark: Mark, before: Program, program: Program, resting: Mapping[str, HookFault]) -> None:
        """Begin, when the tables have taken the schemas of a new program.

        Args:
            mark: The frame as it was before.
            before: The program that ran.
            program: The program that runs from now on.
            resting: The modules that are quarantined.
        """
        self.before = before
        self.program = program
        self.since = mark.frame
        self.resting = dict(resting)
        self.modules = frozenset(
            name for name, version in program.modules.items() if before.modules.get(name) is not version
        )
        self._mark = mark
        self._slow = 0
        self.unmade: frozenset[str] = frozenset()
        mark.watch()

    def is_over(self, frame: int) -> bool:
        """Whether it has lasted its frames, or the world has gone back to before it."""
        return not self.since <= frame < self.since + FRAMES

    def end(self) -> None:
        """Keep nothing any more: the edit is confirmed."""
        self._mark.release()

    def bad_value(self) -> BadValue | None:
        """What the frame committed last has made bad; None if nothing."""
        return self._mark.fault()

    def is_slow(self, ms: float, budget_ms: float) -> bool:
        """Whether with this frame, whose hooks took so long, a budget is breached."""
        self._slow = self._slow + 1 if ms > budget_ms else 0
        return self._slow >= SLOW_FRAMES

    def undo_world(self) -> bool:
        """Return the world to what it was before the edit; False, with nothing changed, if that is out of reach.

        Raises:
            DamageError: If what would come back is damaged.
        """
        try:
            self._mark.undo()
        except (FrameError, HistoryError):
            return False
        self.unmade = self.modules - self.before.modules.keys()
        return True

    def undo_code(self, state: StateManager) -> bool:
        """Have the tables take the schemas of the program before, with the values they have now.

        Returns:
            Whether they could; if not, the world has returned to what it was before the edit.

        Raises:
            MigrationError: If neither can be done; nothing has changed.
        """
        if state.frame == self.since and self.undo_world():
            return True
        with suppress(MigrationError):
            if not self._mark.mixes_frames:
                state.migrate(self.before.schemas)
                self._mark.release()
                return True
        if not self.undo_world():
            raise MigrationError(f"frame {self.since} is no longer held, and the tables cannot take the schemas it had")
        return False

    def files(self, home: Path) -> list[str]:
        """The files that the edit changed, relative to a folder."""
        old, new = self.before.sources, self.program.sources
        changed = {
            path for path in {*old, *new} if path not in old or path not in new or old[path].digest != new[path].digest
        }
        return sorted(path.relative_to(home).as_posix() for path in changed)

    def may_be_innocent(self, fault: HookFault) -> bool:
        """Whether a hook raised that is the same in the program before, so that it might raise there too."""
        return fault.module not in self.modules and fault.module in self.before.modules
