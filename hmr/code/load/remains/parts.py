"""The objects that versions are made of, and which of them somebody outside refers to."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Iterable
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from instar.hmr.code.load.loading import Instance

MOST_OBJECTS = 20_000
"""What is looked at in all; versions that lead to more are left to the collector."""

_LEAVES = (str, bytes, int, float, complex, type(None), CodeType, FrameType, range, slice, logging.Logger)
_EXACT_LEAVES = frozenset((*_LEAVES, bool))
_LINKS = tuple(
    kind for kind in object.__subclasses__() if (kind.__module__, kind.__name__) == ("functools", "_lru_list_elem")
)
"""What a cache of functools is made of; it refers to each once more than it tells the collector."""


class Parts:
    """All that some instances lead to, but for modules, and functions and classes of others.

    Attributes:
        objects: They, as far as they were found.
    """

    def __init__(self, instances: list[Instance]) -> None:
        """Begins; takes the list for its own."""
        self.objects: list[Any] = instances
        self._names = frozenset(found.module.__name__ for found in instances)
        self._scopes = {id(found.module.__dict__): found.module.__name__ for found in instances}
        self._places = {id(found): place for place, found in enumerate(instances)}
        self._referents: list[list[int]] = []

    @property
    def are_too_many(self) -> bool:
        """Whether there are more than are looked at."""
        return len(self.objects) > MOST_OBJECTS

    def held(self) -> dict[str, Any]:
        """Returns the modules that can be reached from outside, by name, with the nearest object that is referred to.

        Nobody may hold an instance just to call this.
        """
        roots = self._referred_to()
        alive = self._reached(roots)
        places = [(name, self._places[scope]) for scope, name in self._scopes.items()]
        return {name: self._nearest(place, roots) for name, place in places if place in alive}

    def __contains__(self, found: object) -> bool:
        return id(found) in self._places

    def gather(self, most: int = MOST_OBJECTS) -> bool:
        """Looks at so many objects more; returns whether that was all, or they are too many."""
        end = len(self._referents) + most
        while len(self._referents) < min(end, len(self.objects)) and not self.are_too_many:
            found = self.objects[len(self._referents)]
            places = []
            for other in gc.get_referents(found):
                if type(other) in _EXACT_LEAVES:
                    continue
                place = self._places.get(id(other))
                if place is None and self._is_own(other):
                    place = self._places[id(other)] = len(self.objects)
                    self.objects.append(other)
                if place is not None:
                    places.append(place)
            self._referents.append(places)
        return self.are_too_many or len(self._referents) == len(self.objects)

    def _is_own(self, found: Any) -> bool:
        if isinstance(found, FunctionType):
            return found.__closure__ is not None or id(found.__globals__) in self._scopes
        if isinstance(found, BuiltinFunctionType):
            return not isinstance(found.__self__, ModuleType)
        if isinstance(found, dict) and "__builtins__" in found:
            return id(found) in self._scopes
        if isinstance(found, type):
            return getattr(found, "__module__", None) in self._names
        if isinstance(found, ModuleType):
            return id(found.__dict__) in self._scopes
        return not isinstance(found, _LEAVES) and type(found) is not Instance

    def _referred_to(self) -> list[int]:
        """Returns the places of what more refers to than can be found among the objects."""
        counts = [int(isinstance(found, _LINKS)) for found in self.objects]
        for referents in self._referents:
            for place in referents:
                counts[place] += 1
        alone = _references([object()], 0)
        return [place for place in range(len(self.objects)) if _references(self.objects, place) > alone + counts[place]]

    def _reached(self, roots: Iterable[int]) -> set[int]:
        waiting = list(roots)
        reached = set(waiting)
        while waiting:
            new = [place for place in self._referents[waiting.pop()] if place not in reached]
            reached.update(new)
            waiting.extend(new)
        return reached

    def _nearest(self, target: int, roots: Iterable[int]) -> Any:
        """Returns the object referred to from outside from which the one at a place is reached in the fewest steps."""
        referrers: dict[int, list[int]] = {}
        for place, referents in enumerate(self._referents):
            for other in referents:
                referrers.setdefault(other, []).append(place)
        waiting, seen, roots = [target], {target}, set(roots)
        for place in waiting:
            if place in roots:
                return self.objects[place]
            new = [other for other in referrers.get(place, ()) if other not in seen]
            seen.update(new)
            waiting.extend(new)
        raise LookupError(target)


def _references(objects: list[Any], place: int) -> int:
    return sys.getrefcount(objects[place])
