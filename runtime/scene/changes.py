"""What an edit of the scene file changes in a world that lives, done and told to people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from instar.hmr.state import StateManager
from instar.hmr.state.memory.units import shown_size
from instar.scene.document import written
from instar.scene.file import SceneFile
from instar.scene.space import Space


class Setting(str):
    """Something that an edit of the scene file changed, or will change when the scene starts anew; for people."""

    __slots__ = ()


def changes(old: SceneFile, new: SceneFile, given: Mapping[str, Mapping[str, Any]], fps: float | None) -> list[Setting]:
    """What an edit of the scene file does to a running world, a line each, in the order of the file's keys.

    Args:
        old: the file that it lives by.
        new: the file that it will live by.
        given: values of Params that stand above the file's, by file and name.
        fps: frames per second that stand above the file's, or None.
    """
    return [Setting(line) for line in _lines(old, new, given, fps)]


def follow(old: SceneFile, new: SceneFile, space: Space, state: StateManager) -> None:
    """Have space and memory as an edit of the scene file wants them."""
    if new.space != old.space:
        space.reshape(new.space.kind, new.space.width, new.space.height)
    if new.memory != old.memory:
        state.limit_memory(new.memory)


def _lines(old: SceneFile, new: SceneFile, given: Mapping[str, Mapping[str, Any]], fps: float | None) -> Iterator[str]:
    for name in ("title", "preset"):
        if getattr(old, name) != getattr(new, name):
            yield f"{name} is now {getattr(new, name)!r}, was {getattr(old, name)!r}"
    if old.fps != new.fps:
        above = "" if fps is None else f": not followed, as {fps:g} was given for this run"
        yield f"fps is now {new.fps}, was {old.fps}{above}"
    for name in ("seed", "threads"):
        if (before := getattr(old, name)) != (now := getattr(new, name)):
            yield f"{name} = {now} counts from the next start on: a world that runs keeps its own; it was {before}"
    if old.memory != new.memory:
        yield f"memory is now {_limit(new.memory)}, was {_limit(old.memory)}"
    yield from _modules(old.modules, new.modules)
    if old.space != new.space:
        yield f"space is now {_space(new)}, was {_space(old)}"
    yield from _values("params", _flat(old.params), _flat(new.params), _flat(given))
    yield from _values("budget", _named(old.budget), _named(new.budget), {})


def _modules(old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[str]:
    if added := [name for name in new if name not in old]:
        yield f"added {', '.join(added)}"
    if removed := [name for name in old if name not in new]:
        yield f"removed {', '.join(removed)}"
    kept = [name for name in new if name in old]
    if kept != [name for name in old if name in new]:
        yield f"modules update in the order {', '.join(new)}"


def _values(
    table: str,
    old: Mapping[tuple[str, ...], Any],
    new: Mapping[tuple[str, ...], Any],
    above: Mapping[tuple[str, ...], Any],
) -> Iterator[str]:
    for key in (*new, *(key for key in old if key not in new)):
        before, now = old.get(key), new.get(key)
        if before == now and type(before) is type(now):
            continue
        text = f"{written((table, *key))} is " + ("left out now" if now is None else f"now {now!r}")
        text += "" if before is None else f", was {before!r}"
        yield text + (f": not followed, as {above[key]!r} was given for this run" if key in above else "")


def _flat(values: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, ...], Any]:
    return {(*module.split("."), name): value for module, named in values.items() for name, value in named.items()}


def _named(values: Mapping[str, Any]) -> dict[tuple[str, ...], Any]:
    return {(name,): value for name, value in values.items()}


def _space(scene: SceneFile) -> str:
    return f"a {scene.space.kind} of {scene.space.width:g} × {scene.space.height:g}"


def _limit(size: int | None) -> str:
    return "without limit" if size is None else f"limited to {shown_size(size)}"
