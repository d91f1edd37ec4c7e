"""Settings: what the file of a scene says about its code, and the values that stand above it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from instar.hmr.code.compile.source import Source
from instar.hmr.code.errors import ParamError
from instar.hmr.code.params import Declaration, LiveParam, Value

Name = tuple[str, str]
"""A Param: the dotted name of the declaring file, and its own."""
Params = Mapping[str, Mapping[str, LiveParam]]
"""Params by declaring file and name."""


class Settings(Protocol):
    """What the file of a scene says, as far as code is concerned; never changes."""

    @property
    def modules(self) -> tuple[str, ...]:
        """Dotted names of the scene's modules, in order."""

    @property
    def params(self) -> Mapping[str, Mapping[str, object]]:
        """Values of Params, by dotted name of their file and name."""

    @property
    def source(self) -> Source | None:
        """The file; None where no file says it."""

    def line_of(self, *key: str) -> int | None:
        """The line of a key of the file, such as ``params``, ``flock``, ``cohesion``."""


Read = Callable[[Source, Callable[[Path], bool]], Settings]
"""Reads a scene's file, told which files there are; raises EditError."""


class Values:
    """The values that people chose for Params outside of the code: the file's, and above them those given for a run."""

    def __init__(self, settings: Settings, given: Mapping[str, Mapping[str, object]]) -> None:
        self.settings = settings
        self._given = _by_name(given)
        self._written = {name: value for name, value in _by_name(settings.params).items() if name not in self._given}

    def chosen(self) -> dict[Name, object]:
        """Returns the values that people chose, whether they are allowed or not."""
        return self._written | self._given

    def changed(self, before: Values) -> list[Name]:
        """Returns the Params of which the file says something else than it said before, in order of their names."""
        names = self._written.keys() | before._written.keys()
        return sorted(name for name in names if not _same(self._written, before._written, name))

    def first(self, declaration: Declaration) -> tuple[Value, bool]:
        """Returns the value that a Param begins with, and whether somebody chose it.

        Raises:
            ParamError: the chosen one is not allowed.
        """
        name = declaration.module, declaration.name
        if name in self._given:
            try:
                return declaration.accept(self._given[name]), True
            except ParamError as error:
                error.advice = "It was given by the --set option, or by the program that opened the scene: correct it."
                raise
        if name not in self._written:
            return declaration.default, False
        try:
            return declaration.accept(self._written[name]), True
        except ParamError as error:
            raise self._error(
                name, error.problem, f"It is declared in {declaration.path}:{declaration.line}."
            ) from None

    def check(self, params: Params, files: Collection[str], before: Values | None) -> None:
        """Sees that the file gives values only to Params that there are, and those that changed are allowed.

        Args:
            params: those there are.
            files: dotted names of the files of the scene that are loaded.
            before: what was said so far; None at the start, when the values given for the run are checked as well.

        Raises:
            ParamError: it does not.
        """
        for name in (*self._written, *(self._given if before is None else ())):
            module, own = name
            if own not in params.get(module, {}):
                raise self._unknown(name, params, files)
        for module, own in () if before is None else self.changed(before):
            if (live := params.get(module, {}).get(own)) is not None:
                self.first(live.declaration)

    def apply(self, params: Params, before: Values) -> None:
        """Has Params hold what the file says now where it said something else before.

        A Param that it says nothing of any more goes back to its default, unless somebody has set it meanwhile.
        """
        for module, own in self.changed(before):
            live = params.get(module, {}).get(own)
            if live is None:
                continue
            with suppress(ParamError):  # a module has narrowed its bounds since; it has made something of that
                value, chosen = self.first(live.declaration)
                if chosen or _is(live, before._written[module, own]):
                    live.set(value)
                    live.given = chosen

    def _unknown(self, name: Name, params: Params, files: Collection[str]) -> ParamError:
        module, own = name
        loaded = module in files
        wrong, known = (own, sorted(params.get(module, {}))) if loaded else (module, sorted(params))
        near = difflib.get_close_matches(wrong, known, n=1)
        there = ", ".join(known) or "none"
        return self._error(
            name,
            f"the scene gives a value to {module}.{own}, but there is no such Param"
            + (f"; did you mean {near[0]}?" if near else ""),
            f"Params of {module}: {there}." if loaded else f"Files with Params: {there}.",
        )

    def _error(self, name: Name, problem: str, advice: str) -> ParamError:
        """Returns an error about a value, at its line of the file if it stands there."""
        source = self.settings.source
        path = None if source is None or name in self._given else source.path
        line = None if path is None else self.settings.line_of("params", *name[0].split("."), name[1])
        place = f"params.{name[0]}.{name[1]}: " if path is not None else ""
        correct = f"Correct [params.{name[0]}] in scene.toml, or the --set option."
        return ParamError(place + problem, path=path, line=line, advice=f"{advice} {correct}")


def _by_name(values: Mapping[str, Mapping[str, object]]) -> dict[Name, object]:
    return {(module, name): value for module, named in values.items() for name, value in named.items()}


def _same(now: Mapping[Name, object], before: Mapping[Name, object], name: Name) -> bool:
    if (name in now) != (name in before):
        return False
    return type(now[name]) is type(before[name]) and now[name] == before[name]


def _is(live: LiveParam, value: object) -> bool:
    """Returns whether a Param holds a value that was written for it."""
    try:
        return live.value == live.declaration.accept(value)
    except ParamError:
        return False
