"""Worlds: a scene's state and code, one committed frame after another."""

from __future__ import annotations

import os
import warnings
import weakref
from collections.abc import Mapping
from functools import partial
from typing import Any

from instar.edits.versions import Versions
from instar.faults import HookFault, HookTimeout
from instar.hmr.code import Codebase, Program
from instar.hmr.state import (
    Checkpoint,
    Commit,
    Diff,
    Fault,
    MemoryUse,
    MigrationError,
    Report,
    StateManager,
    Table,
)
from instar.loop.calls import HookCalls
from instar.loop.schedule import INJECTED, HookCall, Schedule
from instar.native import InstarError
from instar.params import ModuleParams
from instar.saves import Memory, refuse_strangers
from instar.scene.file import SceneFile
from instar.scene.locate import locate
from instar.scene.space import Space

MAX_FPS = 1000


class WorldError(InstarError):
    """A world was asked for something it cannot do; nothing has changed."""


class World:
    """A scene without a clock: each `step` runs every hook once and commits the frame.

    Example:
        >>> world = World.open("tutorial")
        >>> world.step().frame
        1

    Attributes:
        scene: The scene file it came from.
        space: The space its agents move in.
        seed: The seed of all its random numbers.
        fps: Frames per second of its time.
        state: The state manager that owns its tables.
        program: The code it runs.
        hooks: Who calls its hooks.
        last_calls: The hook calls of the last step.
    """

    def __init__(self, scene: SceneFile, codebase: Codebase, program: Program, *, seed: int, fps: float) -> None:
        self.scene = scene
        self.codebase = codebase
        self.seed = seed
        self.fps = fps
        self.dt = 1.0 / fps
        self.space = Space(scene.space.kind, scene.space.width, scene.space.height)
        self.state = StateManager(memory_limit=scene.memory, threads=scene.threads)
        self.program = program
        self.hooks = HookCalls(self.state, scene.folder)
        self.last_calls: list[HookCall] = []
        self._versions = Versions(program)
        self._checkpoints: weakref.WeakKeyDictionary[Checkpoint, Program] = weakref.WeakKeyDictionary()
        self.state.migrate(program.schemas)
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
        _check_numbers(seed, fps)
        file = SceneFile.read(locate(os.fspath(scene)))
        world = cls._of(file, file.seed if seed is None else seed, file.fps if fps is None else fps, params or {})
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
        _check_numbers(seed, fps)
        checkpoint = Checkpoint.read(path)
        memory = Memory.read(checkpoint)
        file = memory.open_scene(checkpoint.source, scene)
        given = params or {}
        fps = memory.fps_for(file) if fps is None else fps
        world = cls._of(file, memory.seed_for(file) if seed is None else seed, fps, given)
        world._restore(checkpoint, world.program, given)  # noqa: SLF001 - one of its own
        return world

    @classmethod
    def _of(cls, file: SceneFile, seed: int, fps: float, given: Mapping[str, Mapping[str, Any]]) -> World:
        """A world with empty tables."""
        codebase = Codebase(file.folder, file, INJECTED, given, read=partial(SceneFile.parse, file.folder))
        return cls(file, codebase, codebase.load(), seed=seed, fps=fps)

    def __getitem__(self, name: str) -> Table:
        return self.state[name]

    @property
    def tables(self) -> Mapping[str, Table]:
        """The tables by name."""
        return self.state.tables

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
        return self.state.frames

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
        self._refuse_inside_hooks("setup")
        for call in self._schedule.setups():
            self.hooks.run(call)
        self.state.amend()

    def step(self) -> Commit:
        """Run every hook that is due, in the order of the scene, and commit the frame.

        Raises:
            HookFault: If a hook raises: the world is back at the last commit, the module rests until its next edit, and
                the next step runs the same frame without it.
            StopRequested: If a hook called ``sys.exit()``; the frame is void.
            KeyboardInterrupt: At Ctrl-C; the world is as of the last commit, which is that of this frame if it had got so far.
        """
        try:
            self.run_hooks()
            return self.commit()
        except KeyboardInterrupt:
            self.state.rollback(self.frame)
            raise

    def run_hooks(self) -> None:
        """Run every hook that is due, in the order of the scene, without committing; raises like `step`."""
        self._refuse_inside_hooks("step")
        self.last_calls = list(self._schedule.due(self.frame, self.resting.keys()))
        for call in self.last_calls:
            self.hooks.run(call)

    def commit(self) -> Commit:
        """Commit the live state as the next frame."""
        self._refuse_inside_hooks("commit")
        return self.state.commit()

    def rollback(self, frame: int) -> None:
        """Return to a frame: tables, schemas and the code that ran in it."""
        self._refuse_inside_hooks("rollback")
        try:
            self.state.rollback(frame)
        finally:
            self._recall(self.frame)

    def redo(self, frame: int) -> None:
        """Go forward again to a frame that was rolled back."""
        self._refuse_inside_hooks("redo")
        try:
            self.state.redo(frame)
        finally:
            self._recall(self.frame)

    def validate(self, repair: bool = False) -> Report:
        """Check all that is committed, as `StateManager.validate` does, and run all `validate` hooks.

        Returns:
            What was found, mended or not; a hook that raised is a fault of kind ``hook``, and nothing rests for it. What hooks
            write is dropped, unless something else waits to be committed.
        """
        self._refuse_inside_hooks("validate")
        report = self.state.validate(repair)
        settled = self.state.uncommitted is None
        for call in self._schedule.validations(self.resting.keys()):
            try:
                self.hooks.invoke(call)
            except (Exception, HookTimeout) as error:  # noqa: BLE001 - whatever a hook raises is what it found
                fault = HookFault(call.hook, self.frame, self.scene.folder, error)
                report.faults.append(Fault("hook", call.hook.module, "", self.frame, fault.reason))
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
        self._refuse_inside_hooks("checkpoint")
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
        self._refuse_inside_hooks("restore")
        self._restore(checkpoint, self._checkpoints.get(checkpoint, self.program), {})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the committed frame to a file, which is complete and on the disk when this returns; see `load`.

        Raises:
            CheckpointError: If something was changed since the last commit, or the file cannot be written; it is as before.
        """
        self._refuse_inside_hooks("save")
        self.state.save(path, self._memory())

    def check(self, program: Program) -> None:
        """See whether the world can take a new version of its code.

        Raises:
            MigrationError: If a table would lose values.
        """
        try:
            self.state.check(program.schemas)
        except MigrationError as error:
            raise type(error)(f"{program.place_of(error.table)}: {error}") from None

    def swap(self, program: Program) -> list[str]:
        """Run new code over the same agents from the next step on; edited modules no longer rest.

        Returns:
            The steps in which the tables took the new schemas, for people.

        Raises:
            MigrationError: If a table would lose values; nothing has changed.
        """
        self._refuse_inside_hooks("swap")
        steps = self.state.migrate(program.schemas)
        self._versions.add(self.frame, program, self.frames[0])
        self._run(program)
        return [*steps]

    def _memory(self) -> dict[str, Any]:
        return Memory.of(self.scene, self.program, seed=self.seed, fps=self.fps).document()

    def _restore(self, checkpoint: Checkpoint, program: Program, kept: Mapping[str, Mapping[str, Any]]) -> None:
        memory = Memory.read(checkpoint)
        refuse_strangers(checkpoint, program.schemas, self.scene.folder)
        try:
            self.state.restore(checkpoint, program.schemas)
        except MigrationError as error:
            raise type(error)(f"{program.place_of(error.table)}: {error}") from None
        self._versions.begin_with(self.frame, program)
        self._run(program)
        for lost in memory.recall_params(self.scene, program, kept):
            warnings.warn(lost, stacklevel=3)

    def _refuse_inside_hooks(self, verb: str) -> None:
        if (inside := self.hooks.inside) is not None:
            where = f"{inside.hook.module}.{inside.hook.name}"
            raise WorldError(
                f"world.{verb} cannot be called inside a hook ({where}): the frame is not complete. Call it between steps, or "
                f"from a program with Runtime.post"
            )

    def _recall(self, frame: int) -> None:
        program = self._versions.at(frame)
        if program is not self.program:
            self._run(program)

    def _run(self, program: Program) -> None:
        old = self.program
        self.codebase.retire(old, program)
        self.program = program
        for name, version in program.modules.items():
            if name not in old.modules or old.modules[name] is not version:
                self.resting.pop(name, None)
        self._schedule = self._make_schedule()

    def _make_schedule(self) -> Schedule:
        shared = {**self.state.tables, "world": self, "dt": self.dt, "space": self.space}
        return Schedule(
            self.program,
            lambda module: {**shared, "params": self.params[module]},
            self.seed,
        )


def _check_numbers(seed: object, fps: object) -> None:
    if seed is not None and not (isinstance(seed, int) and 0 <= seed < 1 << 64):
        raise WorldError(f"seed={seed!r} is no whole number from 0 to 2^64 - 1; no world was opened")
    if fps is not None and not (isinstance(fps, int | float) and 0 < fps <= MAX_FPS):
        raise WorldError(f"fps={fps!r} is no number above 0 and up to {MAX_FPS}; no world was opened")
