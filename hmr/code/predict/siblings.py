"""Files that are saved together, as they were before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from pathlib import Path

from instar.hmr.code.watch.polling import mark_of

_MOST = 16
"""Siblings of a file that are remembered, the most recent ones."""


class Siblings:
    """Remembers which files were saved together, and sees which of them have changed with one of them."""

    def __init__(self) -> None:
        self._siblings: dict[Path, OrderedDict[Path, None]] = {}
        self._marks: dict[Path, tuple[int, ...] | None] = {}

    def note(self, together: Collection[Path]) -> None:
        """Remembers that these files were saved together, and how they are now."""
        for path in together:
            self._marks[path] = mark_of(path)
            others = self._siblings.setdefault(path, OrderedDict())
            for other in together:
                if other != path:
                    others[other] = None
                    others.move_to_end(other)
            while len(others) > _MOST:
                others.popitem(last=False)

    def changed(self, saved: Collection[Path]) -> list[Path]:
        """Returns the files that were saved together with `saved` before, are not among them, and differ from then."""
        others = dict.fromkeys(other for path in saved for other in self._siblings.get(path, ()) if other not in saved)
        return [other for other in others if (mark := mark_of(other)) is not None and mark != self._marks.get(other)]
