"""Who holds an old version: a thread, a name of a module, or what can be said of it."""

from __future__ import annotations

import gc
import re
import sys
import threading
from collections.abc import Mapping
from types import FrameType, FunctionType, MethodType, ModuleType
from typing import Any

from instar.hmr.code.load.remains.parts import Parts

MOST_TRACKED = 300_000
"""Objects in the process up to which it is searched for who refers to what: that takes 10 ns for each, a few times."""
_MOST_STEPS = 5
_VERSION = re.compile(r"@[0-9a-f]{12}(-\d+)?$")


def holder(name: str, root: Any, parts: Parts) -> str:
    """Returns who holds the version called `name` by its part `root`, in words that follow "is held by"."""
    thread = _thread_in(name)
    if thread is not None:
        return thread
    gc.unfreeze()  # what is frozen is not searched; whoever freezes does so again
    found = _climb(root, parts) if len(gc.get_objects()) <= MOST_TRACKED else None
    return f"{found}, which leads to {_described(root)}" if found else f"somebody who refers to {_described(root)}"


def _thread_in(name: str) -> str | None:
    threads = {thread.ident: thread for thread in threading.enumerate()}
    for ident, innermost in sys._current_frames().items():  # noqa: SLF001 - there is no other way to look at a thread
        frame: FrameType | None = innermost
        while frame is not None:
            if frame.f_globals.get("__name__") == name:
                label = threads[ident].name if ident in threads else str(ident)
                code = frame.f_code
                return f"the thread {label!r}, which is in {code.co_name} ({code.co_filename}:{frame.f_lineno})"
            frame = frame.f_back
    return None


def _climb(root: Any, parts: Parts) -> str | None:
    """Follows references upward, from the part that is referred to, until something has a name."""
    level, seen = [root], {id(root)}
    for _ in range(_MOST_STEPS):
        above = [found for found in gc.get_referrers(*level) if _counts(found, parts, level, seen)]
        for found in above:
            named = _named(found, level)
            if named is not None:
                return named
        seen.update(map(id, above))
        level = above[:100]
        if not level:
            return None
    return None


def _counts(found: Any, parts: Parts, level: list[Any], seen: set[int]) -> bool:
    return (
        found is not level and id(found) not in seen and found not in parts and not isinstance(found, FrameType | Parts)
    )


def _named(found: Any, level: list[Any]) -> str | None:
    if isinstance(found, threading.Thread):
        return f"the thread {found.name!r}"
    if not isinstance(found, dict):
        return None
    module = _module_of(found)
    if module is None:
        return None
    ids = {id(one) for one in level}
    name = next((str(name) for name, value in found.items() if id(value) in ids), None)
    return None if name is None else f"{_VERSION.sub('', module)}.{name}"


def _module_of(namespace: Mapping[Any, Any]) -> str | None:
    name = namespace.get("__name__")
    module = sys.modules.get(name) if isinstance(name, str) else None
    return name if isinstance(module, ModuleType) and module.__dict__ is namespace else None


def _described(part: Any) -> str:
    if isinstance(part, MethodType):
        part = part.__func__
    if isinstance(part, FunctionType):
        return f"its function {part.__qualname__} ({part.__code__.co_filename}:{part.__code__.co_firstlineno})"
    if isinstance(part, type):
        return f"its class {part.__qualname__}"
    if isinstance(part, ModuleType) or (isinstance(part, dict) and "__builtins__" in part):
        return "the module"
    kind = type(part)
    return (
        f"an object of its class {kind.__qualname__}"
        if "@" in kind.__module__
        else f"a {kind.__name__} that leads to it"
    )
