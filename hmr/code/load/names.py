"""The names of versions outside of their scene: what pickle and others find under them.

A module's `__name__` is unique, such as ``flock@1f3c5e7a9b2d``, and is in `sys.modules` while its version runs or is
being loaded. Pickles name classes and functions by it. So an import of such a name finds the version as long as anybody
uses it, and otherwise the newest one of the file: values pickled before an edit, or in an earlier run, become objects of
the classes there are now. A process that runs no such scene is told so.
"""

from __future__ import annotations

import re
import sys
import threading
import weakref
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

UNIQUE_NAME = re.compile(r"(?P<name>[^@]+)@[0-9a-f]{12}(-\d+)?")

_there: weakref.WeakValueDictionary[str, ModuleType] = weakref.WeakValueDictionary()
_newest: dict[str, weakref.ref[ModuleType]] = {}
_aliases: set[str] = set()
_lock = threading.Lock()


def name_in_scene(unique_name: str) -> str | None:
    """Returns the dotted name of a file in its scene, None if this is no name of a version."""
    found = UNIQUE_NAME.fullmatch(unique_name)
    return None if found is None else found["name"]


def came(module: ModuleType) -> None:
    """Notes a version."""
    _there[module.__name__] = module


def runs(name: str, module: ModuleType) -> None:
    """Notes that this is the newest version of a file; where two scenes have a file of the name, of the last of them."""
    _newest[name] = weakref.ref(module)


def forget_aliases() -> None:
    """Takes out of `sys.modules` what imports of old names have put there."""
    with _lock:
        while _aliases:
            alias = _aliases.pop()
            if isinstance(sys.modules.get(alias), _Alias):
                del sys.modules[alias]


def _find(unique_name: str) -> ModuleType | None:
    found = _there.get(unique_name)
    if found is None:
        newest = _newest.get(name_in_scene(unique_name) or "")
        found = None if newest is None else newest()
    return found


class _Alias(ModuleType):
    """Stands in `sys.modules` for a version that is not listed."""

    def __getattr__(self, name: str) -> Any:
        found = None if name.startswith("__") else _find(self.__name__)
        if found is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(found, name)


class _AliasLoader(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        with _lock:
            _aliases.add(spec.name)
        return _Alias(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to execute."""


class _Finder(MetaPathFinder):
    """Finds versions by their unique names; it is asked last, and other names are no concern of it."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the signature of finders
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        name = name_in_scene(fullname)
        if name is None:
            return None
        if _find(fullname) is None:
            raise ModuleNotFoundError(
                f"{name} is a module of a scene that this process does not run, so nothing of it can be unpickled here. What "
                "goes to other processes belongs into a package that is installed; plain values need no module.",
                name=fullname,
            )
        return ModuleSpec(fullname, _AliasLoader())


def install() -> None:
    """Has imports find versions from now on."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())


install()
