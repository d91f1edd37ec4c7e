"""Diffs as people and programs use them: per table the rows that came, went and changed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from instar.hmr.state.diff.rows import CellChanges, RowSet
from instar.hmr.state.dtypes import ColumnType
from instar.hmr.state.errors import FieldError, UnknownTableError
from instar.hmr.state.ids import Ids


@dataclass(frozen=True, slots=True, eq=False)
class TableDiff:
    """What became of one table from one frame to another.

    Attributes:
        table: Its name.
        added: The agents that are in the second frame only.
        removed: The agents that are in the first frame only.
        changed: By field, the values that changed; fields in which none did are left out.
        added_columns: The types of the fields that only the second frame has, by name.
        removed_columns: The types of the fields that only the first frame has.
        only_in: The frame that has the table, where the other has not; its rows count as added or removed then. Else None.
        columns: The names of all fields that the diff is about.
        was: The table's name in the first frame, where an edit between them renamed it.
        renamed: The fields that an edit renamed: by the name in the second frame, the name in the first.
    """

    table: str
    added: RowSet
    removed: RowSet
    changed: Mapping[str, CellChanges]
    added_columns: Mapping[str, ColumnType] = field(default_factory=dict)
    removed_columns: Mapping[str, ColumnType] = field(default_factory=dict)
    only_in: int | None = None
    columns: tuple[str, ...] = ()
    was: str | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(
            len(self.added)
            or len(self.removed)
            or self.changed
            or self.added_columns
            or self.removed_columns
            or self.only_in is not None
            or self.was is not None
            or self.renamed
        )

    @property
    def changed_ids(self) -> Ids:
        """The ids of all agents of which some value changed, ascending."""
        found = [changes.ids for changes in self.changed.values()]
        return np.unique(np.concatenate(found)) if found else np.empty(0, np.uint64)

    def only(self, *columns: str) -> TableDiff:
        """The same diff of these fields alone; rows that came or went stay, with these values.

        Raises:
            FieldError: If a name is no field of the table in either frame.
        """
        for name in columns:
            if name not in self.columns:
                raise FieldError(
                    f"{self.table} has no field {name!r} in either frame{_nearest(name, self.columns)} "
                    f"(it has {', '.join(self.columns)})"
                )
        return replace(
            self,
            added=RowSet(self.added.ids, _among(self.added.columns, columns)),
            removed=RowSet(self.removed.ids, _among(self.removed.columns, columns)),
            changed=_among(self.changed, columns),
            added_columns=_among(self.added_columns, columns),
            removed_columns=_among(self.removed_columns, columns),
            columns=columns,
            renamed=_among(self.renamed, columns),
        )

    def __str__(self) -> str:
        counts = f"+{len(self.added):,} −{len(self.removed):,} rows, {len(self.changed_ids):,} changed"
        if self.only_in is not None:
            counts = f"only in frame {self.only_in}, with {len(self.added) + len(self.removed):,} rows"
        lines = [f"{self.table}{f' (was {self.was})' if self.was else ''}: {counts}"]
        lines += [f"  column {was} is {name} now" for name, was in self.renamed.items()]
        lines += [f"  + column {name} ({kind})" for name, kind in self.added_columns.items()]
        lines += [f"  − column {name} ({kind})" for name, kind in self.removed_columns.items()]
        width = max(map(len, self.changed), default=0)
        lines += [f"  {name:<{width}}  {changes}" for name, changes in self.changed.items()]
        lines += [
            f"  {sign} {line}" for sign, rows in (("+", self.added), ("−", self.removed)) for line in rows.lines()
        ]
        return "\n".join(lines)


class Diff(Mapping[str, TableDiff]):
    """What became of each table from one committed frame to another, by name; tables that did not change are empty diffs.

    ``print(diff)`` shows it; ``bool(diff)`` tells whether anything differs. Arrays are copies and good for ever.

    Example:
        >>> from instar import f32
        >>> from instar.hmr import StateManager
        >>> state = StateManager()
        >>> boids = state.table("boids", {"x": f32, "y": f32})
        >>> rows = boids.spawn(3, x=[1, 2, 3])
        >>> frame = state.commit().frame
        >>> boids.x[1] = 5
        >>> diff = state.diff(frame, state.commit().frame)
        >>> diff["boids"].changed["x"].new
        array([5.], dtype=float32)

    Attributes:
        frame_a: The first frame.
        frame_b: The second one; it may lie before the first.
    """

    def __init__(self, frame_a: int, frame_b: int, tables: Mapping[str, TableDiff]) -> None:
        self.frame_a = frame_a
        self.frame_b = frame_b
        self._tables = tables

    def __getitem__(self, name: str) -> TableDiff:
        if name not in self._tables:
            raise UnknownTableError(
                f"neither frame {self.frame_a} nor frame {self.frame_b} has a table {name!r}{_nearest(name, self._tables)} "
                f"(there are {', '.join(self._tables) or 'none'})"
            )
        return self._tables[name]

    def __contains__(self, name: object) -> bool:
        return name in self._tables

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __bool__(self) -> bool:
        return any(self._tables.values())

    def only(self, *names: str) -> Diff:
        """The same diff of these tables and columns alone: ``diff.only("boids.x", "boids.y", "hawks")``.

        Raises:
            UnknownTableError: If neither frame has such a table.
            FieldError: If the table has no such field in either frame.
        """
        wanted: dict[str, list[str] | None] = {}
        for name in names:
            table, dot, column = name.partition(".")
            chosen = wanted.setdefault(table, [])
            if not dot:
                wanted[table] = None
            elif chosen is not None:
                chosen.append(column)
        tables = {name: self[name] if chosen is None else self[name].only(*chosen) for name, chosen in wanted.items()}
        return Diff(self.frame_a, self.frame_b, tables)

    def __str__(self) -> str:
        head = f"frame {self.frame_a} → {self.frame_b}"
        tables = [str(table) for table in self._tables.values() if table]
        return "\n".join([head, *tables]) if tables else f"{head}: nothing differs"

    def __repr__(self) -> str:
        differing = [name for name, table in self._tables.items() if table]
        return f"<diff of frames {self.frame_a} and {self.frame_b}: {', '.join(differing) or 'nothing'} differs>"


T = TypeVar("T")


def _among(values: Mapping[str, T], names: tuple[str, ...]) -> dict[str, T]:
    return {name: value for name, value in values.items() if name in names}


def _nearest(name: str, known: Mapping[str, Any] | tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""
