"""Versions that were executed, until they are gone.

A module is a cycle: its functions refer to its namespace, which refers to them. While a world runs, the collector of cycles
is kept away from what has grown old; so what old versions are made of is shown to it again as if it were young.
"""

from __future__ import annotations

import gc
import logging
import threading
import typing
import weakref
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from instar.hmr.code.load.loading import Instance
from instar.hmr.code.load.remains.holders import holder
from instar.hmr.code.load.remains.parts import Parts
from instar.hmr.code.load.remains.young import make_young

MOST_AT_ONCE = 1_000
"""Objects that one sweep looks at."""
SWEEPS_UNTIL_TOLD = 3
"""How often a version is found to be held until people are told: somebody may be about to let it go."""


class Swept(NamedTuple):
    """What came of looking for old versions.

    Attributes:
        freed: how many objects went.
        leaks: who holds a version that no program uses, a sentence each; each version once.
        is_last: whether all versions have been looked at that were unused when the first of them was.
    """

    freed: int = 0
    leaks: tuple[str, ...] = ()
    is_last: bool = True


class User(Protocol):
    """What uses versions: a program."""

    @property
    def instances(self) -> typing.Mapping[str, Instance]:
        """The versions that it uses."""


class Remains:
    """Frees versions that no program uses any more, and tells who holds one that cannot go.

    It refers to nothing but what it is looking at. Versions and programs may come from any thread.

    Attributes:
        building: held while a program is built. What is being built holds old versions for a while; and whoever looks for
            them then gets hold of tuples that are not finished, which CPython cannot finish any more.
    """

    def __init__(self) -> None:
        self.building = threading.Lock()
        self._lock = threading.Lock()
        self._versions: dict[int, weakref.ref[Instance]] = {}
        self._users: list[weakref.ref[User]] = []
        self._held: dict[int, int] = {}
        self._waiting: list[list[int]] = []
        self._looked_at: list[int] = []
        self._parts: Parts | None = None
        self._holders: dict[str, str] = {}

    def came(self, instances: Iterable[Instance], user: User | None) -> None:
        """Notes versions that were executed, and the program that uses them; none if their load failed.

        Versions are told apart by their identity: one that failed leaves its name to the next of the same content.
        """
        with self._lock:
            for found in instances:
                self._versions[id(found)] = weakref.ref(found)
                self._held.pop(id(found), None)
            if user is not None:
                self._users = [known for known in self._users if known() is not None]
                self._users.append(weakref.ref(user))

    def sweep(self) -> Swept:
        """Looks a while longer at what one unused version, with those that it is linked with, is made of.

        When that is known the collector looks at it. Takes microseconds where there is none, else up to about 2 ms.
        """
        if self._parts is None:
            if not self._waiting:
                self._waiting = _linked(self._unused())
            if not self._waiting:
                return Swept()
            self._looked_at = self._waiting.pop(0)
            self._parts = Parts(self._unused(self._looked_at))
        if not self._parts.gather(MOST_AT_ONCE):
            return Swept(is_last=False)
        parts, self._parts = self._parts, None
        if parts.are_too_many:
            self._held.update(dict.fromkeys(self._looked_at, SWEEPS_UNTIL_TOLD))
            return Swept(is_last=not self._waiting)
        make_young(parts.objects)
        del parts  # or it would count as one who refers to them
        freed, leaks = self._collect(self._looked_at)
        return Swept(freed, leaks, not self._waiting)

    def _collect(self, versions: Collection[int]) -> tuple[int, tuple[str, ...]]:
        names = {found.module.__name__ for found in self._unused(versions)}
        freed = gc.collect(0)
        if self._unused(versions):
            _clear_caches()
            freed += gc.collect(1)
        unused = self._unused()
        left = {
            id(found): found.module.__name__
            for found in self._unused(versions)
            if not any(_reaches(other, found) and id(other) not in versions for other in unused)
        }
        _forget_loggers(names.difference(found.module.__name__ for found in unused))
        del unused  # or it would hold them too
        return freed, self._leaks(left)

    def _leaks(self, versions: Mapping[int, str]) -> tuple[str, ...]:
        """Counts that versions were found to be held; tells who holds those for which it is time."""
        if not self.building.acquire(blocking=False):
            return ()
        try:
            return self._found_held(versions)
        finally:
            self.building.release()

    def _found_held(self, versions: Mapping[int, str]) -> tuple[str, ...]:
        leaks: tuple[str, ...] = ()
        due = {name for version, name in versions.items() if self._held.get(version, 0) == SWEEPS_UNTIL_TOLD - 1}
        if due:
            parts = Parts(self._unused(versions))
            parts.gather()
            held = parts.held()
            leaks = tuple(_sentence(name, self._holder(name, held[name], parts)) for name in held if name in due)
        self._held.update({version: self._held.get(version, 0) + 1 for version in versions})
        return leaks

    def _holder(self, name: str, part: Any, parts: Parts) -> str:
        """Who holds a version; searched for once for each file, as all objects of the process are looked at."""
        file = name.partition("@")[0]
        if file not in self._holders:
            self._holders[file] = holder(name, part, parts)
        return self._holders[file]

    def _unused(self, versions: Collection[int] | None = None) -> list[Instance]:
        """Returns the versions that no program uses, some of them or all, but for those that cannot go."""
        with self._lock:
            used = {
                id(instance)
                for known in self._users
                if (user := known()) is not None
                for instance in user.instances.values()
            }
            self._versions = {version: known for version, known in self._versions.items() if known() is not None}
            return [
                found
                for version, known in self._versions.items()
                if (versions is None or version in versions)
                and self._held.get(version, 0) < SWEEPS_UNTIL_TOLD
                and (found := known()) is not None
                and version not in used
            ]


def _linked(versions: Iterable[Instance]) -> list[list[int]]:
    """Returns the ids of versions, those together that can reach each other: they go together or not at all.

    Those that others can reach come after them, which hold them.
    """
    groups: list[list[Instance]] = []
    for found in sorted(versions, key=lambda one: -len(one.closure)):
        group = next((group for group in groups if _reaches(found, group[0]) and _reaches(group[0], found)), None)
        if group is None:
            groups.append([found])
        else:
            group.append(found)
    return [[id(found) for found in group] for group in groups]


def _reaches(one: Instance, other: Instance) -> bool:
    return one.closure.get(other.name) is other


def _sentence(name: str, who: str) -> str:
    module, _, version = name.partition("@")
    return (
        f"{module} (version {version}) is no longer used, but stays in memory: it is held by {who}. Each edit may leave "
        "another; let go of it in dispose, or make it with keep."
    )


def _clear_caches() -> None:
    """Empties the caches of `typing`, which hold the classes they were asked about."""
    cleanups: list[Callable[[], None]] = getattr(typing, "_cleanups", [])
    for clear in cleanups:
        clear()


def _forget_loggers(modules: Collection[str]) -> None:
    """Has logging forget the loggers that were named by modules, `getLogger(__name__)`: each version has one."""
    loggers = logging.Logger.manager.loggerDict
    for name in modules:
        logger = loggers.get(name)
        if isinstance(logger, logging.Logger) and not logger.handlers:
            del loggers[name]
