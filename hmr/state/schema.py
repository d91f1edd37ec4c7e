"""Schemas: what an `Agents` class says about its table."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import linecache
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from instar.hmr.state.errors import SchemaError
from instar.hmr.state.fields import Declaration, Field, is_name, make_field

DEFAULT_CAPACITY = 1 << 20
"""Rows a table can hold where its class says nothing: address space, not memory."""

MAX_CAPACITY = 1 << 31


_OPTIONS = tuple(option.name for option in dataclasses.fields(Declaration))


@dataclass(frozen=True, slots=True)
class Schema:
    """The fields and the capacity of one table.

    Attributes:
        table: The table's name, in snake case.
        fields: Its fields by name, in the order of the class.
        capacity: The most rows it can hold.
        was: The name that the table had before, or None; no difference between two schemas.
    """

    table: str
    fields: Mapping[str, Field]
    capacity: int = DEFAULT_CAPACITY
    was: str | None = dataclasses.field(default=None, compare=False)

    @classmethod
    def of(cls, agents: type[Agents]) -> Schema:
        """The schema of an `Agents` class.

        Raises:
            SchemaError: If the class does not describe a table; names the file and line.
        """
        if agents.__name__.startswith("__"):
            raise SchemaError(
                f"{_place(agents)}: {agents.__name__} begins with two underscores: give the class another name"
            )
        declared: dict[str, Field] = {}
        for base in reversed(agents.__mro__):
            if base is not Agents and isinstance(base, type) and issubclass(base, Agents):
                declared.update(_fields_of(base))
        try:
            return cls.build(snake_case(agents.__name__), declared, agents.__capacity__, agents.__was__)
        except SchemaError as error:
            raise SchemaError(f"{_place(agents)}: {error}") from None

    @classmethod
    def build(
        cls, table: str, fields: Mapping[str, Field], capacity: int = DEFAULT_CAPACITY, was: str | None = None
    ) -> Schema:
        """A checked schema from ready fields.

        Raises:
            SchemaError: If the capacity, the former name or the set of fields is not possible.
        """
        if type(capacity) is not int or not 0 < capacity <= MAX_CAPACITY:
            raise SchemaError(f"{table}: capacity={capacity!r} must be a whole number from 1 to {MAX_CAPACITY}")
        if not fields:
            raise SchemaError(f"{table} has no fields: annotate at least one, such as `x: f32`")
        if was is not None and (not is_name(was) or was == table):
            raise SchemaError(f'{table}: was={was!r} must be the name that the table had before, such as was="boids"')
        said: dict[str, str] = {}
        for name, field in fields.items():
            if field.was is not None and said.setdefault(field.was, name) != name:
                raise SchemaError(
                    f"{table}: {said[field.was]} and {name} both say was={field.was!r}; the values can go to one of them. "
                    f"Let the other begin anew"
                )
        return cls(table, dict(fields), capacity, was)


def make_schema(name: Any, fields: Any, capacity: Any) -> Schema:
    """A checked schema from what a person wrote: column types, or fields, by name.

    Raises:
        SchemaError: If a name, type or capacity is not possible.
    """
    if not is_name(name) or name.startswith("__"):
        raise SchemaError(
            f"{name!r} cannot name a table: use letters, digits and underscores, two of which it cannot begin with"
        )
    if not isinstance(fields, Mapping):
        raise SchemaError(
            f"{name}: its fields must be types by name, such as {{'x': f32}}, not {type(fields).__name__}"
        )
    for key, kind in fields.items():
        if isinstance(kind, Field) and kind.name != key:
            raise SchemaError(f"{name}: the field {kind.name} stands under the name {key!r}; give it the same one")
    ready = {key: kind if isinstance(kind, Field) else make_field(key, kind) for key, kind in fields.items()}
    return Schema.build(name, ready, capacity)


def is_same(one: Mapping[str, Schema], other: Mapping[str, Schema]) -> bool:
    """Whether two layouts do not differ, not even in the order of tables and fields."""
    return one == other and all(
        a == b and list(one[a].fields) == list(other[b].fields) for a, b in zip(one, other, strict=True)
    )


class Agents:
    """Base class of a module's tables: one subclass is one table, one annotation one column.

    A class that says ``was="boids"`` takes over the table of that name in the edit that brings it: rows, ids, and the
    references of other tables.

    Example:
        ``class Boids(Agents, capacity=100_000): x: f32``
    """

    __capacity__: ClassVar[int] = DEFAULT_CAPACITY
    __was__: ClassVar[str | None] = None
    __line__: ClassVar[int] = 0
    __hidden__: ClassVar[type[Agents] | None] = None
    """The class of the same name that the same file defined before this one."""

    def __init_subclass__(cls, *, capacity: int | None = None, was: str | None = None, **other: Any) -> None:
        """Remember the capacity, the former name and the line of the class.

        Raises:
            SchemaError: If the class has options that are not known.
        """
        super().__init_subclass__()
        frame = sys._getframe(1)  # noqa: SLF001 - the class statement
        cls.__line__ = frame.f_lineno
        before = frame.f_globals.get(cls.__name__) if frame.f_locals is frame.f_globals else None
        is_another = isinstance(before, type) and issubclass(before, Agents) and before.__module__ == cls.__module__
        cls.__hidden__ = before if is_another else None
        if other:
            raise SchemaError(f"{_place(cls)}: class {cls.__name__} takes capacity=… and was=…, not {', '.join(other)}")
        cls.__was__ = was
        if capacity is not None:
            cls.__capacity__ = capacity


def snake_case(name: str) -> str:
    """`FireAnts` → `fire_ants`: the table's name for a class's name."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _fields_of(agents: type[Agents]) -> dict[str, Field]:
    try:
        annotations = inspect.get_annotations(agents, eval_str=True)
    except Exception as error:
        raise SchemaError(f"{_place(agents)}: a field's type cannot be read: {error}") from error
    own = {name: value for name, value in vars(agents).items() if not name.startswith("__")}
    for name in own.keys() - annotations.keys():
        raise SchemaError(
            f"{_place(agents, name)}: {agents.__name__}.{name} is no field: a table holds annotated fields only; "
            f"write `{name}: f32 = …`, or move it out of the class"
        )
    fields = {}
    for name, kind in annotations.items():
        given = own.get(name, 0)
        is_declared = isinstance(given, Declaration)
        options = {option: getattr(given, option) for option in _OPTIONS} if is_declared else {"default": given}
        try:
            fields[name] = make_field(name, kind, **options)
        except SchemaError as error:
            raise SchemaError(f"{_place(agents, name)}: {agents.__name__}.{error}") from None
    return fields


def _place(agents: type[Agents], member: str | None = None) -> str:
    """`file:line` of the class, or of one of its members."""
    module = sys.modules.get(agents.__module__)
    path = getattr(module, "__file__", None) or agents.__module__
    line = agents.__line__
    if member is not None:
        line = _line_of_member("".join(linecache.getlines(path)), agents.__name__, member) or line
    return f"{path}:{line}"


def _line_of_member(source: str, class_name: str, member: str) -> int | None:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            for statement in node.body:
                targets = (
                    statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
                )
                names = [getattr(target, "id", None) for target in targets] + [getattr(statement, "name", None)]
                if member in names:
                    return statement.lineno
    return None
