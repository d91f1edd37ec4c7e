"""The tables that the files of a scene declare."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from instar.hmr.code.errors import LoadError
from instar.hmr.code.load.loading import Instance
from instar.hmr.state import Agents, Schema
from instar.hmr.state.catalog import find_untargeted


@dataclass(frozen=True, slots=True)
class DeclaredTable:
    """One `Agents` class of a scene.

    Attributes:
        schema: what it says.
        owner: the module that defines it.
        class_name: its name there.
        path: the file.
        line: the line of the class, or None where it is not at the top level.
    """

    schema: Schema
    owner: str
    class_name: str
    path: Path
    line: int | None

    def error(self, problem: str, advice: str) -> LoadError:
        """Returns an error about this class."""
        return LoadError(f"{self.class_name}: {problem}", path=self.path, line=self.line, advice=advice)


def declared_tables(
    instances: Mapping[str, Instance], modules: Sequence[str], names: Collection[str]
) -> list[DeclaredTable]:
    """Returns the tables of executed files, in the order of the scene's modules and their classes.

    A class belongs to the file that defines it; importing it declares nothing.

    Args:
        instances: the files by dotted name.
        modules: those that are modules of the scene; the others cannot declare tables.
        names: what hooks may ask for besides tables.

    Raises:
        LoadError: a table is declared twice, in a file that is no module, or under a name that hooks use otherwise.
        SchemaError: a class does not describe a table.
    """
    tables: dict[str, DeclaredTable] = {}
    for name in (*modules, *(name for name in instances if name not in modules)):
        for agents in _agents(instances[name]):
            unit = instances[name].unit
            line = unit.classes.get(agents.__name__)
            table = DeclaredTable(Schema.of(agents), name, agents.__name__, unit.source.path, line)
            if agents.__hidden__ is not None:
                raise table.error(
                    f"the class is defined twice in this file, in line {agents.__hidden__.__line__} too, and the later one "
                    "would hide the earlier",
                    "Remove one of them, or give it a name of its own.",
                )
            _refuse(table, tables, modules, names)
            tables[table.schema.table] = table
    _refuse_untargeted(tables)
    return list(tables.values())


def _agents(instance: Instance) -> list[type[Agents]]:
    found = {}
    for value in vars(instance.module).values():
        if isinstance(value, type) and issubclass(value, Agents) and value.__module__ == instance.module.__name__:
            found[id(value)] = value
    return list(found.values())


def _refuse_untargeted(tables: Mapping[str, DeclaredTable]) -> None:
    """See whether every `Ref` names a table of the scene."""
    found = find_untargeted([table.schema for table in tables.values()])
    if found is not None:
        schema, field, problem = found
        table = tables[schema.table]
        raise table.error(
            f"{field.name} is {field.type}, but {problem}",
            "Name one of those, or remove the field together with the class it refers to: it is parked, and comes back with "
            "its ids.",
        )


def _refuse(
    table: DeclaredTable, others: Mapping[str, DeclaredTable], modules: Sequence[str], names: Collection[str]
) -> None:
    name = table.schema.table
    if table.owner not in modules:
        raise table.error(
            f"it declares the table {name!r}, but {table.owner} is only imported, not a module of the scene",
            f"List it in scene.toml: modules = [{', '.join(repr(one) for one in (*modules, table.owner))}]",
        )
    if name in others:
        other = others[name]
        raise table.error(
            f"the table {name!r} is declared twice, by {other.class_name} in {other.path}:{other.line} too",
            "Rename one of the classes, or import the other one instead of declaring it again.",
        )
    if name in names:
        raise table.error(f"its table would be called {name!r}, which means something else in hooks", "Rename it.")
