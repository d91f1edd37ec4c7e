"""Which schemas tables had in which frame, for as far back as the history reaches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from instar.hmr.state.schema import Schema

Layout = Mapping[str, Schema]
"""The schemas of the visible tables, by name."""


class Era(NamedTuple):
    """The frames under one layout.

    Attributes:
        since: The first of them.
        layout: The schemas of the visible tables, by name.
        schemas: The schemas of all tables, parked ones too.
    """

    since: int
    layout: Layout
    schemas: Layout


class Layouts:
    """The layouts of the frames held; each is that of all frames until the next one.

    Args:
        frame: The frame that it begins with.
        layout: That frame's layout.
        schemas: The schemas of all tables then, parked ones too.
    """

    def __init__(self, frame: int = 0, layout: Layout | None = None, schemas: Layout | None = None) -> None:
        self._eras = [Era(frame, dict(layout or {}), dict(schemas or {}))]

    def copy(self) -> Layouts:
        """The same layouts, to go on with apart."""
        twin = Layouts()
        twin._eras = [*self._eras]
        return twin

    @property
    def newest(self) -> Layout:
        """The last layout."""
        return self._eras[-1].layout

    def at(self, frame: int) -> Era:
        """The era of a frame that is held."""
        return next(era for era in reversed(self._eras) if era.since <= frame)

    def add(self, frame: int, layout: Layout, schemas: Layout, oldest: int) -> None:
        """Have a layout from a frame on; those of frames before ``oldest`` alone are dropped."""
        if layout == self.newest:
            return
        self._eras.append(Era(frame, dict(layout), dict(schemas)))
        while len(self._eras) > 1 and self._eras[1].since <= oldest:
            self._eras.pop(0)

    def forget_after(self, frame: int) -> bool:
        """Drop the layouts of later frames; returns whether there were any."""
        kept = [era for era in self._eras if era.since <= frame]
        dropped = len(kept) < len(self._eras)
        self._eras = kept
        return dropped
