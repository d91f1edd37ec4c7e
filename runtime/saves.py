"""What a world's checkpoint remembers besides its tables: scene, seed, pace and parameters."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from instar.hmr.code import Program
from instar.hmr.code.errors import ParamError
from instar.hmr.state import Checkpoint, CheckpointError, Schema
from instar.scene.errors import SceneError
from instar.scene.file import SceneFile
from instar.scene.locate import examples, locate

AUTOSAVE = Path(".instar", "autosave.instar")
"""Where a scene's folder holds its autosave; no module can lie there, so that the watcher leaves it alone."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a checkpoint remembers of the world it was taken of.

    Attributes:
        scene: The packaged name or the folder of the scene.
        title: The scene's title.
        seed: The seed of all random numbers.
        fps: Frames per second of the world's time.
        params: The value of every Param, by file and name.
        given: The names of those whose value was given by somebody, by file.
        written: What the scene file said then: ``seed``, ``fps`` and ``params``.
        versions: The version of each module's code.
    """

    scene: str
    title: str
    seed: int
    fps: float
    params: Mapping[str, Mapping[str, Any]]
    given: Mapping[str, list[str]]
    written: Mapping[str, Any]
    versions: Mapping[str, str]

    @classmethod
    def of(cls, scene: SceneFile, program: Program, *, seed: int, fps: float) -> Memory:
        """The memory of a running world."""
        live = program.params
        return cls(
            scene=_name_of(scene.folder),
            title=scene.title,
            seed=seed,
            fps=fps,
            params={file: {name: one.value for name, one in params.items()} for file, params in live.items()},
            given={file: [name for name, one in params.items() if one.given] for file, params in live.items()},
            written=_written(scene),
            versions={name: version.version for name, version in program.modules.items()},
        )

    @classmethod
    def read(cls, checkpoint: Checkpoint) -> Memory:
        """The memory that a checkpoint holds.

        Raises:
            CheckpointError: If it holds none, because no world was saved but a state manager.
        """
        try:
            return _checked(cls(**checkpoint.meta["world"]))
        except (KeyError, TypeError, AttributeError):
            raise CheckpointError(
                f"{checkpoint.source} holds tables, but no scene that they belong to. Nothing was loaded; "
                f"read it with StateManager.load"
            ) from None

    def document(self) -> dict[str, Any]:
        """The memory as plain JSON values: the checkpoint's metadata."""
        return {"world": {name: getattr(self, name) for name in self.__slots__}}

    def open_scene(self, source: str, scene: str | os.PathLike[str] | None) -> SceneFile:
        """The scene of the saved world: where it was, or where somebody says.

        Raises:
            SceneError: If there is none where somebody says.
            CheckpointError: If there is none any more where it was.
        """
        if scene is not None:
            return SceneFile.read(locate(os.fspath(scene)))
        try:
            return SceneFile.read(locate(self.scene))
        except SceneError as error:
            raise CheckpointError(
                f"{source} belongs to the scene {self.scene}, which cannot be opened: {error} Nothing was loaded; say where "
                f"the scene is now: World.load(file, scene=...)"
            ) from None

    def seed_for(self, scene: SceneFile) -> int:
        """The seed that the world goes on with; the scene file's, if a person changed it since."""
        return self.seed if scene.seed == self.written["seed"] else scene.seed

    def fps_for(self, scene: SceneFile) -> float:
        """The frames per second that the world goes on with; the scene file's, if a person changed them since."""
        return self.fps if scene.fps == self.written["fps"] else scene.fps

    def recall_params(self, scene: SceneFile, program: Program, kept: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Give Params their values back: those somebody gave them then, the others their defaults.

        Args:
            scene: The scene file as it is now; a value a person changed there since stays.
            program: Whose Params.
            kept: Values by file and name that stay too.

        Returns:
            For people: the values that fit no longer.
        """
        lost = []
        for file, params in program.params.items():
            for name, live in params.items():
                then = self.written["params"].get(file, {}).get(name)
                if name in kept.get(file, {}) or scene.params.get(file, {}).get(name) != then:
                    continue
                value = self.params.get(file, {}).get(name)
                is_given = name in self.given.get(file, ())
                try:
                    live.set(value if is_given else live.declaration.default)
                    live.given = is_given
                except ParamError as error:
                    lost.append(f"{file}.{name} = {value!r} of the saved world is not allowed any more: {error}")
        return lost


def _checked(memory: Memory) -> Memory:
    """The memory, if its parts are what they should be; raises what wrong types raise if not."""
    numbers = (memory.seed, memory.written["seed"], memory.fps, memory.written["fps"])
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers):
        raise TypeError
    nested = (*memory.params.values(), *memory.written["params"].values())
    if not (isinstance(memory.scene, str) and all(isinstance(values, dict) for values in nested)):
        raise TypeError
    if not all(isinstance(names, list) for names in memory.given.values()):
        raise TypeError
    return memory


@lru_cache(maxsize=1)
def _name_of(folder: Path) -> str:
    """What opens a scene: its packaged name, or its folder. Looked up once, not with every save."""
    return next((name for name, packaged in examples().items() if packaged == folder), str(folder))


def _written(scene: SceneFile) -> dict[str, Any]:
    return {
        "seed": scene.seed,
        "fps": scene.fps,
        "params": {file: dict(values) for file, values in scene.params.items()},
    }


def refuse_strangers(checkpoint: Checkpoint, tables: Mapping[str, Schema], scene: Path) -> None:
    """See that a scene has a table of those that a checkpoint shows, so that its agents are not all parked unseen.

    Raises:
        CheckpointError: If it has none; names both.
    """
    saved = [name for name, table in checkpoint.tables.items() if table.visible]
    known = {*tables, *(schema.was for schema in tables.values())}
    known |= {name for name, table in checkpoint.tables.items() if known & set(table.formers)}
    if saved and tables and not set(saved) & known:
        raise CheckpointError(
            f"{checkpoint.source} holds {', '.join(saved)}, and the scene in {scene} has {', '.join(tables)}: no agent would "
            f"be seen. Nothing was loaded; name the scene that it was saved from"
        )
