"""What executing files does to the process besides making modules: told, and taken back where the load fails."""

from __future__ import annotations

import atexit
import functools
import inspect
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType, ModuleType
from typing import Any

from instar.hmr.code.load.lines import unit_of

_OWN_THREADS = "instar-"


class Effects:
    """The state of the process when a load began, to be compared with when it has ended.

    Threads, atexit and logging handlers, warnings filters, `sys.path`, `os.environ`, the current folder and the
    exception hooks. Handlers of signals need no look: Python refuses to set them in the thread that loads. Each edit pays
    for this, so it is held as the process has it, unread: the environment as bytes, the folder as text.
    """

    def __init__(self) -> None:
        self._threads = frozenset(threading.enumerate())
        self._exit_handlers = _exit_handlers()
        self._log_handlers = {id(handler) for _, handler in _log_handlers()}
        self._filters = list(warnings.filters)
        self._path = list(sys.path)
        self._environment = dict(_environment())
        self._folder = _folder()
        self._hooks = sys.excepthook, threading.excepthook

    def told(self) -> tuple[str, ...]:
        """Returns what files did at import that they would do again at each edit, a sentence each, for people."""
        said = [
            f"{place} started the thread {thread.name!r} at import, and each edit of it will start another: start it in "
            "setup and stop it in dispose, or make it with keep."
            for thread, place in self._started()
        ]
        if _exit_handlers() > self._exit_handlers:
            said.append("An atexit handler was registered at import, and each edit will register another: use dispose.")
        said += [
            f"A handler was added to the logger {logger.name!r} at import, and each edit will add another: add it in setup, "
            "or only where the logger has none."
            for logger, handler in _log_handlers()
            if id(handler) not in self._log_handlers
        ]
        if len(sys.path) > len(self._path):
            said.append(
                "sys.path was extended at import, and each edit will do so again: files of the scene need no path."
            )
        return tuple(said)

    def undo(self, modules: Iterable[ModuleType]) -> tuple[str, ...]:
        """Takes back what it can after `modules` were given up.

        Returns:
            What stays, a sentence each, for people.
        """
        exit_handlers = _exit_handlers() - self._exit_handlers - self._unregistered(modules)
        for logger, handler in _log_handlers():
            if id(handler) not in self._log_handlers:
                logger.removeHandler(handler)
        if warnings.filters != self._filters:
            with warnings.catch_warnings():  # it also makes `warnings` forget what it knew by the filters
                pass
            warnings.filters[:] = self._filters  # type: ignore[index]
        if sys.path != self._path:
            sys.path[:] = self._path
        self._restore_environment()
        if self._folder is not None and _folder() != self._folder:
            os.chdir(self._folder)
        sys.excepthook, threading.excepthook = self._hooks
        return tuple(
            f"The thread {thread.name!r} that {place} started goes on until it ends by itself."
            for thread, place in self._started()
        ) + (("An atexit handler that it registered stays.",) if exit_handlers > 0 else ())

    def _unregistered(self, modules: Iterable[ModuleType]) -> int:
        """Unregisters functions of `modules` from atexit, and returns how often they were registered.

        Nothing else tells: `atexit` goes on counting what was unregistered.
        """
        count = 0
        if _exit_handlers() > self._exit_handlers:
            for module in modules:
                for value in list(vars(module).values()):
                    if isinstance(value, FunctionType):
                        references = sys.getrefcount(value)
                        atexit.unregister(value)
                        count += references - sys.getrefcount(value)
        return count

    def _restore_environment(self) -> None:
        now = _environment()
        if now == self._environment:
            return
        for name in now.keys() - self._environment.keys():
            del os.environb[name]
        for name, value in self._environment.items():
            if now.get(name) != value:
                os.environb[name] = value

    def _started(self) -> list[tuple[threading.Thread, str]]:
        """Returns the threads that files of a scene started since, with the file and line of what they run."""
        found = []
        for thread in threading.enumerate():
            if thread not in self._threads and not thread.name.startswith(_OWN_THREADS):
                place = _place(_runs(thread))
                if place is not None:
                    found.append((thread, place))
        return found


def _exit_handlers() -> int:
    return atexit._ncallbacks()  # noqa: SLF001 - they cannot be listed


def _log_handlers() -> list[tuple[logging.Logger, logging.Handler]]:
    known: Iterable[object] = list(logging.Logger.manager.loggerDict.values())
    return [
        (logger, handler)
        for logger in (logging.root, *known)
        if isinstance(logger, logging.Logger)
        for handler in logger.handlers
    ]


def _environment() -> Mapping[bytes, bytes]:
    """Returns the variables behind `os.environ` without decoding them."""
    found: Mapping[bytes, bytes] = os.environb._data  # type: ignore[attr-defined]  # noqa: SLF001 - it has no other name
    return found


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - a Path costs more than all the rest here
    except OSError:
        return None


def _runs(thread: threading.Thread) -> Callable[..., Any]:
    """Returns the function that a thread was made to run."""
    if type(thread).run is not threading.Thread.run and not isinstance(thread, threading.Timer):
        return type(thread).run
    target = getattr(thread, "function", None) or getattr(thread, "_target", None) or thread.run
    while isinstance(target, functools.partial):
        target = target.func
    return inspect.unwrap(target) if callable(target) else thread.run


def _place(function: Callable[..., Any]) -> str | None:
    """Returns the file and line of a function of a scene, None for others."""
    function = getattr(function, "__func__", function)
    unit = unit_of(getattr(function, "__globals__", {}))
    if unit is None or not isinstance(function, FunctionType):
        return None
    return f"{unit.source.path}:{function.__code__.co_firstlineno}"
