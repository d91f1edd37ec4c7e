"""Which tables the `Ref` columns of a world refer to, and which of their ids have gone."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping

from instar.hmr.state.columns import Columns, Lineage
from instar.hmr.state.errors import SchemaError
from instar.hmr.state.fields import Field
from instar.hmr.state.schema import Schema
from instar.hmr.state.table import Table


def find_untargeted(schemas: Iterable[Schema]) -> tuple[Schema, Field, str] | None:
    """The first field among the schemas that refers to a table which is not among them, with what is wrong; None if all do."""
    known = {schema.table: schema for schema in schemas}
    for schema in known.values():
        for field in schema.fields.values():
            if field.target is not None and field.target not in known:
                near = difflib.get_close_matches(field.target.lower(), known, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                return schema, field, f"there is no table {field.target!r}{hint} (there are {', '.join(known)})"
    return None


def check_targets(schemas: Mapping[str, Schema]) -> None:
    """See whether all references lead to tables of the same layout.

    Raises:
        SchemaError: If one does not; names it and the tables there are.
    """
    found = find_untargeted(schemas.values())
    if found is not None:
        schema, field, problem = found
        raise SchemaError(
            f"{schema.table}.{field.name} is {field.type}, but {problem}. Nothing has changed; declare that table in the same "
            f"step or before, or remove the field"
        )


class References:
    """The columns of ids among some tables, parked ones too, and the tables they refer to."""

    def __init__(self, tables: Mapping[str, tuple[Table, Columns]]) -> None:
        """Args: tables: each with its columns, by name."""
        self._found: list[tuple[Table, Lineage, Table]] = [
            (table, lineage, tables[target][0])
            for table, columns in tables.values()
            for lineage in columns.lineages()
            if (target := lineage.field.target) in tables and target is not None
        ]

    def clear_lost(self, lost: Collection[str]) -> None:
        """Zero the references to agents that are gone, where the tables named have lost some."""
        for table, lineage, target in self._found:
            if target.name in lost:
                # The state manager's tables are one concept in several files.
                table._clear_gone(lineage, target, everywhere=True)  # noqa: SLF001

    def clear_written(self) -> None:
        """Zero the references to agents that are gone, where something was written since the last commit."""
        for table, lineage, target in self._found:
            table._clear_gone(lineage, target, everywhere=False)  # noqa: SLF001
