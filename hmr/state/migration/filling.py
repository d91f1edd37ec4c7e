"""One table of a migration: its columns made aside, so that the running ones are not touched before all is known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from instar.hmr.state.columns import Cells, Columns, Lineage
from instar.hmr.state.fields import Field
from instar.hmr.state.ids import IdIndex
from instar.hmr.state.migration.conversion import Converted, converted, returned
from instar.hmr.state.migration.plan import FieldPlan, Move, TablePlan
from instar.hmr.state.migration.steps import Steps, rules
from instar.hmr.state.schema import Schema
from instar.native import Column

Spare = dict[tuple[str, Field], Column]
"""Columns that nothing uses yet, by table and field: filled with the default, or with memory that is there already."""


class Filling:
    """The columns that a table will have.

    Attributes:
        plan: What was planned, but for the fields that turned out to hold values which would be lost: those are asked for.
        lost: Of those fields, how many rows hold such values.
        fresh: The columns that are new, by field; `settle` must be called once they are filled.
        writes: Values to be written into parked columns that come back.
        steps: What is done, for people.
    """

    def __init__(
        self,
        plan: TablePlan,
        columns: Columns | None,
        rows: int,
        room: int,
        frame: int,
        spare: Spare | None = None,
        *,
        is_asked: bool = False,
    ) -> None:
        """Make the new columns and fill them with what rules can.

        Args:
            plan: What becomes of the fields.
            columns: The running columns; None for a new table.
            rows: The table's rows.
            room: The rows that new columns have room for.
            frame: The frame with which they begin.
            spare: Columns that were made ready.
            is_asked: Whether a `migrate` may write into the new columns, whatever becomes of them.
        """
        self.rows = rows
        self.fresh: dict[str, Lineage] = {}
        self.lost: dict[str, int] = {}
        self.writes: list[tuple[Lineage, Cells]] = []
        self.steps = Steps(plan, rows)
        self._table = plan.new.table
        self._room = room
        self._spare = {} if spare is None else spare
        self._frame = frame
        self._columns = columns
        self._continued: dict[int, Lineage] = {}
        self._is_asked = is_asked
        self.plan = replace(plan, fields=tuple(self._make(one) for one in plan.fields))

    def columns(self, schema: Schema) -> Columns:
        """All columns as they will be, in order of their creation."""
        before = () if self._columns is None else self._columns.lineages()
        parked = {one.column: one for one in self.plan.parked}
        there = [self._continued.get(id(one)) or parked.get(one.column) for one in before]
        return Columns([one for one in (*there, *self.fresh.values()) if one is not None], schema)

    def kept(self) -> Mapping[str, Lineage]:
        """The columns by field that are there already."""
        return {one.field.name: one for one in self._continued.values()}

    def forget_gone(self, indexes: Mapping[str, IdIndex]) -> None:
        """Zero references to agents that are gone. Args: indexes: the ids of the tables that were there before, by name."""
        for lineage in self.fresh.values():
            index = indexes.get(lineage.field.target or "")
            if index is not None:
                index.forget(lineage.column, self.rows * lineage.row_bytes // 8, everywhere=True)
        for lineage, cells in self.writes:
            index = indexes.get(lineage.field.target or "")
            if index is not None:
                cells[index.rows_of(np.ascontiguousarray(cells, np.uint64)) < 0] = 0

    def answered(self, touched: Collection[str]) -> None:
        """Note the fields that a `migrate` has written to, or may have."""
        for one in self.plan.fields:
            if one.move is Move.BEGIN and one.field.name in touched:
                self.steps.note_answered(one.field)

    def settle(self) -> None:
        """Make what the fresh columns hold their committed bytes."""
        for lineage in self.fresh.values():
            if lineage.column.extent != self.rows * lineage.row_bytes:
                lineage.column.settle(self.rows * lineage.row_bytes)

    def _make(self, plan: FieldPlan) -> FieldPlan:
        if plan.move in (Move.STAY, Move.BACK, Move.REVERT):
            self._continue(plan)
        elif plan.move is Move.BEGIN:
            self._begin(plan)
        elif plan.move is Move.RETURN:
            return self._return(plan)
        else:
            assert plan.source is not None
            with np.errstate(invalid="ignore"):  # a NaN may be a signalling one
                self._reserve(plan).cells(0, self.rows)[...] = _prefilled(plan, plan.source.cells(0, self.rows))
            self.steps.note(plan)
        return plan

    def _continue(self, plan: FieldPlan) -> None:
        lineage = plan.kept or plan.source
        assert lineage is not None
        self._continued[id(lineage)] = lineage.declared(plan.field, plan.formers)
        self.steps.note(plan)
        if rules(lineage.field) != rules(plan.field):
            self.steps.warn_outside(plan.field, lineage.cells(0, self.rows))

    def _begin(self, plan: FieldPlan) -> None:
        lineage = self._reserve(plan)
        if self._is_asked and self.rows:
            lineage.cells(0, self.rows)[...] = default_cell(plan.field)
        elif lineage.column.extent != self.rows * lineage.row_bytes or not self.rows:
            lineage.column.fill(default_cell(plan.field).tobytes(), self.rows)
        self.steps.note(plan)

    def _return(self, plan: FieldPlan) -> FieldPlan:
        assert plan.source is not None
        assert plan.kept is not None
        parked = plan.kept.cells(0, self.rows)
        found = returned(plan.source.cells(0, self.rows), parked, plan.field.type)
        if found.lost.any():
            asked = replace(plan, move=Move.ASK, kept=None)
            self.lost[plan.field.name] = int(np.count_nonzero(found.lost))
            self._reserve(asked).cells(0, self.rows)[...] = _without_lost(found, asked)
            self.steps.note(asked)
            return asked
        changed = int(np.count_nonzero(_differing_rows(found.cells, parked)))
        if changed:
            self.writes.append((plan.kept, found.cells))
        self._continued[id(plan.kept)] = plan.kept.declared(plan.field, plan.formers)
        self.steps.note_return(plan, changed, int(np.count_nonzero(found.rounded)))
        return plan

    def _reserve(self, plan: FieldPlan) -> Lineage:
        kin = None if plan.source is None else plan.source.kin
        spare = self._spare.pop((self._table, plan.field), None)
        if spare is not None and spare.extent and (self._is_asked or plan.move is not Move.BEGIN):
            spare = None
        lineage = Lineage.reserve(self._room, plan.field, self._frame, kin, plan.formers, spare)
        self.fresh[plan.field.name] = lineage
        lineage.column.expect(self.rows * lineage.row_bytes)
        return lineage


def default_cell(field: Field) -> Cells:
    """The cell of a new row."""
    return np.broadcast_to(np.asarray(field.default, field.type.dtype), field.type.shape)


def _prefilled(plan: FieldPlan, cells: Cells) -> Cells:
    """The values that a new column begins with: those that convert safely, else the default."""
    assert plan.source is not None
    old, new = plan.source.field.type, plan.field.type
    if plan.move is Move.CONVERT:
        return cells
    if plan.field.target is not None or old.shape != new.shape:
        return default_cell(plan.field)
    return _without_lost(converted(cells, new), plan)


def _without_lost(found: Converted, plan: FieldPlan) -> Cells:
    cells = found.cells
    cells[found.lost] = default_cell(plan.field)
    return cells


def _differing_rows(a: Cells, b: Cells) -> npt.NDArray[np.bool_]:
    """Of each row, whether its bytes differ."""
    if not len(a):
        return np.zeros(0, np.bool_)
    left, right = (np.ascontiguousarray(one).reshape(len(one), -1).view(np.uint8) for one in (a, b))
    differ: npt.NDArray[np.bool_] = (left != right).any(axis=1)
    return differ
