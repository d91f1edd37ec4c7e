"""`persist`: values of plain data that a module has in the world's state."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from instar.hmr.code.errors import LoadError
from instar.hmr.code.params import ParamNumber, Place, declarations
from instar.hmr.state import Persisted, PersistedValues
from instar.hmr.state.persistence.box import Entry

T = TypeVar("T")
_OF_A_SCENE = re.compile(r"@[0-9a-f]{12}(-\d+)?$")
_SHOWN = 60


@dataclass(frozen=True, slots=True, eq=False)
class DeclaredValue:
    """One `persist(...)` of a file.

    Attributes:
        key: the module's dotted name and the value's.
        entry: holds the default.
        box: what the file has.
        place: where it stands.
    """

    key: str
    entry: Entry
    box: Persisted[Any]
    place: Place

    @property
    def default(self) -> Any:
        """What it begins with."""
        return self.entry.value


def persist(name: str, default: T) -> Persisted[T]:
    """A value of plain data that is part of the world: committed, rolled back and saved with each frame, kept by edits.

    It stands at the top level of a file and is known by the file's name and its own. ``default`` is what a world begins with
    that has no such value; to change it later does not touch the value. Outside of a scene it is a box on its own.

    Example:
        ``score = persist("score", 0)``, and in a hook ``score.value += 10``

    Args:
        name: the value's name in the file, an identifier.
        default: None, bool, int, float, str, bytes, list, tuple, dict or set, nested, at most 64 KB.

    Returns:
        A box whose `value` hooks may read, assign, and change in place.

    Raises:
        PersistError: the default is no plain data.
        LoadError: it does not stand at the top level, or the name is none or taken.
    """
    frame = sys._getframe(1)  # noqa: SLF001 - whoever calls it is where the value is declared
    found = declarations()
    place = None if found is None else found.place(frame, f"persist({name!r}, …)")
    if found is None or place is None:
        refuse_in_function("persist", name, frame)
        return Persisted(_entry(str(name), f"{frame.f_code.co_filename}:{frame.f_lineno}", default))
    own = found.values.setdefault(place.unique_name, {})
    refuse_name("persist", name, place, {other: value.place for other, value in own.items()})
    key = f"{place.module}.{name}"
    box: Persisted[T] = Persisted(Entry(key, str(place)))
    own[name] = DeclaredValue(key, _entry(key, str(place), default), box, place)
    return box


def refuse_in_function(verb: str, name: object, frame: FrameType) -> None:
    """Sees that a call made while nothing is loaded is none of a scene's file.

    Raises:
        LoadError: it is, as when a hook makes it.
    """
    if _OF_A_SCENE.search(frame.f_globals.get("__name__", "")):
        problem = f"{verb}({name!r}, …) must stand at the top level of the file"
        raise LoadError(problem, path=Path(frame.f_code.co_filename), line=frame.f_lineno)


def refuse_name(verb: str, name: object, place: Place, taken: Mapping[str, Place]) -> None:
    """Sees that a name can be one of a file's values or objects.

    Raises:
        LoadError: it is no identifier, or the file has given it before.
    """
    if not (isinstance(name, str) and name.isidentifier()):
        problem, advice = f"{verb}({name!r}, …): {name!r} is no name", f"Give it a name of its own: {verb}('score', …)"
    elif name in taken:
        problem = f"{verb}({name!r}, …) is there twice, on line {taken[name].line} too"
        advice = "Give one of them another name."
    else:
        return
    raise LoadError(problem, path=place.path, line=place.line, advice=advice)


def adopt(values: PersistedValues, new: Mapping[str, DeclaredValue], old: Mapping[str, DeclaredValue]) -> list[str]:
    """Has the values of a program that begins to run: those there are stay, the others begin with their defaults.

    Args:
        values: the world's.
        new: what the program declares, by key.
        old: what the one before declared.

    Returns:
        What became of them, for people.
    """
    steps = []
    for key, declared in new.items():
        if key not in values:
            values.begin(key, declared.default)
            steps.append(f"{key}: persisted, begins with {_shown(declared.default)}")
        elif key not in old:
            steps.append(f"{key}: brought back with {_shown(values[key])}")
        else:
            steps += _kept(key, values[key], declared.default, old[key].default)
    bind(values, new)
    return steps + [f"{key}: parked with {_shown(values[key])}" for key in old if key not in new]


def bind(values: PersistedValues, program: Mapping[str, DeclaredValue]) -> None:
    """Has the boxes of a program, which may have been loaded anew, stand for a world's values."""
    for key, declared in program.items():
        declared.box.bind(values.entry(key))


def _kept(key: str, value: object, default: object, before: object) -> list[str]:
    if type(default) is not type(before) and type(default) is not type(value):
        kinds = f"of type {type(value).__name__}, while its default is now of type {type(default).__name__}"
        return [f"{key}: keeps {_shown(value)}, {kinds}"]
    if repr(default) != repr(before):
        return [f"{key}: keeps {_shown(value)}; its default is now {_shown(default)}"]
    return []


def _entry(key: str, place: str, default: object) -> Entry:
    entry = Entry(key, place)
    entry.become(
        entry.encode(default.live.value if isinstance(default, ParamNumber) else default, "Nothing has changed")
    )
    return entry


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
