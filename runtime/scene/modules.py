"""The modules that a scene names, and the files they stand for."""

from __future__ import annotations

import json
import keyword
from collections.abc import Callable, Sequence
from pathlib import Path

from instar.scene.document import Document
from instar.scene.errors import SceneError, nearest

_DEPTH = 4


def file_of(folder: Path, module: str) -> Path:
    """The file of a module: `flock` is flock.py, `birds.flock` is birds/flock.py."""
    return folder.joinpath(*module.split(".")).with_suffix(".py")


def modules_in(folder: Path) -> list[str]:
    """The names of all Python files of a scene that could be modules, in alphabetical order."""
    found = []
    for path in _python_files(folder, _DEPTH):
        parts = path.relative_to(folder).with_suffix("").parts
        if all(_is_name(part) for part in parts) and parts[-1] != "__init__":
            found.append(".".join(parts))
    return sorted(found)


def checked_modules(
    document: Document, folder: Path, phases: Sequence[str], is_there: Callable[[Path], bool]
) -> tuple[str, ...]:
    """The scene's `modules`: at least one, each once, each a file of the scene and no phase's name."""
    there = modules_in(folder)
    holds = f"{folder} holds: {', '.join(there)}." if there else f"{folder} holds no Python files."
    named = document.strings(("modules",))
    if not named:
        found = "is missing" if named is None else "is empty"
        line = f"modules = {json.dumps(there[:3] or ['flock'])}"
        raise document.error(("modules",), f"{found}; a scene runs at least one module. {holds} Write: {line}")
    for place, name in enumerate(named):
        problem = _problem(name, named[:place], phases)
        if problem:
            raise document.error(("modules", place), problem)
        if not is_there(file_of(folder, name)):
            raise document.error(
                ("modules", place), f"there is no {file_of(Path(), name)} in the scene.{nearest(name, there)} {holds}"
            )
    return tuple(named)


def _problem(name: str, before: Sequence[str], phases: Sequence[str]) -> str | None:
    if name.endswith(".py"):
        return f"found {name!r}; write a module without its ending: '{name.removesuffix('.py').replace('/', '.')}'."
    if not all(_is_name(part) for part in name.split(".")):
        return f"found {name!r}; allowed is the name of a Python file: letters, digits and _, not a Python keyword."
    if name in before:
        return f"'{name}' is named twice; each module updates once a frame."
    if name in phases:
        return f"'{name}' is a phase of the frame, so [budget] could not tell them apart. Rename the file."
    return None


def _is_name(part: str) -> bool:
    return part.isidentifier() and not keyword.iskeyword(part)


def _python_files(folder: Path, depth: int) -> list[Path]:
    """The .py files of a folder and of those below it; hidden folders and caches left out."""
    try:
        entries = list(folder.iterdir())
    except OSError as error:
        raise SceneError(f"{folder} cannot be listed: {error.strerror}.") from None
    files = [entry for entry in entries if entry.suffix == ".py" and entry.is_file()]
    for entry in entries:
        if depth and entry.is_dir() and not entry.name.startswith((".", "__")):
            files += _python_files(entry, depth - 1)
    return files
