"""The `migrate` hook: a module's own word on values that no rule can take to a new schema."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from instar.hmr.state.columns import Columns, Lineage, copy_cells
from instar.hmr.state.despawns import mark_doomed
from instar.hmr.state.errors import FieldError, MigrationError, UnknownTableError
from instar.hmr.state.ids import IdIndex, Ids, Rows
from instar.hmr.state.schema import Schema
from instar.native import Despawns

Migrate = Callable[[Any, Any], object]
Cells = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Migrator:
    """Who answers for some tables, as a module does for those that it declares.

    Attributes:
        tables: Their new names.
        function: Its ``migrate(old, new)``, or None.
        name: What it is called, for people.
        is_new: Whether it came or was changed with the edit: then it is called wherever columns are made anew, even if
            nothing would be lost without it.
    """

    tables: frozenset[str]
    function: Migrate | None = None
    name: str = "migrate"
    is_new: bool = False


class OldTable:
    """A table as it was: ``old.boids.x`` is a read-only view of shape ``(len(old.boids), *cell)``."""

    def __init__(self, schema: Schema, columns: Columns, index: IdIndex, rows: int) -> None:
        """Args: columns: those of the schema; index: the ids; rows: how many."""
        self._schema = schema
        self._columns = columns
        self._index = index
        self._rows = rows

    def __len__(self) -> int:
        return self._rows

    def __getattr__(self, name: str) -> Cells:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "id":
            return self._index.view(self._rows)
        if name not in self._schema.fields:
            raise FieldError(
                f"old.{self._schema.table} had no field {name!r} (it had {', '.join(self._schema.fields)})"
            )
        return _frozen(self._columns.visible[name], self._rows)

    def rows_of(self, ids: Ids) -> Rows:
        """The rows in which agents stand, by id; -1 for none."""
        return self._index.rows_of(np.atleast_1d(np.asarray(ids, np.uint64)))


class NewTable:
    """A table as it will be. Columns that are new are writable, prefilled with what converts safely; others are read-only."""

    _touched: set[str]
    _doomed: Despawns

    def __init__(
        self,
        schema: Schema,
        new: Mapping[str, Lineage],
        others: Mapping[str, Lineage],
        index: IdIndex | None,
        rows: int,
    ) -> None:
        """Args: new: the columns to be filled, by field; others: those that stay; index: the ids; rows: how many."""
        own = self.__dict__
        own["_schema"] = schema
        own["_new"] = new
        own["_others"] = others
        own["_index"] = index
        own["_rows"] = rows
        own["_doomed"] = Despawns()
        own["_touched"] = set()

    def __len__(self) -> int:
        return int(self._rows)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        own = self.__dict__
        if name == "id" and own["_index"] is not None:
            return own["_index"].view(own["_rows"])
        if name in own["_new"]:
            own["_touched"].add(name)
            return own["_new"][name].cells(0, own["_rows"])
        if name in own["_others"]:
            return _frozen(own["_others"][name], own["_rows"])
        raise FieldError(
            f"new.{own['_schema'].table} has no field {name!r} (it has {', '.join(own['_schema'].fields)})"
        )

    def __setattr__(self, name: str, value: Any) -> None:
        what = f"new.{self._schema.table}.{name}"
        if name in self._others:
            raise FieldError(
                f"{what} stays as it is: migrate writes the columns that the edit makes anew ({', '.join(self._new)})"
            )
        view = getattr(self, name)
        if value is not view:
            copy_cells(view, value, what)

    def despawn(self, rows: npt.ArrayLike | slice) -> None:
        """Remove rows once the migration is done, as a table's `despawn` does."""
        mark_doomed(self._doomed, rows, self._rows, f"new.{self._schema.table}")


class Side:
    """``old`` or ``new`` of a `migrate`: the tables by name; of a single table the fields too."""

    def __init__(self, word: str, tables: Mapping[str, Any]) -> None:
        """Args: word: ``old`` or ``new``."""
        self.__dict__["_word"] = word
        self.__dict__["_tables"] = tables

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        tables = self.__dict__["_tables"]
        if name in tables:
            return tables[name]
        if len(tables) == 1:
            return getattr(next(iter(tables.values())), name)
        raise UnknownTableError(
            f"{self.__dict__['_word']} has no table {name!r} (it has {', '.join(tables) or 'none'})"
        )

    def __setattr__(self, name: str, value: Any) -> None:
        tables = self.__dict__["_tables"]
        if len(tables) != 1 or name in tables or self.__dict__["_word"] == "old":
            _refuse_assignment(self.__dict__["_word"], name)
        setattr(next(iter(tables.values())), name, value)


def call_migrate(migrator: Migrator, old: Side, new: Side, table: str) -> None:
    """Call a `migrate`.

    Raises:
        MigrationError: If it raises; names file, line and what.
    """
    assert migrator.function is not None
    try:
        migrator.function(old, new)
    except (Exception, SystemExit) as error:
        raise MigrationError(
            f"{migrator.name} raised {type(error).__name__}: {error}\nNothing has changed: the running version and all "
            f"values are kept. Mend migrate and save the file again",
            table,
            place=place_of(error, migrator.function),
        ) from error


def place_of(error: BaseException | None, function: Migrate) -> str:
    """`file:line` of the last step of an error that lies in a function's file; the function's own where there is none."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return ""
    steps = [] if error is None else traceback.extract_tb(error.__traceback__)
    line = next((step.lineno for step in reversed(steps) if step.filename == code.co_filename), code.co_firstlineno)
    return f"{code.co_filename}:{line}"


def _frozen(lineage: Lineage, rows: int) -> Cells:
    """A view that cannot be made writable."""
    kind = lineage.field.type
    flat = np.frombuffer(
        lineage.column.live.toreadonly(), kind.dtype, rows * (lineage.row_bytes // kind.dtype.itemsize)
    )
    return flat.reshape(rows, *kind.shape)


def _refuse_assignment(word: str, name: str) -> NoReturn:
    raise FieldError(f"{word}.{name} cannot be assigned: write into the columns of new, such as new.boids.x = …")
