"""The objects that versions are made of, and who outside refers to them.

A module is a cycle: its functions refer to its namespace, which refers to them. While a world runs, the collector of
cycles is kept away from what has grown old; so the cycles of old versions are looked at here: all that their modules
lead to is counted, and what nobody outside refers to is taken apart.
"""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Iterable
from io import IOBase
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    ModuleType,
)
from typing import Any

from instar.hmr.code.load.loading import Instance

MOST_OBJECTS = 6_000
"""What is looked at in one go; a version that leads to more is left to the collector."""

_LEAVES = (str, bytes, int, float, complex, type(None), CodeType, FrameType, range, slice, logging.Logger)
_EXACT_LEAVES = frozenset((*_LEAVES, bool))
_LINKS = tuple(
    kind for kind in object.__subclasses__() if (kind.__module__, kind.__name__) == ("functools", "_lru_list_elem")
)
"""What a cache of functools is made of; it refers to each once more than it tells the collector."""
_RUNNING = (GeneratorType, CoroutineType, AsyncGeneratorType)


class Parts:
    """All that some instances lead to, but for modules, and functions and classes of others."""

    def __init__(self, instances: list[Instance]) -> None:
        """Gathers; takes the list for its own, and nobody else may refer to an instance just to call this."""
        self._objects: list[Any] = instances
        self._names = frozenset(found.module.__name__ for found in self._objects)
        self.scopes = {id(found.module.__dict__): found.module.__name__ for found in self._objects}
        self._places = {id(found): place for place, found in enumerate(self._objects)}
        self._referents: list[list[int]] = []
        self.is_complete = self._gather()
        self._roots = self._referred_to() if self.is_complete else []
        self._alive = self._reached(self._roots) if self.is_complete else set()

    def held(self) -> dict[str, Any]:
        """Returns the modules that can be reached from outside, by name, with the nearest object that is referred to."""
        if not self.is_complete:
            return {}
        return {
            name: self._nearest(self._places[scope])
            for scope, name in self.scopes.items()
            if self._places[scope] in self._alive
        }

    def __contains__(self, found: object) -> bool:
        return id(found) in self._places

    def free(self) -> int:
        """Takes apart what cannot be reached from outside; returns how many objects that were.

        Where code of the versions would run in the course of it, which needs all of them, nothing is done: the collector
        does it right. Where other code would, only the versions themselves are taken apart.
        """
        dead = [found for place, found in enumerate(self._objects) if place not in self._alive]
        self._objects.clear()
        finalized = [type(found).__module__ for found in dead if _has_finalizer(found)]
        if any(isinstance(found, _RUNNING) for found in dead) or not self._names.isdisjoint(finalized):
            return 0
        count = len(dead)
        while dead:
            self._take_apart(dead.pop(), whole=not finalized)
        return count

    def _take_apart(self, found: Any, whole: bool) -> None:
        if isinstance(found, type):
            _empty(found)
        elif isinstance(found, dict | list | set):
            if whole or id(found) in self.scopes or "__import__" in found:
                found.clear()
        elif isinstance(found, Instance) or (whole and type(found).__module__ in self._names):
            getattr(found, "__dict__", {}).clear()

    def _gather(self) -> bool:
        for found in self._objects:
            places = []
            for other in gc.get_referents(found):
                if type(other) in _EXACT_LEAVES:
                    continue
                place = self._places.get(id(other))
                if place is None and self._is_own(other):
                    place = self._places[id(other)] = len(self._objects)
                    self._objects.append(other)
                if place is not None:
                    places.append(place)
            self._referents.append(places)
            if len(self._objects) > MOST_OBJECTS:
                return False
        return True

    def _is_own(self, found: Any) -> bool:
        if isinstance(found, FunctionType):
            return found.__closure__ is not None or id(found.__globals__) in self.scopes
        if isinstance(found, BuiltinFunctionType):
            return not isinstance(found.__self__, ModuleType)
        if isinstance(found, dict) and "__builtins__" in found:
            return id(found) in self.scopes
        if isinstance(found, type):
            return getattr(found, "__module__", None) in self._names
        if isinstance(found, ModuleType):
            return id(found.__dict__) in self.scopes
        return not isinstance(found, _LEAVES) and type(found) is not Instance

    def _referred_to(self) -> list[int]:
        """Returns the places of what more refers to than can be found among the objects."""
        counts = [int(isinstance(found, _LINKS)) for found in self._objects]
        for referents in self._referents:
            for place in referents:
                counts[place] += 1
        alone = _references([object()], 0)
        return [
            place for place in range(len(self._objects)) if _references(self._objects, place) > alone + counts[place]
        ]

    def _reached(self, roots: Iterable[int]) -> set[int]:
        waiting = list(roots)
        reached = set(waiting)
        while waiting:
            new = [place for place in self._referents[waiting.pop()] if place not in reached]
            reached.update(new)
            waiting.extend(new)
        return reached

    def _nearest(self, target: int) -> Any:
        """Returns the object referred to from outside from which the one at a place is reached in the fewest steps."""
        referrers: dict[int, list[int]] = {}
        for place, referents in enumerate(self._referents):
            for other in referents:
                referrers.setdefault(other, []).append(place)
        waiting, seen, roots = [target], {target}, set(self._roots)
        for place in waiting:
            if place in roots:
                return self._objects[place]
            new = [other for other in referrers.get(place, ()) if other not in seen]
            seen.update(new)
            waiting.extend(new)
        raise LookupError(target)


def _references(objects: list[Any], place: int) -> int:
    return sys.getrefcount(objects[place])


def _has_finalizer(found: Any) -> bool:
    return hasattr(type(found), "__del__") and not isinstance(found, IOBase)


def _empty(found: type) -> None:
    """Removes what a class defines, so that its functions go with it."""
    for name, value in list(vars(found).items()):
        if isinstance(value, FunctionType | property | classmethod | staticmethod):
            type.__delattr__(found, name)
