"""The plan of a migration: what becomes of each column of one table. Made from schemas alone, without looking at values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

from instar.hmr.state.columns import Columns, Lineage
from instar.hmr.state.fields import Field
from instar.hmr.state.migration.conversion import is_comparable, keeps_values
from instar.hmr.state.migration.naming import Named, former_names, sources
from instar.hmr.state.references import reference_to
from instar.hmr.state.schema import Schema


class Move(Enum):
    """Where a field's column comes from."""

    STAY = auto()
    """It is the column that was seen, perhaps under another name."""
    BACK = auto()
    """It is a parked column, as it was."""
    BEGIN = auto()
    """It is new, and holds defaults."""
    CONVERT = auto()
    """It is new, and holds the values of a column whose type it can hold all of."""
    RETURN = auto()
    """It is the parked column of an earlier type, with what was changed since."""
    REVERT = auto()
    """It is the parked column of an earlier type, with the values of then: those of the later type mean something else."""
    ASK = auto()
    """It is new, and only the module's author knows what becomes of the values."""


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """What becomes of one field.

    Attributes:
        field: The field.
        move: Where its column comes from.
        source: The column that it goes on from; None if it begins.
        kept: The parked column that it goes on in, for RETURN and REVERT.
        formers: The names the field had before.
    """

    field: Field
    move: Move
    source: Lineage | None = None
    kept: Lineage | None = None
    formers: tuple[str, ...] = ()

    @property
    def old_name(self) -> str | None:
        """The name that the field has in the running world, if it has one."""
        return None if self.source is None else self.source.field.name


@dataclass(frozen=True, slots=True)
class TablePlan:
    """What becomes of one table.

    Attributes:
        old: The running schema, with references to renamed tables under their new names; None for a new table.
        new: The schema to come.
        fields: Its fields, in order.
        parked: The columns that nobody will see, under the names they have then.
        dropped: The parked columns whose name and type another column takes.
    """

    old: Schema | None
    new: Schema
    fields: tuple[FieldPlan, ...]
    parked: tuple[Lineage, ...]
    dropped: tuple[Lineage, ...]

    @property
    def begun(self) -> tuple[FieldPlan, ...]:
        """The fields whose columns are new."""
        return tuple(one for one in self.fields if one.move in (Move.BEGIN, Move.CONVERT, Move.ASK))

    @property
    def asks(self) -> tuple[FieldPlan, ...]:
        """The fields of which something would be lost."""
        return tuple(plan for plan in self.fields if plan.move is Move.ASK)


def plan_table(old: Schema | None, columns: Columns | None, new: Schema) -> TablePlan:
    """Plan what becomes of a table.

    Args:
        old: Its running schema; None for a new table.
        columns: Its columns.
        new: The schema to come.
    """
    if old is None or columns is None:
        return TablePlan(None, new, tuple(FieldPlan(field, Move.BEGIN) for field in new.fields.values()), (), ())
    shown = set(map(id, columns.visible.values()))
    there = {
        one.field.name: Named(one.field.name in columns.visible, one.formers)
        for one in sorted(columns.lineages(), key=lambda one: id(one) in shown)
    }
    found = sources({name: field.was for name, field in new.fields.items()}, there)
    renamed = {source: name for name, source in found.items() if source is not None}
    kin: dict[str, list[Lineage]] = {}
    for lineage in columns.lineages():
        kin.setdefault(lineage.field.name, []).append(lineage)
    plans = tuple(
        _plan_field(field, found[name], columns, kin.get(found[name] or "", [])) for name, field in new.fields.items()
    )
    return TablePlan(old, new, plans, *_parked(columns, plans, renamed, new))


def _plan_field(field: Field, source: str | None, columns: Columns, kin: list[Lineage]) -> FieldPlan:
    if source is None:
        return FieldPlan(field, Move.BEGIN)
    own = next((one for one in kin if one.field.type == field.type), None)
    seen = columns.visible.get(source)
    formers = former_names(field.name, source, (seen or kin[-1]).formers)
    if seen is None:
        return _plan_parked(field, own, kin, formers)
    if own is seen:
        return FieldPlan(field, Move.STAY, seen, formers=formers)
    if own is not None:
        comparable = is_comparable(seen.field.type, field.type) and is_comparable(field.type, seen.field.type)
        return FieldPlan(field, Move.RETURN if comparable else Move.REVERT, seen, own, formers)
    keeps = keeps_values(seen.field.type, field.type)
    return FieldPlan(field, Move.CONVERT if keeps else Move.ASK, seen, formers=formers)


def _plan_parked(field: Field, own: Lineage | None, kin: list[Lineage], formers: tuple[str, ...]) -> FieldPlan:
    """A field that is not seen now, but has columns: its own comes back, or the last one whose values it can hold."""
    if own is not None:
        return FieldPlan(field, Move.BACK, own, formers=formers)
    origin = next((one for one in reversed(kin) if keeps_values(one.field.type, field.type)), None)
    if origin is None:
        return FieldPlan(field, Move.BEGIN, formers=formers)
    return FieldPlan(field, Move.CONVERT, origin, formers=formers)


def _parked(
    columns: Columns, plans: tuple[FieldPlan, ...], renamed: Mapping[str, str], new: Schema
) -> tuple[tuple[Lineage, ...], tuple[Lineage, ...]]:
    """The columns that are seen no more, or still not, and those that give way to another of their name and type."""
    used = {id(one) for plan in plans for one in (_column_of(plan),) if one is not None}
    formers = {plan.field.name: plan.formers for plan in plans if plan.source is not None}
    parked: list[Lineage] = []
    dropped: list[Lineage] = []
    keys = {(name, field.type) for name, field in new.fields.items()}
    for lineage in columns.lineages():
        if id(lineage) in used:
            continue
        name = lineage.field.name
        to = renamed.get(name, name)
        one = lineage if to == name else lineage.declared(replace(lineage.field, name=to), formers.get(to))
        if (name not in renamed and name in renamed.values()) or one.key in keys:
            dropped.append(lineage)
        else:
            parked.append(one)
    return tuple(parked), tuple(dropped)


def _column_of(plan: FieldPlan) -> Lineage | None:
    """The column that there is already, and that a field goes on in."""
    if plan.move in (Move.STAY, Move.BACK):
        return plan.source
    return plan.kept


def retargeted(columns: Columns, schema: Schema, renamed: Mapping[str, str]) -> tuple[Columns, Schema]:
    """The columns and the schema of a table where tables that it refers to have other names."""
    if not any(one.field.target in renamed for one in columns.lineages()):
        return columns, schema
    lineages = [one.declared(_retargeted(one.field, renamed)) for one in columns.lineages()]
    fields = {name: _retargeted(field, renamed) for name, field in schema.fields.items()}
    changed = replace(schema, fields=fields)
    return Columns(lineages, changed), changed


def _retargeted(field: Field, renamed: Mapping[str, str]) -> Field:
    target = renamed.get(field.target or "")
    if target is None:
        return field
    kind = reference_to(target)
    return replace(field, type=kind[field.type.shape] if field.type.shape else kind, target=target)
