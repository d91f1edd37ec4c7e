"""Worlds: a scene's state and code, one committed frame after another."""

from __future__ import annotations

import os
import warnings
import weakref
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, cast

from instar.edits.by_hand import reload_world
from instar.edits.migrating import Migrating
from instar.edits.receipt import Receipt
from instar.edits.verdicts import Verdicts
from instar.edits.versions import Versions
from instar.faults import HookFault, WorldError
from instar.hmr.code import Codebase, Program, bind
from instar.hmr.code.errors import GOES_ON
from instar.hmr.state import (
    Checkpoint,
    Commit,
    Diff,
    MemoryUse,
    PersistedValues,
    Report,
    StateManager,
    Table,
)
from instar.loop.calls import HookCalls
from instar.loop.schedule import INJECTED, HookCall, Schedule
from instar.loop.setups import Setups
from instar.native import Spans
from instar.params import ModuleParams
from instar.saves import Memory, refuse_strangers
from instar.scene.changes import Setting, changes, follow
from instar.scene.file import SceneFile
from instar.scene.locate import locate
from instar.scene.overrides import check_overrides
from instar.scene.space import Space

__all__ = ["World", "WorldError"]


class World:
    """A scene without a clock: each `step` runs every hook once and commits the frame.

    Example:
        >>> world = World.open("tutorial")
        >>> world.step().frame
        1

    Attributes:
        scene: The scene file it lives by.
        space: The space its agents move in.
        seed: The seed of all its random numbers.
        fps: Frames per second of its time.
        dt: Seconds of its time that a step takes.
        state: The state manager that owns its tables.
        program: The code it runs.
        hooks: Who calls its hooks.
        spans: What its hooks, and spans in them, lately took.
        last_calls: The hook calls of the last step.
        verdicts: Who judges the edit that is on probation.
    """

    def __init__(
        self, scene: SceneFile, codebase: Codebase, program: Program, *, seed: int, fps: float, fps_given: bool = False
    ) -> None:
        self.scene, self.codebase, self.program = scene, codebase, program
        self.seed, self.fps, self.dt = seed, fps, 1.0 / fps
        self.space = Space(scene.space.kind, scene.space.width, scene.space.height)
        self.state = StateManager(memory_limit=scene.memory, threads=scene.threads)
        self.spans = Spans()
        self.hooks = HookCalls(self.state, scene.folder, self.spans)
        self.last_calls: list[HookCall] = []
        self.verdicts = Verdicts(self)
        self._versions = Versions(program, codebase.build)
        self._fps_given = fps_given
        self._setups = Setups(self.state, self.hooks)
        self._checkpoints: weakref.WeakKeyDictionary[Checkpoint, Program] = weakref.WeakKeyDictionary()
        self._migrating = Migrating(self.state, self.hooks)
        self._migrating.migrate(program)
        self._schedule = self._make_schedule()

    @classmethod
    def open(
        cls,
        scene: str | os.PathLike[str],
        *,
        seed: int | None = None,
        fps: float | None = None,
        params: Mapping[str, Mapping[str, Any]] | None = None,
        setup: bool = True,
    ) -> World:
        """Open a scene and run its `setup` hooks; what they make is frame 0.

        Args:
            scene: A folder with a ``scene.toml``, or the name of a packaged example.
            seed: Instead of the scene file's.
            fps: Instead of the scene file's; a step is ``1 / fps`` seconds of the world's time.
            params: Values by module and parameter, over those of the scene file.
            setup: False leaves the tables empty until `setup` is called.

        Raises:
            InstarError: If the scene cannot be read or loaded, or a `setup` raises.
        """
        check_overrides(seed, fps)
        file = SceneFile.read(locate(os.fspath(scene)))
        seed = file.seed if seed is None else seed
        world = cls._of(file, seed, file.fps if fps is None else fps, params or {}, fps_given=fps is not None)
        if setup:
            world.setup()
        return world

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        scene: str | os.PathLike[str] | None = None,
        *,
        seed: int | None = None,
        fps: float | None = None,
        params: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> World:
        """Open the world that a file holds, with the scene's code as it is now; no `setup` is run.

        Seed, frames per second and Params are those of the saved world, but for what the scene file says otherwise since.

        Args:
            path: A file that `save` or an autosave wrote.
            scene: The scene's folder or packaged name, if it is not where it was.
            seed: Instead of the saved one.
            fps: Instead of the saved ones.
            params: Values by module and parameter, over all others.

        Raises:
            InstarError: If the file cannot be read or trusted, the scene cannot be loaded, or a table would lose values.
        """
        check_overrides(seed, fps)
        checkpoint = Checkpoint.read(path)
        memory = Memory.read(checkpoint)
        file = memory.open_scene(checkpoint.source, scene)
        given = params or {}
        seed = memory.seed_for(file) if seed is None else seed
        world = cls._of(file, seed, memory.fps_for(file) if fps is None else fps, given, fps_given=fps is not None)
        world._restore(checkpoint, world.program, given)  # noqa: SLF001 - one of its own
        return world

    @classmethod
    def _of(
        cls, file: SceneFile, seed: int, fps: float, given: Mapping[str, Mapping[str, Any]], *, fps_given: bool
    ) -> World:
        """A world with empty tables."""
        codebase = Codebase(file.folder, file, INJECTED, given, read=partial(SceneFile.parse, file.folder))
        return cls(file, codebase, codebase.load(), seed=seed, fps=fps, fps_given=fps_given)

    def __getitem__(self, name: str) -> Table:
        return self.state[name]

    @property
    def tables(self) -> Mapping[str, Table]:
        """The tables by name."""
        return self.state.tables

    @property
    def persisted(self) -> PersistedValues:
        """The persisted values: ``world.persisted["game.score"]``, which can be assigned too."""
        return self.state.persisted

    @property
    def resting(self) -> dict[str, HookFault]:
        """The modules whose hook raised, quarantined until their next edit, with the fault."""
        return self.hooks.resting

    @property
    def frame(self) -> int:
        """How many steps are committed."""
        return self.state.frame

    @property
    def frames(self) -> range:
        """The frames that `rollback` and `redo` can reach."""
        held = self.state.frames
        return range(max(held.start, self._versions.oldest), held.stop)

    @property
    def params(self) -> Mapping[str, ModuleParams]:
        """The parameters of each module: ``world.params["flock"].cohesion``."""
        return {name: ModuleParams(version) for name, version in self.program.modules.items()}

    def memory(self) -> MemoryUse:
        """What the world takes, in bytes by table and purpose; see `StateManager.memory`."""
        return self.state.memory()

    def setup(self) -> None:
        """Run the `setup` hooks; what they make belongs to frame 0.

        Raises:
            HookFault: If one raises.
        """
        self.hooks.refuse_inside("setup")
        self._setups.start(self._schedule, self.program.modules)

    def step(self) -> Commit:
        """Run every hook that is due, in the order of the scene, and commit the frame.

        Raises:
            HookFault: If a hook raises: the world is back at the last commit, the module rests until its next edit, and
                the next step runs the same frame without it; within 60 frames of an edit, with the version before it.
            EditFault: If within 60 frames of an edit a value has gone bad: the world is as it was before the edit.
            StopRequested: If a hook called ``sys.exit()``; the frame is void.
            KeyboardInterrupt: At Ctrl-C; the world is as of the last commit, which is that of this frame if it had got so far.
        """
        self.spans.begin_frame(self.frame)
        try:
            self.run_hooks()
            return self.commit()
        except KeyboardInterrupt:
            self.state.rollback(self.frame)
            raise

    def run_hooks(self) -> None:
        """Run every hook that is due, in the order of the scene, without committing; raises like `step`."""
        self.hooks.refuse_inside("step")
        self.last_calls = list(self._schedule.due(self.frame, self.resting.keys()))
        try:
            for call in self.last_calls:
                self.hooks.run(call)
        except HookFault as fault:
            self.verdicts.raised(fault)
            raise

    def commit(self) -> Commit:
        """Commit the live state as the next frame; raises EditFault like `step`."""
        self.hooks.refuse_inside("commit")
        self._versions.forget_after(self.frame)
        self._setups.forget_after(self.frame)
        commit = self.state.commit()
        self.verdicts.committed(self.last_calls)
        return commit

    def rollback(self, frame: int) -> None:
        """Return to a frame: tables, schemas and the code that ran in it."""
        self.hooks.refuse_inside("rollback")
        self._travel(self.state.rollback, frame)

    def redo(self, frame: int) -> None:
        """Go forward again to a frame that was rolled back."""
        self.hooks.refuse_inside("redo")
        self._travel(self.state.redo, frame)

    def validate(self, repair: bool = False) -> Report:
        """Check all that is committed, as `StateManager.validate` does, and run all `validate` hooks.

        Returns:
            What was found, mended or not; a hook that raised is a fault of kind ``hook``, and nothing rests for it. What hooks
            write is dropped, unless something else waits to be committed.
        """
        self.hooks.refuse_inside("validate")
        report = self.state.validate(repair)
        settled = self.state.uncommitted is None
        report.faults += self.hooks.validate(self._schedule.validations(self.resting.keys()))
        if settled and self.state.uncommitted is not None:
            self.state.rollback(self.frame)
        return report

    def diff(self, frame_a: int, frame_b: int) -> Diff:
        """What became of the agents from one frame to another; see `StateManager.diff`."""
        return self.state.diff(frame_a, frame_b)

    def checkpoint(self) -> Checkpoint:
        """Keep the committed frame, compressed by a worker while the world goes on: tables, code, seed and parameters.

        Raises:
            CheckpointError: If something was changed since the last commit.
        """
        self.hooks.refuse_inside("checkpoint")
        checkpoint = self.state.checkpoint(self._memory())
        self._checkpoints[checkpoint] = self.program
        return checkpoint

    def restore(self, checkpoint: Checkpoint) -> None:
        """Return to a checkpoint: its tables and parameters, and if this world took it, the code that ran then.

        The tables of another world's checkpoint take the schemas of the code that runs. The history begins anew.

        Raises:
            CheckpointError: If it is damaged; nothing has changed.
            MigrationError: If a table would lose values; nothing has changed.
        """
        self.hooks.refuse_inside("restore")
        self._restore(checkpoint, self._checkpoints.get(checkpoint, self.program), {})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the committed frame to a file, which is complete and on the disk when this returns; see `load`.

        Raises:
            CheckpointError: If something was changed since the last commit, or the file cannot be written; it is as before.
        """
        self.hooks.refuse_inside("save")
        self.state.save(path, self._memory())

    def check(self, program: Program) -> None:
        """See whether the world can take new code; raises MigrationError if a table would lose values unasked."""
        self._migrating.check(program)

    def swap(self, program: Program) -> list[str]:
        """Run new code over the same agents from the next step on; edited modules no longer rest.

        It is on probation for 60 frames, and the version before it is confirmed. What the scene file says otherwise since
        takes effect, and the `setup` hooks of modules that are new to the world are run: what they make belongs to the
        committed frame.

        Returns:
            The steps in which the tables took the new schemas and the world the new settings, for people.

        Raises:
            MigrationError: If a table would lose values, or a `migrate` fails; nothing has changed.
            HookFault: If a `setup` raises; nothing has changed.
        """
        self.hooks.refuse_inside("swap")
        old, rested = self.program, dict(self.resting)
        scene, fps = cast("SceneFile", program.settings), self.fps if self._fps_given else None
        settings = changes(self.scene, scene, self.codebase.given, fps)
        mark = self.state.mark()
        steps = self._migrating.migrate(program, old)
        mark.keep()
        steps += self.start(program)
        try:
            joined = self._setups.join(self._schedule, program.modules)
        except HookFault as fault:
            mark.undo()
            self.start(old)
            fault.conclude(GOES_ON)
            raise
        notices = self.verdicts.begin(mark, old, rested)
        return [*steps, *settings, *map(Setting, (*joined, *notices))]

    def start(self, program: Program, undone: Collection[str] = ()) -> list[str]:
        """Run a program from this frame on whose schemas the tables have; what the setups of some modules made is undone."""
        self._setups.forget(undone)
        self._versions.add(self.frame, program, self.frames[0])
        return self._run(program)

    def reload(self, path: str | os.PathLike[str] | None = None) -> Receipt:
        """Swap in what the scene's files hold now, between two steps; for a world that no `Runtime` runs.

        Args:
            path: A file of the scene, relative to the working directory or to the scene's folder; all of them, if None.

        Returns:
            The receipt: ``live``, or ``rejected`` with the error, and nothing has changed.

        Raises:
            ReloadError: If there is no such file in the scene, or a `Runtime` runs this world.
        """
        self.hooks.refuse_inside("reload")
        return reload_world(self, path)

    def _memory(self) -> dict[str, Any]:
        return Memory.of(self.scene, self.program, seed=self.seed, fps=self.fps).document()

    def _restore(self, checkpoint: Checkpoint, program: Program, kept: Mapping[str, Mapping[str, Any]]) -> None:
        memory = Memory.read(checkpoint)
        refuse_strangers(checkpoint, program.schemas, self.scene.folder)
        self._migrating.restore(checkpoint, program)
        self.verdicts.confirm()
        self._versions.begin_with(self.frame, program)
        self._run(program)
        self._setups.settle(program.modules)
        for lost in memory.recall_params(self.scene, program, kept):
            warnings.warn(lost, stacklevel=3)

    def _travel(self, move: Callable[[int], None], frame: int) -> None:
        """Go to a frame with the code that ran in it, which is loaded before anything changes."""
        if frame in self.state.frames:
            self._versions.at(frame)
        try:
            move(frame)
        finally:
            if (program := self._versions.at(self.frame)) is not self.program:
                self._run(program)

    def _run(self, program: Program) -> list[str]:
        old = self.program
        steps = self.codebase.retire(old, program)
        bind(self.state.persisted, program.persisted)
        self.program = program
        self.hooks.wake(old, program)
        before, self.scene = self.scene, cast("SceneFile", program.settings)
        follow(before, self.scene, self.space, self.state)
        if self.scene.fps != before.fps and not self._fps_given:
            self.fps, self.dt = self.scene.fps, 1.0 / self.scene.fps
        self._schedule = self._make_schedule()
        return steps

    def _make_schedule(self) -> Schedule:
        shared = {**self.state.tables, "world": self, "dt": self.dt, "space": self.space}
        return Schedule(self.program, lambda module: {**shared, "params": self.params[module]}, self.seed)
