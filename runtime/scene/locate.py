"""From what a person types to the folder of a scene."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from pathlib import Path

from instar.scene.errors import SceneError, UnknownSceneError, nearest

SCENE_FILE = "scene.toml"
"""The file that makes a folder a scene."""


def examples() -> dict[str, Path]:
    """The packaged scenes by name, in alphabetical order; empty where none are installed."""
    try:
        folder = resources.files("instar.examples")
    except ModuleNotFoundError:
        return {}
    scenes = [entry for entry in folder.iterdir() if entry.is_dir() and (entry / SCENE_FILE).is_file()]
    return {entry.name: Path(str(entry)) for entry in sorted(scenes, key=lambda entry: entry.name)}


def locate(text: str) -> Path:
    """The folder of the scene that `text` names.

    An existing folder, or the `scene.toml` in it, wins over a packaged example of the same name.

    Raises:
        UnknownSceneError: there is no such folder and no such example; lists the examples.
        SceneError: `text` is a file other than a `scene.toml`.
    """
    path = Path(text)
    if text and _is(Path.is_dir, path):
        return path.resolve()
    if _is(Path.is_file, path):
        if path.name == SCENE_FILE:
            return path.resolve().parent
        raise SceneError(f"{text} is a file; a scene is a folder with a {SCENE_FILE}. Try its folder: {path.parent}")
    packaged = examples()
    if text in packaged:
        return packaged[text].resolve()
    listing = f"Packaged examples: {', '.join(packaged)}." if packaged else "No examples are installed."
    raise UnknownSceneError(
        f"no scene '{text}': there is no such folder and no packaged example of that name."
        f"{nearest(text, packaged)} {listing} To start one of your own: instar new NAME"
    )


def _is(kind: Callable[[Path], bool], path: Path) -> bool:
    """Whether a path is of a kind; a path that cannot be, such as one too long, is of none."""
    try:
        return kind(path)
    except (OSError, ValueError):
        return False
