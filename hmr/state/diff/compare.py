"""From two held frames to their diff: only chunks that the history says changed are read, and agents are matched by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from instar.hmr.state.catalog.layouts import Era, Form
from instar.hmr.state.columns import Lineage
from instar.hmr.state.diff.frames import ID, Cells, HeldFrame, row_runs
from instar.hmr.state.diff.result import Diff, TableDiff
from instar.hmr.state.diff.rows import CellChanges, RowSet
from instar.hmr.state.dtypes import ColumnType
from instar.hmr.state.ids import Rows
from instar.native import Column, History

NO_ROWS: Rows = np.empty(0, np.int64)
_WORDS: dict[int, npt.DTypeLike] = {8: np.uint64, 4: np.uint32, 2: np.uint16, 1: np.uint8}

Chunks = Mapping[Column, Sequence[int]]


def diff(history: History, eras: tuple[Era, Era], frames: tuple[int, int]) -> tuple[Diff, int]:
    """The diff of two frames that the history holds.

    Args:
        history: The history.
        eras: What the tables were made of in either frame.
        frames: The frames.

    Returns:
        The diff, and the bytes that were read for it.

    Raises:
        HistoryError: If a record that is needed is damaged.
    """
    between = history.changed(*frames)
    old, new = (_held(history, frame, frames, between) for frame in frames)
    before, after = ({era.forms[name].table: era.forms[name] for name in era.shown} for era in eras)
    found = {}
    for table in dict.fromkeys((*before, *after)):
        compared = _Comparison(before.get(table), after.get(table), (old, new), between).diff()
        found[compared.table] = compared
    return Diff(*frames, found), old.bytes + new.bytes


def _held(history: History, frame: int, frames: tuple[int, int], between: Chunks) -> HeldFrame:
    current = history.current
    if frame == current:
        return HeldFrame(history, frame, {})
    return HeldFrame(history, frame, between if current in frames else history.changed(current, frame))


class _Matching(NamedTuple):
    """Which agents are in both frames, and where.

    Attributes:
        common: The rows below this number are there in both frames.
        displaced: The rows in which another agent stands, or one that came or went; ascending.
        removed, added: The rows of the agents of one frame only, as rows of that frame.
        moved_from, moved_to: The rows of the agents that stand elsewhere, in the old and the new frame.
    """

    common: int
    displaced: Rows = NO_ROWS
    removed: Rows = NO_ROWS
    added: Rows = NO_ROWS
    moved_from: Rows = NO_ROWS
    moved_to: Rows = NO_ROWS


class _Comparison:
    """One table in two frames."""

    def __init__(
        self, before: Form | None, after: Form | None, frames: tuple[HeldFrame, HeldFrame], between: Chunks
    ) -> None:
        """Args: before, after: what it was made of in either frame; None where it was not seen."""
        self._before = before
        self._after = after
        there = before or after
        assert there is not None
        self._ids = tuple((form or there).roots.index.columns["id"] for form in (before, after))
        self._old, self._new = frames
        self._between = between

    def diff(self) -> TableDiff:
        """The diff of the table."""
        before, after = self._before, self._after
        fields_before = {} if before is None else before.columns.visible
        fields_after = {} if after is None else after.columns.visible
        matching = self._match(before is not None, after is not None)
        kept = _kept(fields_before, fields_after)
        only = None if before and after else (self._old.frame if before else self._new.frame)
        changed = {name: self._changes(fields_before[was], fields_after[name], matching) for name, was in kept.items()}
        both = only is None
        form = after or before
        assert form is not None
        known = dict.fromkeys((*fields_before, *fields_after))
        return TableDiff(
            table=form.schema.table,
            added=self._row_set(self._new, matching.added, fields_after),
            removed=self._row_set(self._old, matching.removed, fields_before),
            changed={name: changes for name, changes in changed.items() if len(changes)},
            added_columns={name: one.field.type for name, one in fields_after.items() if both and name not in kept},
            removed_columns={
                name: one.field.type for name, one in fields_before.items() if both and name not in kept.values()
            },
            only_in=only,
            columns=tuple(known),
            was=before.schema.table if both and before and before.schema.table != form.schema.table else None,
            renamed={name: was for name, was in kept.items() if name != was},
        )

    def _match(self, in_old: bool, in_new: bool) -> _Matching:
        """Match agents by id. A table that is not there has none."""
        rows_old = self._old.rows(self._ids[0]) if in_old else 0
        rows_new = self._new.rows(self._ids[1]) if in_new else 0
        if not (in_old and in_new):
            return _Matching(0, removed=np.arange(rows_old), added=np.arange(rows_new))
        displaced, old, new = self._moved_ids(rows_old, rows_new)
        if not len(displaced):
            return _Matching(rows_new)
        stood, stands = np.flatnonzero(old), np.flatnonzero(new)
        _, left, right = np.intersect1d(old[stood], new[stands], assume_unique=True, return_indices=True)
        return _Matching(
            min(rows_old, rows_new),
            displaced,
            removed=displaced[np.delete(stood, left)],
            added=displaced[np.delete(stands, right)],
            moved_from=displaced[stood[left]],
            moved_to=displaced[stands[right]],
        )

    def _changes(self, before: Lineage, after: Lineage, matching: _Matching) -> CellChanges:
        """What became of the values of one field, by agent, in order of the new rows."""
        if before.column is not after.column:
            return self._retyped_changes(before, after, matching)
        column, kind = after.column, after.field.type
        rows, old, new = self._moved_cells(column, kind, matching.common)
        if len(matching.displaced) and len(rows):
            stayed = _not_in(rows, matching.displaced)
            rows, old, new = rows[stayed], old[stayed], new[stayed]
        if len(matching.moved_to):
            moved_old = self._old.gather(column, kind, matching.moved_from)
            moved_new = self._new.gather(column, kind, matching.moved_to)
            differ = _differing(moved_old, moved_new)
            rows = np.concatenate((rows, matching.moved_to[differ]))
            order = np.argsort(rows, kind="stable")
            rows = rows[order]
            old = np.concatenate((old, moved_old[differ]))[order]
            new = np.concatenate((new, moved_new[differ]))[order]
        return CellChanges(self._new.ids(self._ids[1], rows), old, new)

    def _retyped_changes(self, before: Lineage, after: Lineage, matching: _Matching) -> CellChanges:
        """As `_changes`, where an edit gave the field another dtype: compared by value."""
        stayed = np.arange(matching.common)
        stayed = stayed[_not_in(stayed, matching.displaced)]
        to = np.concatenate((stayed, matching.moved_to))
        old = self._old.gather(before.column, before.field.type, np.concatenate((stayed, matching.moved_from)))
        new = self._new.gather(after.column, after.field.type, to)
        differ = old != new
        if old.dtype.kind == new.dtype.kind == "f":
            differ &= ~(np.isnan(old) & np.isnan(new))
        rows = np.flatnonzero(differ.any(axis=tuple(range(1, differ.ndim))))
        rows = rows[np.argsort(to[rows], kind="stable")]
        return CellChanges(self._new.ids(self._ids[1], to[rows]), old[rows], new[rows])

    def _row_set(self, held: HeldFrame, rows: Rows, fields: Mapping[str, Lineage]) -> RowSet:
        values = {name: held.gather(one.column, one.field.type, rows) for name, one in fields.items()}
        return RowSet(held.ids(self._ids[held is self._new], rows), values)

    def _moved_ids(self, rows_old: int, rows_new: int) -> tuple[Rows, Cells, Cells]:
        """The rows in which not the same agent stands in both frames, with the ids; 0 for none."""
        before, after = self._ids
        rows = max(rows_old, rows_new)
        if before is after:
            return self._moved_cells(before, ID, rows)
        ids = np.zeros((2, rows), np.uint64)
        ids[0, :rows_old] = self._old.ids(before, np.arange(rows_old))
        ids[1, :rows_new] = self._new.ids(after, np.arange(rows_new))
        differ = np.flatnonzero(ids[0] != ids[1])
        return differ, ids[0, differ], ids[1, differ]

    def _moved_cells(self, column: Column, kind: ColumnType, rows: int) -> tuple[Rows, Cells, Cells]:
        """The rows below ``rows`` whose cells are not the same bytes, ascending, with both cells."""
        found = []
        for start, stop in row_runs(self._between.get(column, ()), kind.cell_bytes, rows):
            old = self._old.cells(column, kind, start, stop)
            new = self._new.cells(column, kind, start, stop)
            differ = _differing(old, new)
            found.append((differ + start, old[differ], new[differ]))
        if not found:
            none: Cells = np.empty((0, *kind.shape), kind.dtype)
            return NO_ROWS, none, none
        if len(found) == 1:
            return found[0]
        where, before, after = zip(*found, strict=True)
        return np.concatenate(where), np.concatenate(before), np.concatenate(after)


def _kept(before: Mapping[str, Lineage], after: Mapping[str, Lineage]) -> dict[str, str]:
    """The fields whose values have one meaning in both frames: by the name of the second, the name of the first."""
    by_kin = {one.kin: name for name, one in before.items()}
    found = {}
    for name, one in after.items():
        was = by_kin.get(one.kin)
        if was is not None and before[was].field.type.shape == one.field.type.shape:
            found[name] = was
    return found


def _differing(old: Cells, new: Cells) -> Rows:
    """The places of the cells that are not the same bytes, ascending: NaNs may be the same, 0.0 and -0.0 are not."""
    if not len(old):
        return NO_ROWS
    cell = old.nbytes // len(old)
    word = next(size for size in _WORDS if cell % size == 0)
    places = np.flatnonzero(_words(old, word) != _words(new, word))
    if word == cell:
        return places
    places //= cell // word
    return places[np.flatnonzero(np.diff(places, prepend=-1))]


def _words(cells: Cells, size: int) -> npt.NDArray[Any]:
    return np.ascontiguousarray(cells).reshape(-1).view(_WORDS[size])


def _not_in(rows: Rows, others: Rows) -> npt.NDArray[np.bool_]:
    """Of each row whether it is not among others, which ascend."""
    if not len(others):
        return np.ones(len(rows), np.bool_)
    at = np.minimum(np.searchsorted(others, rows), len(others) - 1)
    apart: npt.NDArray[np.bool_] = others[at] != rows
    return apart
