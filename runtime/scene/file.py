"""`scene.toml`: what a run starts from, checked key by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from instar.hmr.code import Source
from instar.hmr.state.memory.limit import LEAST_LIMIT
from instar.scene.document import Document
from instar.scene.errors import SceneError, nearest
from instar.scene.locate import SCENE_FILE
from instar.scene.modules import checked_modules, file_of, modules_in
from instar.scene.positions import Key

__all__ = ["PHASES", "PRESETS", "ParamValue", "SceneError", "SceneFile", "SpaceSettings"]

PRESETS = ("dev", "balanced", "perf", "experiment")
"""The presets a scene may name."""

PHASES = ("boundary", "input", "update", "commit", "publish", "maintain", "pace")
"""The phases of a frame, in order."""

ParamValue = int | float | bool | str
"""What a scene may give a Param."""

MOST_THREADS = 64
"""The most threads that may share a commit."""

_KEYS = ("title", "seed", "fps", "preset", "memory", "threads", "modules", "space", "params", "budget", "probation")
_SPACE_KEYS = ("kind", "width", "height")


@dataclass(frozen=True, slots=True)
class SpaceSettings:
    """The world's extent: a torus wraps around, a box ends at its walls; width and height in world units."""

    kind: Literal["torus", "box"] = "torus"
    width: float = 100.0
    height: float = 100.0


@dataclass(frozen=True, slots=True)
class SceneFile:
    """One `scene.toml`, read and found valid.

    Attributes:
        path: the file; absolute.
        folder: the scene's folder.
        title: what people call it; the folder's name unless given.
        seed: of every random stream; 0 unless given, below 2^64.
        fps: frames per second, 1 to 1000; 60 unless given.
        preset: one of `PRESETS`; balanced unless given.
        memory: the most bytes the world may take, or None; the history is cut first.
        threads: how many share the commit of a large world; 1 unless given.
        modules: module names in the order in which they update.
        space: the world's extent; a torus of 100 by 100 unless given.
        params: values by Python file, as dotted name, and name; the latter are checked when the file is loaded.
        budget: milliseconds by phase or module.
        probation_ms: what all hooks of a frame may take together for an edit to be kept; None for any time.
        lines: the line of every key, for errors found later.
        source: the file as it was read.
    """

    path: Path
    folder: Path
    title: str
    seed: int
    fps: int
    preset: str
    memory: int | None
    threads: int
    modules: tuple[str, ...]
    space: SpaceSettings
    params: Mapping[str, Mapping[str, ParamValue]]
    budget: Mapping[str, float]
    probation_ms: float | None
    lines: Mapping[Key, int]
    source: Source

    @classmethod
    def read(cls, folder: Path) -> SceneFile:
        """Reads and checks the `scene.toml` of a folder.

        Raises:
            SceneError: there is no such folder or file, it is not TOML, or a key is unknown, missing or wrong.
        """
        folder = folder.absolute()
        return cls.parse(folder, Source.of(folder / SCENE_FILE, SCENE_FILE, _bytes(folder)), Path.is_file)

    @classmethod
    def parse(cls, folder: Path, source: Source, is_there: Callable[[Path], bool]) -> SceneFile:
        """Checks the content of a `scene.toml`.

        Args:
            folder: the scene's folder; absolute.
            source: the content.
            is_there: whether the scene has a Python file.

        Raises:
            SceneError: it is not TOML, or a key is unknown, missing or wrong.
        """
        document = Document(source.path, _text(source))
        document.knows((), _KEYS)
        modules = checked_modules(document, folder, PHASES, is_there)
        return cls(
            path=document.path,
            folder=folder,
            title=document.text(("title",), folder.name),
            seed=document.whole(("seed",), 0, 0, 2**64 - 1),
            fps=document.whole(("fps",), 60, 1, 1000),
            preset=document.choice(("preset",), "balanced", PRESETS),
            memory=document.size(("memory",), LEAST_LIMIT),
            threads=document.whole(("threads",), 1, 1, MOST_THREADS),
            modules=modules,
            space=_space(document),
            params=_params(document, folder, modules, is_there),
            budget=_budget(document, modules),
            probation_ms=_probation(document),
            lines=document.lines,
            source=source,
        )

    def line_of(self, *key: str | int) -> int | None:
        """The line of a key; None where the scene leaves it out."""
        return self.lines.get(key)

    def file_of(self, module: str) -> Path:
        """The file of one of the scene's modules."""
        return file_of(self.folder, module)

    def where(self, *key: str | int) -> str:
        """`file:line` of a key, or the file alone when the scene leaves the key out."""
        line = self.line_of(*key)
        return str(self.path) if line is None else f"{self.path}:{line}"


def _text(source: Source) -> str:
    try:
        return source.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SceneError(
            f"byte {error.start} is not UTF-8. Save the file as UTF-8.", path=source.path, line=line
        ) from None


def _bytes(folder: Path) -> bytes:
    path = folder / SCENE_FILE
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise SceneError(_missing(folder)) from None
    except OSError as error:
        raise SceneError(f"{path} cannot be read: {error.strerror}.") from None


def _missing(folder: Path) -> str:
    """What there is where a scene was looked for."""
    begin = "To start a scene: instar new NAME"
    if not folder.exists():
        return f"there is no folder {folder}. {begin}"
    if not folder.is_dir():
        return f"{folder} is a file; a scene is a folder with a {SCENE_FILE}. {begin}"
    try:
        names = sorted(entry.name + "/" * entry.is_dir() for entry in folder.iterdir())
    except OSError as error:
        return f"{folder} cannot be listed: {error.strerror}."
    if not names:
        return f"{folder} is empty; a scene is a folder with a {SCENE_FILE}. {begin}"
    found = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    return f"{folder} has no {SCENE_FILE}; it holds {found}.{nearest(SCENE_FILE, names)} {begin}"


def _space(document: Document) -> SpaceSettings:
    document.table(("space",))
    document.knows(("space",), _SPACE_KEYS)
    default = SpaceSettings()
    kind = document.choice(("space", "kind"), default.kind, ("torus", "box"))
    return SpaceSettings(
        kind="box" if kind == "box" else "torus",
        width=document.positive(("space", "width"), default.width),
        height=document.positive(("space", "height"), default.height),
    )


def _params(
    document: Document, folder: Path, modules: tuple[str, ...], is_there: Callable[[Path], bool]
) -> dict[str, dict[str, ParamValue]]:
    params: dict[str, dict[str, ParamValue]] = {}
    for key, value in document.leaves(("params",)):
        *section, name = (str(part) for part in key[1:])
        module = ".".join(section)
        if not module:
            raise document.error(key, f"a parameter belongs to a module: write it under [params.{modules[0]}]")
        if module not in params and not _has_file(folder, module, is_there):
            helpers = [found for found in modules_in(folder) if found not in modules]
            listing = f"This scene's modules: {', '.join(modules)}."
            others = f" Its other files: {', '.join(helpers)}." if helpers else ""
            near = nearest(module, (*modules, *helpers))
            raise document.error(key[:-1], f"there is no module '{module}' in this scene.{near} {listing}{others}")
        if not isinstance(value, bool | int | float | str):
            raise document.wrong(key, "a number, true or false, or a string")
        params.setdefault(module, {})[name] = value
    return params


def _has_file(folder: Path, module: str, is_there: Callable[[Path], bool]) -> bool:
    """Whether a scene has the Python file of a dotted name: a module, a helper or a package."""
    parts = module.split(".")
    if not all(part.isidentifier() for part in parts):
        return False
    return is_there(file_of(folder, module)) or is_there(folder.joinpath(*parts, "__init__.py"))


def _budget(document: Document, modules: tuple[str, ...]) -> dict[str, float]:
    budget: dict[str, float] = {}
    for key, _ in document.leaves(("budget",)):
        name = ".".join(str(part) for part in key[1:])
        if name not in PHASES and name not in modules:
            known = f"Phases: {', '.join(PHASES)}. Modules: {', '.join(modules)}."
            raise document.error(
                key, f"'{name}' is neither a phase nor a module.{nearest(name, (*PHASES, *modules))} {known}"
            )
        budget[name] = document.positive(key, 0.0, " of milliseconds")
    return budget


def _probation(document: Document) -> float | None:
    document.knows(("probation",), ("budget_ms",))
    if "budget_ms" not in document.table(("probation",)):
        return None
    return document.positive(("probation", "budget_ms"), 0.0, " of milliseconds")
