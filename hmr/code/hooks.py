"""Hooks: the functions of a module that the runtime calls, and what each asks for."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Literal, NamedTuple, TypeVar

from instar.hmr.code.errors import HookError

Kind = Literal["setup", "update", "validate", "migrate", "dispose", "every"]
_NAMED: tuple[Kind, ...] = ("setup", "update", "validate", "migrate", "dispose")
_MIGRATE = ("old", "new")
"""What a `migrate` takes: its tables as they were, and as they will be."""
VALIDATE_EVERY = 300
"""Frames from one call of a `validate` hook to the next, unless `@every` says otherwise."""
_MARK = "__instar_every__"
_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Hook:
    """One function that the runtime calls.

    Attributes:
        module: dotted name of the module in the scene.
        name: the function's name in it.
        kind: `setup` (once), `update` (each frame), `validate` (after the others, where all is checked), `migrate` (where an
            edit would lose something), `dispose` (when its version has been replaced, or the run ends) or `every` (marked
            with `@every`, under any other name).
        function: what to call.
        names: what to pass by position, in order: tables and injected names.
        keywords: what to pass by keyword.
        every: it is called once in so many frames; unless marked with `@every` 1, or `VALIDATE_EVERY` for `validate`.
        path: the file it stands in.
        line: the line of its definition.
    """

    module: str
    name: str
    kind: Kind
    function: Callable[..., Any]
    names: tuple[str, ...]
    keywords: tuple[str, ...]
    every: int
    path: Path
    line: int


def every(frames: int) -> Callable[[_F], _F]:
    """Marks a function of a module as a hook that is called once in so many frames: `@every(frames=60)`.

    Raises:
        HookError: `frames` is not a whole number above zero.
    """
    if not isinstance(frames, int) or isinstance(frames, bool) or frames < 1:
        raise HookError(f"@every(frames={frames!r}): frames is a whole number of at least 1, such as @every(frames=60)")

    def mark(function: _F) -> _F:
        if not callable(function):
            raise HookError(f"@every(frames={frames}) marks functions, not {function!r}")
        setattr(function, _MARK, frames)
        return function

    return mark


def find_hooks(module: ModuleType, name: str, path: Path, known_names: Collection[str]) -> tuple[Hook, ...]:
    """Returns the hooks that a file defines, in the order of their lines.

    Args:
        module: the executed file; only functions that were defined in it are hooks, those it imported are not.
        name: its dotted name in the scene.
        path: the file.
        known_names: what hooks may ask for: tables and injected names.

    Raises:
        HookError: a hook is no plain function, or asks for a name that there is not.
    """
    hooks: dict[int, Hook] = {}
    for bound, value in list(vars(module).items()):
        if type(value) is FunctionType and bound not in _NAMED and getattr(value, _MARK, None) is None:
            continue  # what nearly all are
        inner = _innermost(value)
        if isinstance(inner, FunctionType) and inner.__module__ == module.__name__:
            marked = getattr(value, _MARK, None)
            if (bound in _NAMED or marked is not None) and id(value) not in hooks:
                hooks[id(value)] = _hook(value, inner, _Place(name, bound, path), known_names)
        elif bound in _NAMED and _stands_for_a_hook(value):
            raise HookError(
                f"{bound} is a {type(value).__name__}; a hook is a function defined in the file",
                path=path,
                advice=f"Write def {bound}(...): and call the object in it.",
            )
    return tuple(sorted(hooks.values(), key=lambda hook: hook.line))


def _innermost(value: Any) -> Any:
    """Returns what decorators that keep `__wrapped__` were put around; `value` itself if there is nothing."""
    if type(value) is FunctionType and not value.__dict__:
        return value
    try:
        return inspect.unwrap(value) if callable(value) and not isinstance(value, type) else value
    except ValueError:  # it wraps itself
        return value


def _stands_for_a_hook(value: Any) -> bool:
    return isinstance(value, functools.partial) or (
        callable(value) and not isinstance(value, type | FunctionType) and not inspect.isbuiltin(value)
    )


class _Place(NamedTuple):
    module: str
    name: str
    path: Path


def _hook(value: Callable[..., Any], inner: FunctionType, place: _Place, known_names: Collection[str]) -> Hook:
    module, name, path = place
    line = inner.__code__.co_firstlineno
    marked: int | None = getattr(value, _MARK, None)

    def error(problem: str, advice: str = "") -> HookError:
        return HookError(f"hook {name}: {problem}", path=path, line=line, advice=advice)

    flags = inner.__code__.co_flags
    if flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        raise error("it is async, but a frame cannot wait", "Write a plain def.")
    if flags & inspect.CO_GENERATOR:
        raise error(
            "it contains yield, so calling it would run nothing", "Write a function that does its work at once."
        )
    if name in ("setup", "dispose") and marked is not None:
        raise error(
            f"{name} runs once, so @every does not apply", "Remove the mark, or give the function another name."
        )
    if name == "migrate":
        _check_migrate(inspect.signature(value).parameters.values(), marked, error)
        return Hook(module, name, "migrate", value, _MIGRATE, (), 1, path, line)
    plain = _plain_names(value)
    names: tuple[str, ...]
    keywords: tuple[str, ...]
    if plain is not None and all(one in known_names for one in plain):
        names, keywords = plain, ()
    else:
        names, keywords = _bind(inspect.signature(value).parameters.values(), known_names, error)
    kind: Kind = next((kind for kind in _NAMED if kind == name), "every")
    usual = VALIDATE_EVERY if kind == "validate" else 1
    return Hook(module, name, kind, value, names, keywords, marked or usual, path, line)


def _plain_names(value: Callable[..., Any]) -> tuple[str, ...] | None:
    """Returns the parameters of a function that takes all by position and says nothing else of them; None for others."""
    if type(value) is not FunctionType or not {"__wrapped__", "__signature__"}.isdisjoint(vars(value)):
        return None
    code = value.__code__
    has_others = code.co_kwonlyargcount or code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
    return None if has_others else code.co_varnames[: code.co_argcount]


def _check_migrate(
    parameters: Collection[inspect.Parameter], marked: int | None, error: Callable[..., HookError]
) -> None:
    """See that a `migrate` takes what it is given."""
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if tuple(one.name for one in parameters) != _MIGRATE or any(one.kind not in by_position for one in parameters):
        raise error(
            "it takes the tables as they were and as they will be, and nothing else", "Write def migrate(old, new):"
        )
    if marked is not None:
        raise error("migrate runs where an edit asks for it, so @every does not apply", "Remove the mark.")


def _bind(
    parameters: Collection[inspect.Parameter], known_names: Collection[str], error: Callable[..., HookError]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns what to pass by position and what by keyword."""
    names: list[str] = []
    keywords: list[str] = []
    skipped = False
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
            raise error(f"{stars}{parameter.name} names nothing that could be passed", _there_is(known_names))
        if parameter.name not in known_names:
            if parameter.default is parameter.empty:
                near = difflib.get_close_matches(parameter.name, known_names, n=1)
                meant = f"; did you mean {near[0]}?" if near else ""
                raise error(f"it asks for {parameter.name!r}, which there is not{meant}", _there_is(known_names))
            skipped = skipped or parameter.kind is not parameter.KEYWORD_ONLY
        elif parameter.kind is parameter.KEYWORD_ONLY or (skipped and parameter.kind is not parameter.POSITIONAL_ONLY):
            keywords.append(parameter.name)
        elif skipped:
            raise error(f"{parameter.name} comes after a parameter that is not passed", "Move it to the front.")
        else:
            names.append(parameter.name)
    return tuple(names), tuple(keywords)


def _there_is(known_names: Collection[str]) -> str:
    return "A hook can ask for: " + ", ".join(sorted(known_names)) + "."
