"""Verdicts: whether a fault is an edit's, and what is undone for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from instar.edits.probation import FRAMES, SLOW_FRAMES, Probation, Undone
from instar.faults import EditFault, HookFault
from instar.hmr.code import Program
from instar.hmr.state import BadValue, Mark, MigrationError, StateManager
from instar.loop.schedule import HookCall
from instar.scene.file import SceneFile


class Judged(Protocol):
    """A world, as far as edits are judged in it."""

    scene: SceneFile
    state: StateManager
    program: Program

    @property
    def resting(self) -> dict[str, HookFault]:
        """The modules that are quarantined, with their faults."""

    def swap(self, program: Program) -> list[str]:
        """Run new code over the same agents."""

    def start(self, program: Program, undone: Collection[str] = ()) -> object:
        """Run a program from this frame on whose schemas the tables have; what the setups of some modules made is undone."""


class _Suspect(NamedTuple):
    """An edit that was undone for a hook that it did not change: the same hook of the program before has yet to run."""

    undone: Undone
    fault: HookFault


class Verdicts:
    """Watches over the edit that is on probation in a world, if there is one."""

    def __init__(self, world: Judged) -> None:
        self._world = world
        self._probation: Probation | None = None
        self._suspect: _Suspect | None = None
        self._undone: Undone | None = None

    @property
    def modules(self) -> frozenset[str]:
        """The modules that are on probation."""
        probation = self._current()
        return frozenset() if probation is None else probation.modules

    def take_undone(self) -> Undone | None:
        """The edit that was undone since this was last asked."""
        undone, self._undone = self._undone, None
        return undone

    def begin(self, mark: Mark, before: Program, rested: Mapping[str, HookFault]) -> list[str]:
        """Put the program that runs on probation; the edit before it is confirmed.

        Args:
            mark: The frame as it was before.
            before: The program that ran.
            rested: The modules that were quarantined then.

        Returns:
            What people should know of what could not be brought back.
        """
        self.confirm()
        self._probation = Probation(mark, before, self._world.program, rested)
        return [] if mark.notice is None else [mark.notice]

    def confirm(self) -> None:
        """End the probation: what runs is what there is to go on with."""
        if self._probation is not None:
            self._probation.end()
            self._probation = None
        self.condemn()

    def condemn(self) -> None:
        """Wait no longer for the program before to show whether an edit that was undone is to blame: it is."""
        if self._suspect is not None:
            self._undone, self._suspect = self._suspect.undone, None

    def raised(self, fault: HookFault) -> None:
        """Judge a hook that raised, and whose frame is void; its module rests. The fault tells what became of it."""
        probation = self._current()
        if probation is not None:
            self._undo_for(fault, probation)
        elif self._suspect is not None:
            self._try_suspect(fault, self._suspect)

    def committed(self, calls: Sequence[HookCall]) -> None:
        """Judge a committed frame.

        Args:
            calls: The hooks that made it.

        Raises:
            EditFault: If it undid the edit.
        """
        self.condemn()
        world, probation = self._world, self._probation
        if probation is None:
            return
        if (
            probation.program is not world.program
            or not probation.since < world.state.frame <= probation.since + FRAMES
        ):
            self.confirm()
            return
        bad, budget = probation.bad_value(), world.scene.probation_ms
        if bad is not None:
            self._undo_values(bad, probation)
        elif budget is not None and probation.is_slow(sum(call.ns for call in calls) / 1e6, budget):
            self._undo_slow(budget, probation)
        elif world.state.frame == probation.since + FRAMES:
            self.confirm()

    def _current(self) -> Probation | None:
        """The probation, unless somebody has gone to frames before it or after it."""
        world, probation = self._world, self._probation
        if probation is not None and (probation.program is not world.program or probation.is_over(world.state.frame)):
            self.confirm()
        return self._probation

    def _undo_for(self, fault: HookFault, probation: Probation) -> None:
        began = self._world.state.frame
        innocent = probation.may_be_innocent(fault)
        try:
            kept = probation.undo_code(self._world.state)
        except MigrationError:
            self.confirm()  # There is no way back: the module rests, as after its probation.
            return
        what = "the world is as it was after its last commit" if kept else self._world_is_back(probation, began)
        fault.conclude(f"Frame {began} is void: {what}. {self._code_is_back(probation)}")
        error = EditFault(str(fault), fault.path, fault.line)
        if innocent:
            fault.conclude(
                f"Frame {began} is void: {what}. {fault.module} itself was not edited, so that frame runs with the version "
                f"before the edit of {self._files(probation)}: if that raises as well, the edit goes on."
            )
        self._come_back(probation)
        undone = Undone(probation.program, error)
        if innocent:
            self._suspect = _Suspect(undone, fault)
        else:
            self._undone = undone

    def _try_suspect(self, fault: HookFault, suspect: _Suspect) -> None:
        """Have an edit go on if the program before it raises just as it did."""
        seen = suspect.fault
        if (fault.module, fault.path, fault.line, fault.frame) != (seen.module, seen.path, seen.line, seen.frame):
            self.condemn()
            return
        self._suspect = None
        self._world.swap(suspect.undone.program)

    def _undo_values(self, bad: BadValue, probation: Probation) -> None:
        began = self._world.state.frame
        if not probation.undo_world():
            self.confirm()
            raise EditFault(
                f"{bad}. The world before the edit of {self._files(probation)} can no longer be returned to: the history holds "
                f"frames from {self._world.state.frames[0]} on. The edit and the values stay; mend them, or roll back"
            )
        self._come_back(probation)
        error = EditFault(f"{bad}. {_capital(self._world_is_back(probation, began))}. {self._code_is_back(probation)}")
        self._undone = Undone(probation.program, error)
        raise error

    def _undo_slow(self, budget: float, probation: Probation) -> None:
        began = self._world.state.frame
        try:
            kept = probation.undo_code(self._world.state)
        except MigrationError:
            self.confirm()
            return
        what = "all frames are kept" if kept else self._world_is_back(probation, began)
        self._come_back(probation)
        error = EditFault(
            f"The hooks took more than the {budget:g} ms that the scene gives an edit ([probation] budget_ms) in {SLOW_FRAMES} "
            f"frames in a row, up to frame {began}; {what}. {self._code_is_back(probation)}"
        )
        self._undone = Undone(probation.program, error)
        raise error

    def _come_back(self, probation: Probation) -> None:
        """Run the program before, with what rested then."""
        world = self._world
        self._probation = None
        world.start(probation.before, probation.unmade)
        world.resting.clear()
        world.resting.update(probation.resting)

    def _world_is_back(self, probation: Probation, began: int) -> str:
        undone = began - probation.since
        frames = "" if undone == 0 else f"; {undone} frame{'s are' if undone > 1 else ' is'} undone"
        return f"the whole world is back at frame {probation.since}, as it was before the edit{frames}"

    def _code_is_back(self, probation: Probation) -> str:
        return (
            f"The edit of {self._files(probation)} is undone, and the version before it runs on: what is saved does not run. "
            f"Mend it and save it."
        )

    def _files(self, probation: Probation) -> str:
        return ", ".join(probation.files(self._world.scene.folder))


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
