"""`Param`: a number of a module that people can change while it runs."""

from __future__ import annotations

import math
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NamedTuple, Protocol, TypeVar

from instar.hmr.code.errors import LoadError, ParamError

Value = float | int | bool | str
_V = TypeVar("_V", float, int, bool, str)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What one `NAME = Param(...)` says.

    Attributes:
        module: dotted name of the declaring file; empty outside of a scene.
        name: the module-level name; empty outside of a scene.
        default: the value where nobody gave another one; its type is the Param's type.
        min: smallest value allowed, or None.
        max: largest value allowed, or None.
        choices: the values allowed, or None.
        unit: for people, such as "1/s"; or None.
        path: the declaring file.
        line: the line of the declaration.
    """

    module: str
    name: str
    default: Value
    min: float | None
    max: float | None
    choices: tuple[Value, ...] | None
    unit: str | None
    path: Path
    line: int

    def check(self) -> None:
        """Sees whether the declaration itself makes sense.

        Raises:
            ParamError: it does not.
        """
        if not isinstance(self.default, float | int | str):
            raise self.error(f"a Param is a float, an int, a bool or one of choices, not {type(self.default).__name__}")
        if self.choices is None and isinstance(self.default, str):
            raise self.error('a Param that is text needs its choices: Param("a", choices=("a", "b"))')
        if (self.min is not None or self.max is not None) and isinstance(self.default, bool | str):
            raise self.error(f"min and max are for numbers; the default is {self.default!r}")
        if self.choices is not None and any(type(choice) is not type(self.default) for choice in self.choices):
            raise self.error(f"all choices must be of the type of the default, {type(self.default).__name__}")
        self.accept(self.default)

    def accept(self, value: object) -> Value:
        """Returns `value` as a plain value of the Param's type.

        Raises:
            ParamError: it is of another type or out of bounds.
        """
        taken = _as_type(type(self.default), value)
        if taken is None or not self._allows(taken):
            raise self.error(f"{value!r} is not allowed: it takes {self.allowed}")
        return taken

    @property
    def allowed(self) -> str:
        """The values allowed, for people."""
        if self.choices is not None:
            return "one of " + ", ".join(map(repr, self.choices))
        kind = {float: "a finite float", int: "an int", bool: "True or False"}[type(self.default)]
        low = "" if self.min is None else f" from {self.min}"
        high = "" if self.max is None else f" up to {self.max}"
        return kind + low + high + (f" ({self.unit})" if self.unit else "")

    def refusal(self, value: Value) -> str:
        """What does not allow a value, for people, as the end of "which …"."""
        if self.choices is not None:
            return f"its choices {', '.join(map(repr, self.choices))} do not allow"
        taken = _as_type(type(self.default), value)
        if taken is None:
            kind = type(self.default).__name__
            return f"{'an' if kind == 'int' else 'a'} {kind} cannot be"
        if self.min is not None and isinstance(taken, int | float) and taken < self.min:
            return f"min={self.min} does not allow"
        return f"max={self.max} does not allow"

    def error(self, problem: str, line: int | None = None) -> ParamError:
        """Returns an error about this Param, at its own line unless given another."""
        name = f"Param {self.name}: " if self.name else "Param: "
        return ParamError(name + problem, path=self.path, line=line or self.line)

    def _allows(self, value: Value) -> bool:
        if self.choices is not None:
            return value in self.choices
        if isinstance(value, str):
            return False
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)


def _as_type(kind: type, value: object) -> Value | None:
    """Returns `value` as exactly `kind`, None where that would change it."""
    if kind is bool or isinstance(value, bool):
        return value if kind is bool and isinstance(value, bool) else None
    if kind is str:
        return str(value) if isinstance(value, str) else None
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) if kind is float else int(value) if value == int(value) else None


class LiveParam:
    """One Param of a version that is loaded: its current value and the module-level names that hold it.

    Attributes:
        declaration: what the file says about it.
        value: the current value, plain.
        given: whether the value was given by the scene or by `set`, rather than by the default.
    """

    def __init__(self, declaration: Declaration, value: Value, *, given: bool) -> None:
        self.declaration = declaration
        self.value = value
        self.given = given
        self._links: tuple[tuple[weakref.ref[ModuleType], str], ...] = ()

    @property
    def name(self) -> str:
        """The name it is declared under."""
        return self.declaration.name

    def set(self, value: object) -> None:
        """Changes the value, and with it every name that is linked; call it between frames.

        Raises:
            ParamError: the value is not allowed; nothing has changed.
        """
        self.value = self.declaration.accept(value)
        self.given = True
        for module, name in self._links:
            found = module()
            if found is not None:
                found.__dict__[name] = self.value

    def link(self, module: ModuleType, names: Iterable[str]) -> None:
        """Has `names` of `module` hold the current value from now on, as long as the module lives."""
        names = tuple(names)
        living = (link for link in self._links if link[0]() is not None)
        self._links = (*living, *((weakref.ref(module), name) for name in names))
        for name in names:
            module.__dict__[name] = self.value
            while module.__dict__[name] is not self.value:  # another thread has just set it
                module.__dict__[name] = self.value


class ParamNumber:
    """Mixin of the numbers that `Param` returns while a scene loads: they remember whose value they are."""

    live: LiveParam

    def __reduce__(self) -> tuple[Callable[[Value], Value], tuple[Value]]:
        """Copies and pickles are plain values."""
        return type(self.live.value), (self.live.value,)


class _Float(ParamNumber, float):
    pass


class _Int(ParamNumber, int):
    pass


class _Bool(ParamNumber, int):
    def __repr__(self) -> str:
        return repr(bool(self))


class _Str(ParamNumber, str):
    pass


_NUMBERS: dict[type, type[Any]] = {float: _Float, int: _Int, bool: _Bool, str: _Str}


def number_of(live: LiveParam) -> ParamNumber:
    """Returns the current value of a Param as a number that remembers it."""
    number: ParamNumber = _NUMBERS[type(live.value)](live.value)
    number.live = live
    return number


class Place(NamedTuple):
    """A line at the top level of a file that is being executed.

    Attributes:
        unique_name: the `__name__` of the module.
        module: its dotted name in the scene.
        path: the file.
        line: the line.
    """

    unique_name: str
    module: str
    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


class Keeper(Protocol):
    """Where kept objects are."""

    def get(self, declared: Any, /) -> object:
        """The object that something declared stands for."""


class Declarations:
    """What the files of one load declare, while they are executed.

    Attributes:
        numbers: the Params.
        values: the persisted values, by the module's unique name and their own.
        objects: the kept objects, likewise.
        kept: where kept objects are; None where stubs stand in for them, as in a trial.
    """

    def __init__(self, value_of: Callable[[Declaration], tuple[Value, bool]], kept: Keeper | None = None) -> None:
        """Args: value_of: gives the first value of a Param and whether somebody chose it; kept: where kept objects are."""
        self._value_of = value_of
        self.values: dict[str, dict[str, Any]] = {}
        self.objects: dict[str, dict[str, Any]] = {}
        self.kept = kept
        self._files: dict[str, tuple[str, Path, list[tuple[int, str]]]] = {}
        self.numbers: list[ParamNumber] = []

    def expect(self, unique_name: str, module: str, path: Path, places: Sequence[tuple[int, str]]) -> None:
        """Announces a file that is about to be executed as `unique_name`, and where in it Params are assigned."""
        self._files[unique_name] = (module, path, list(places))

    def place(self, frame: FrameType, what: str) -> Place | None:
        """Where a call stands that is made in `frame`, None if that is in none of these files.

        Raises:
            LoadError: it stands in a function or a class.
        """
        unique_name = frame.f_globals.get("__name__", "")
        file = self._files.get(unique_name)
        if file is None:
            return None
        if frame.f_code.co_name != "<module>":
            raise LoadError(f"{what} must stand at the top level of the file", path=file[1], line=frame.f_lineno)
        return Place(unique_name, file[0], file[1], frame.f_lineno)

    def declare(self, frame: FrameType, make: Callable[[str, str, Path, int], Declaration]) -> Any:
        """Returns the number for a `Param(...)` called in `frame`, or None if that is in none of these files."""
        file = self._files.get(frame.f_globals.get("__name__", ""))
        if file is None:
            return None
        module, path, places = file
        line = frame.f_lineno
        place = next((place for place in places if place[0] == line), None)
        if frame.f_code.co_name != "<module>" or place is None:
            raise make(module, "", path, line).error(
                "it must be assigned to a name of its own at the top level of the file, once: speed = Param(0.3)"
            )
        places.remove(place)
        declaration = make(module, place[1], path, line)
        declaration.check()
        value, given = self._value_of(declaration)
        number = number_of(LiveParam(declaration, value, given=given))
        self.numbers.append(number)
        return number


_loading = threading.local()


def declarations() -> Declarations | None:
    """Where calls of this thread declare something; None unless files are being executed."""
    return getattr(_loading, "declarations", None)


@contextmanager
def declaring(declarations: Declarations) -> Iterator[None]:
    """Has `Param` calls of this thread go to `declarations`."""
    before = getattr(_loading, "declarations", None)
    _loading.declarations = declarations
    try:
        yield
    finally:
        _loading.declarations = before


def Param(  # noqa: N802 - it stands where a constructor would
    default: _V,
    *,
    min: float | None = None,  # noqa: A002 - the words of the public face
    max: float | None = None,  # noqa: A002
    choices: Sequence[_V] | None = None,
    unit: str | None = None,
) -> _V:
    """A number of a module that people can change while it runs.

    It stands at the top level of a file, assigned to a name. That name, and every module-level name of the scene that
    the value is bound to, always holds the current value, plain. While the file is imported it holds a number that
    already has that value and remembers where it came from. Outside of a scene the default is returned.

    Example:
        ``cohesion = Param(0.03, min=0.0, max=0.2, unit="1/s")``

    Args:
        default: the value where the scene gives none: a float, an int, a bool, or one of `choices`.
        min: the smallest value allowed.
        max: the largest value allowed.
        choices: the values allowed, all of the default's type.
        unit: for people.

    Raises:
        ParamError: the declaration contradicts itself, or stands where the value could not be followed.
    """
    frame = sys._getframe(1)  # noqa: SLF001 - whoever calls it is where the Param is declared
    allowed = None if choices is None else tuple(choices)

    def make(module: str, name: str, path: Path, line: int) -> Declaration:
        return Declaration(module, name, default, min, max, allowed, unit, path, line)

    declarations: Declarations | None = getattr(_loading, "declarations", None)
    number = None if declarations is None else declarations.declare(frame, make)
    if number is None:
        make("", "", Path(frame.f_code.co_filename), frame.f_lineno).check()
        return default
    return number  # type: ignore[no-any-return]
