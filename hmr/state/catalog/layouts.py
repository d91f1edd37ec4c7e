"""Which tables there were in which frame, under which schemas and names, for as far back as the history reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from instar.hmr.state.columns import Columns
from instar.hmr.state.ids import Roots
from instar.hmr.state.schema import Schema
from instar.hmr.state.table import Table
from instar.native import Column

Layout = Mapping[str, Schema]
"""The schemas of the visible tables, by name."""


class Form(NamedTuple):
    """What a table is made of for some time.

    Attributes:
        table: The table.
        schema: Its schema then.
        columns: Its columns then.
        roots: What it had besides them.
        formers: The names it had before, oldest first.
    """

    table: Table
    schema: Schema
    columns: Columns
    roots: Roots
    formers: tuple[str, ...] = ()


class Era(NamedTuple):
    """The frames between two changes of tables.

    Attributes:
        since: The first of them.
        shown: The names of the visible tables, in order.
        forms: All tables, parked ones too, by name.
    """

    since: int
    shown: tuple[str, ...]
    forms: Mapping[str, Form]

    @property
    def layout(self) -> Layout:
        """The schemas of the visible tables."""
        return {name: self.forms[name].schema for name in self.shown}


class Eras:
    """The eras of the frames held, one after the other. It never changes: what comes or goes makes another one."""

    def __init__(self, eras: Iterable[Era], native: Mapping[Column, None] | None = None) -> None:
        """Args: eras: oldest first; one at least. native: their native columns, if they are known."""
        self._eras = tuple(eras)
        self._native = native

    @property
    def newest(self) -> Era:
        """The last era."""
        return self._eras[-1]

    def at(self, frame: int) -> Era:
        """The era of a frame that is held."""
        return next(era for era in reversed(self._eras) if era.since <= frame)

    def followed_by(self, era: Era, oldest: int) -> Eras:
        """These and another one; those of frames before ``oldest`` alone are dropped.

        Columns come once and go once: what eras had that are dropped is gone if the first one left has it no more.
        """
        eras = [*self._eras, era]
        dropped = 0
        while len(eras) > dropped + 1 and eras[dropped + 1].since <= oldest:
            dropped += 1
        native = self._known() | dict.fromkeys(_native(era))
        if dropped:
            left = set(_native(eras[dropped]))
            gone = {column for one in eras[:dropped] for column in _native(one)} - left
            native = {column: None for column in native if column not in gone}
        return Eras(eras[dropped:], native)

    def until(self, frame: int) -> Eras:
        """These without those that began after a frame."""
        return self if self.newest.since <= frame else Eras(era for era in self._eras if era.since <= frame)

    def native(self) -> list[Column]:
        """The native columns of all tables in all eras, once each, in order of their creation."""
        return list(self._known())

    def _known(self) -> dict[Column, None]:
        if self._native is None:
            self._native = {column: None for era in self._eras for column in _native(era)}
        return dict(self._native)


def _native(era: Era) -> Iterator[Column]:
    for form in era.forms.values():
        yield from form.roots.native
        yield from form.columns.native()
