"""The views of a table's columns, and which columns something can have written since the last commit.

A field's view lies among the table's attributes only from its first access after a commit until the next commit, so that each
access is seen. What is made of a view, at any remove, keeps its buffer of the column alive, and the column counts those: where
one is left, the column stays among those that can have been written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from instar.hmr.state.columns import Cells, Lineage


class Views:
    """The views of one table.

    Args:
        attributes: Where the table's attributes are; views are put there and taken away again.
    """

    def __init__(self, attributes: dict[str, Any]) -> None:
        self._attributes = attributes
        self._opened: dict[str, Lineage] = {}
        self._written: dict[Lineage, None] = {}
        self._held: dict[Lineage, None] = {}
        self._reach = 0

    def open(self, name: str, lineage: Lineage, rows: int) -> Cells:
        """The view of a field's live rows, which is an attribute from now on."""
        self._opened[name] = lineage
        view = self._attributes[name] = lineage.cells(0, rows)
        # Again: a commit on another thread may have closed it before it was an attribute.
        self._opened[name] = lineage
        return view

    def close(self) -> None:
        """Take the views back from the attributes; their columns count as written."""
        opened = self._opened
        while opened:
            name, lineage = opened.popitem()
            self._written[lineage] = None
            self._attributes.pop(name, None)

    def resize(self, rows: int, before: int) -> None:
        """Take the views back, as the table had ``before`` rows and has ``rows`` now."""
        self.close()
        self._attributes.pop("id", None)
        self._reach = max(self._reach, before, rows)

    def mark(self, lineage: Lineage) -> None:
        """Note that a column was written without a view."""
        self._written[lineage] = None

    def may_have_written(self, lineage: Lineage) -> bool:
        """Whether something can have written the column since the last commit."""
        return lineage in self._written or lineage in self._opened.values()

    def clear_past(self, rows: int) -> None:
        """Zero what old views, which are longer than the table now is, can have written past its rows."""
        if self._reach > rows:
            self.close()
            for lineage in self._written:
                lineage.cells(rows, self._reach)[...] = 0

    def written(self) -> Collection[Lineage]:
        """Take the views back for a commit; returns what it must compare.

        Views are looked for before the commit compares: a thread that goes on writing while it does is seen.
        """
        self.close()
        self._held = {lineage: None for lineage in self._written if lineage.column.live_views}
        return self._written

    def renew(self, lineages: Iterable[Lineage]) -> None:
        """Know only these columns from now on, and look at each once for views that are alive."""
        self.close()
        self._written = dict.fromkeys(lineages)
        self._held = {}

    def settle(self, rows: int) -> None:
        """Note that what `written` returned is committed."""
        self._written = self._held
        if not self._held:
            self._reach = rows
