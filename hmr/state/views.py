"""The views of a table's columns, and which columns something can have written since the last commit.

A field's view lies among the table's attributes only from its first access after a commit until the next commit, so that each
access is seen. What is made of a view, at any remove, keeps its buffer of the column alive, and the column counts those: where
one is left, the column stays among those that can have been written.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any

from instar.hmr.state.columns import Cells, Lineage
from instar.native import Column


class Views:
    """The views of one table.

    Args:
        attributes: Where the table's attributes are; views are put there and taken away again.
    """

    def __init__(self, attributes: dict[str, Any]) -> None:
        self._attributes = attributes
        self._opened: dict[str, Lineage] = {}
        self._written: dict[Column, Lineage] = {}
        self._held: dict[Column, Lineage] = {}
        self._given: dict[Column, list[weakref.ref[Cells]]] = {}
        self._reach = 0

    def open(self, name: str, lineage: Lineage, rows: int) -> Cells:
        """The view of a field's live rows, which is an attribute from now on."""
        self._opened[name] = lineage
        view = self._attributes[name] = lineage.cells(0, rows)
        self._given.setdefault(lineage.column, []).append(weakref.ref(view))
        # Again: a commit on another thread may have closed it before it was an attribute.
        self._opened[name] = lineage
        return view

    def close(self) -> None:
        """Take the views back from the attributes; their columns count as written."""
        opened = self._opened
        while opened:
            name, lineage = opened.popitem()
            self._written[lineage.column] = lineage
            self._attributes.pop(name, None)

    def resize(self, rows: int, before: int) -> None:
        """Take the views back, as the table had ``before`` rows and has ``rows`` now."""
        self.close()
        self._attributes.pop("id", None)
        self._reach = max(self._reach, before, rows)

    def mark(self, lineage: Lineage) -> None:
        """Note that a column was written without a view."""
        self._written[lineage.column] = lineage

    def may_have_written(self, lineage: Lineage) -> bool:
        """Whether something can have written the column since the last commit."""
        return lineage.column in self._written or any(one.column is lineage.column for one in self._opened.values())

    def clear_past(self, rows: int) -> None:
        """Zero what old views, which are longer than the table now is, can have written past its rows."""
        if self._reach > rows:
            self.close()
            for lineage in self._written.values():
                lineage.cells(rows, self._reach)[...] = 0

    def written(self) -> Collection[Lineage]:
        """Take the views back for a commit; returns what it must compare.

        Views are looked for before the commit compares: a thread that goes on writing while it does is seen.
        """
        self.close()
        self._held = {column: lineage for column, lineage in self._written.items() if column.live_views}
        self._given = {column: given for column, given in self._given.items() if column in self._held}
        return self._written.values()

    def retire(self, columns: Iterable[Column]) -> list[Callable[[], object]]:
        """What makes views of columns whose place others take read-only, and what is written past that ineffective.

        Returns:
            Calls that take no Python code, to be done together with the change.
        """
        self.close()
        calls: list[Callable[[], object]] = []
        for column in columns:
            given = [view for one in self._given.get(column, ()) if (view := one()) is not None]
            calls += [partial(view.setflags, write=False) for view in given]
            calls.append(partial(column.renew))
        return calls

    def renewed(self, lineages: Iterable[Lineage], rows: int) -> dict[str, Any]:
        """What the attributes of this object are to be where it knows only these columns, and must look at each once."""
        self.close()
        return {
            "_written": {lineage.column: lineage for lineage in lineages},
            "_held": {},
            "_reach": max(self._reach, rows),
        }

    def settle(self, rows: int) -> None:
        """Note that what `written` returned is committed."""
        self._written = self._held
        if not self._held:
            self._reach = rows
