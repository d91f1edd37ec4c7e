"""Objects that outlive the version whose classes made them become objects of the classes that run.

A scene's modules own no state, so only what `keep` keeps lives on from version to version. At a swap each object in it
that is of a class of the scene gets the class of that name in the program that runs, as IPython's autoreload and others
do: `isinstance`, `match`, methods and pickle see one class. Members of enums, classes, functions and bound methods of the
scene that are found in its attributes and containers are replaced by those of the same name. Going back to an older
program does the same in the other direction.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from enum import Enum
from types import FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

from instar.hmr.code.load.names import name_in_scene

MOST_OBJECTS = 20_000
"""How many objects are looked through, at most."""


def adopt(roots: Iterable[object], modules: Mapping[str, ModuleType]) -> tuple[str, ...]:
    """Makes objects those of the classes that run; takes microseconds for each that is looked at.

    Args:
        roots: objects; what their attributes and containers lead to is looked through as well.
        modules: what runs, by dotted name in the scene.

    Returns:
        The classes whose objects could not change theirs, each with the reason, for people.
    """
    adoption = _Adoption(modules)
    adoption.through(roots)
    return tuple(f"{name}: {why}" for name, why in adoption.stuck.items())


class _Adoption:
    def __init__(self, modules: Mapping[str, ModuleType]) -> None:
        self._modules = modules
        self._seen: dict[int, object] = {}
        self._waiting: deque[Any] = deque()
        self.stuck: dict[str, str] = {}

    def through(self, roots: Iterable[object]) -> None:
        self._waiting.extend(roots)
        while self._waiting and len(self._seen) < MOST_OBJECTS:
            found = self._waiting.popleft()
            if id(found) not in self._seen:
                self._seen[id(found)] = found
                self._look_into(found)

    def _look_into(self, found: Any) -> None:
        if isinstance(found, type | FunctionType | MethodType | Enum | ModuleType):
            return
        if name_in_scene(type(found).__module__) is not None:
            self._renew_class(found)
            for name in _slots(type(found)):
                if hasattr(found, name):
                    self._renew_slot(found, name)
        elif not isinstance(found, dict | list | tuple | set | frozenset | deque | SimpleNamespace):
            return
        self._renew_parts(getattr(found, "__dict__", None))
        self._renew_parts(found)

    def _renew_class(self, found: Any) -> None:
        current = self._current(type(found))
        if current is None:
            return
        try:
            object.__setattr__(found, "__class__", current)
        except TypeError as error:
            self.stuck[f"{name_in_scene(type(found).__module__)}.{type(found).__qualname__}"] = str(error)

    def _renew_slot(self, found: Any, name: str) -> None:
        before = getattr(found, name)
        after = self._renewed(before)
        if after is not before:
            object.__setattr__(found, name, after)

    def _renew_parts(self, parts: Any) -> None:
        if isinstance(parts, dict):
            self._renew_pairs(parts)
        elif isinstance(parts, list | deque):
            for index, value in enumerate(parts):
                after = self._renewed(value)
                if after is not value:
                    parts[index] = after
        elif isinstance(parts, set):
            values = [self._renewed(value) for value in parts]
            if any(value not in parts for value in values):
                parts.clear()
                parts.update(values)
        elif isinstance(parts, tuple | frozenset):
            self._waiting.extend(parts)

    def _renew_pairs(self, parts: dict[Any, Any]) -> None:
        before = list(parts.items())
        after = [(self._renewed(key), self._renewed(value)) for key, value in before]
        if any(new is not old for (new, _), (old, _) in zip(after, before, strict=True)):
            parts.clear()
            parts.update(after)
            return
        for (key, new), (_, old) in zip(after, before, strict=True):
            if new is not old:
                parts[key] = new

    def _renewed(self, value: Any) -> Any:
        """Returns what takes the place of a value; other values are looked into in their turn."""
        if isinstance(value, Enum):
            kind = self._current(type(value))
            return value if kind is None else getattr(kind, "__members__", {}).get(value.name, value)
        if isinstance(value, type):
            return self._current(value) or value
        if isinstance(value, FunctionType):
            found = self._named(value) if value.__closure__ is None else None
            return found if isinstance(found, FunctionType) else value
        if isinstance(value, MethodType) and name_in_scene(type(value.__self__).__module__) is not None:
            self._renew_class(value.__self__)
            self._waiting.append(value.__self__)
            found = getattr(type(value.__self__), value.__name__, None)
            return MethodType(found, value.__self__) if isinstance(found, FunctionType) else value
        self._waiting.append(value)
        return value

    def _current(self, kind: type) -> type | None:
        """Returns the class of the same name in what runs, None if there is none or it is that one."""
        found = self._named(kind)
        return found if isinstance(found, type) and found is not kind else None

    def _named(self, old: Any) -> object:
        name = name_in_scene(old.__module__ or "")
        found: object = None if name is None else self._modules.get(name)
        if found is None or getattr(found, "__name__", "") == old.__module__:
            return None
        for part in old.__qualname__.split("."):
            found = vars(found).get(part) if isinstance(found, ModuleType | type) else None
        return found


def _slots(kind: type) -> Iterable[str]:
    for base in kind.__mro__:
        named = vars(base).get("__slots__", ())
        yield from (named,) if isinstance(named, str) else named
