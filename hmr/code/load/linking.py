"""Links module-level names to their Params, and finds Params that went where no link reaches."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

from instar.hmr.code.load.loading import Instance
from instar.hmr.code.params import LiveParam, ParamNumber

_MOST_OBJECTS = 100_000


def bound_params(module: ModuleType) -> dict[str, LiveParam]:
    """Returns the Params that module-level names of a freshly executed file are bound to, by name."""
    return {name: value.live for name, value in vars(module).items() if isinstance(value, ParamNumber)}


def make_plain(module: ModuleType, bound: Mapping[str, LiveParam]) -> None:
    """Replaces the numbers under the names in `bound` by plain values."""
    vars(module).update({name: live.value for name, live in bound.items()})


def link(module: ModuleType, bound: Mapping[str, LiveParam]) -> None:
    """Has the names in `bound` follow their Params from now on."""
    for live in {id(live): live for live in bound.values()}.values():
        live.link(module, [name for name, found in bound.items() if found is live])


def refuse_lost(instances: Mapping[str, Instance], numbers: Iterable[ParamNumber]) -> None:
    """Sees that each number is still bound to the name that it was declared under.

    Raises:
        ParamError: the file gave the name to something else, so no change could reach it.
    """
    for declaration, live in ((number.live.declaration, number.live) for number in numbers):
        declarer = instances.get(declaration.module)  # none if it failed and was given up by its importer
        if declarer is not None and declarer.params.get(declaration.name) is not live:
            raise declaration.error(
                "the file binds the name again at its top level; give what is computed from the Param a name of its own"
            )


def refuse_captured(modules: Iterable[ModuleType], numbers: list[ParamNumber]) -> None:
    """Sees that no number is left in the freshly executed and linked `modules`.

    Raises:
        ParamError: a default argument, closure, class attribute, container or object holds one of `numbers`.
    """
    held = set()
    for index in range(len(numbers)):
        if sys.getrefcount(numbers[index]) > 2:  # the list and the argument
            held.add(id(numbers[index]))
    if not held:
        return
    names = {module.__name__ for module in modules}
    for module in modules:
        for found, trail, line in _Search(names, held).through(vars(module)):
            declaration = found.live.declaration
            error = declaration.error(f"its value would be stuck in {trail}, where no change reaches it", line)
            error.advice = (
                f"Ask for `params` in the hook and use params.{declaration.name}, or read {declaration.name} inside "
                "the function that needs it."
            )
            raise error


class _Search:
    """Looks through what the names of a file lead to, as far as it was made by the files of the scene."""

    def __init__(self, modules: set[str], held: set[int]) -> None:
        self._modules = modules
        self._held = held
        self._seen: set[int] = set()

    def through(self, namespace: Mapping[str, Any]) -> Iterator[tuple[ParamNumber, str, int | None]]:
        """Yields each number with the words for its place and the line of the function around it, if there is one."""
        for name, value in list(namespace.items()):
            if not name.startswith("__"):
                yield from self._look(value, name, None)

    def _look(self, value: Any, trail: str, line: int | None) -> Iterator[tuple[ParamNumber, str, int | None]]:
        if isinstance(value, ParamNumber):
            if id(value) in self._held:
                yield value, trail, line
            return
        if id(value) in self._seen or len(self._seen) > _MOST_OBJECTS:
            return
        self._seen.add(id(value))
        if isinstance(value, FunctionType):
            line = value.__code__.co_firstlineno
        for part, words in self._parts(value, trail):
            yield from self._look(part, words, line)

    def _parts(self, value: Any, trail: str) -> Iterator[tuple[Any, str]]:
        if isinstance(value, FunctionType):
            yield from _parts_of_function(value, trail)
        elif isinstance(value, list | tuple | set | frozenset):
            yield from ((part, f"an element of {trail}") for part in value)
        elif isinstance(value, dict):
            yield from ((part, f"an element of {trail}") for pair in value.items() for part in pair)
        elif isinstance(value, functools.partial):
            yield from (
                (part, f"an argument of {trail}") for part in (value.func, *value.args, *value.keywords.values())
            )
        elif isinstance(value, staticmethod | classmethod):
            yield value.__func__, trail
        elif isinstance(value, property):
            yield from ((part, trail) for part in (value.fget, value.fset, value.fdel))
        elif isinstance(value, type):
            if value.__module__ in self._modules:
                yield from ((part, f"{trail}.{name}") for name, part in list(vars(value).items()))
        elif getattr(type(value), "__module__", None) in self._modules:
            yield from ((part, f"{trail}.{name}") for name, part in list(getattr(value, "__dict__", {}).items()))


def _parts_of_function(function: FunctionType, trail: str) -> Iterator[tuple[Any, str]]:
    defaults = function.__defaults__ or ()
    positional = inspect.getfullargspec(function).args if defaults else []
    for name, default in zip(positional[len(positional) - len(defaults) :], defaults, strict=True):
        yield default, f"the default of {name} in {trail}()"
    for name, default in (function.__kwdefaults__ or {}).items():
        yield default, f"the default of {name} in {trail}()"
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield cell.cell_contents, f"the closure of {trail}() as {name}"
        except ValueError:  # a name that its function has not bound yet
            continue
    yield from ((part, f"{trail}.{name}") for name, part in function.__dict__.items())
