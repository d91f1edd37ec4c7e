"""Asking a `migrate`, and seeing that what it answers can be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from instar.hmr.state.catalog.layouts import Form
from instar.hmr.state.columns import Lineage
from instar.hmr.state.errors import MigrationError
from instar.hmr.state.migration.filling import Filling
from instar.hmr.state.migration.hook import Migrator, NewTable, OldTable, Side, call_migrate, place_of
from instar.hmr.state.migration.refusal import KEPT, Question, left_open
from instar.hmr.state.migration.steps import rows_outside, rules
from instar.native import Despawns


def ask(
    migrator: Migrator, questions: Sequence[Question], forms: Mapping[str, Form], fillings: Mapping[str, Filling]
) -> dict[str, Despawns]:
    """Have a `migrate` fill the columns that only it can fill.

    Args:
        migrator: Who answers.
        questions: What it is asked; nothing, if it may say something all the same.
        forms: What its tables are made of, by new name; those that are new are not among them.
        fillings: What they will be made of.

    Returns:
        The rows it wants gone, by table.

    Raises:
        MigrationError: If it raises, leaves a question open, or answers what the schema does not allow.
    """
    old = {
        form.schema.table: OldTable(form.schema, form.columns, form.table._index, len(form.table))  # noqa: SLF001
        for form in forms.values()
    }
    new = {name: _new_table(filling, forms.get(name)) for name, filling in fillings.items()}
    about = questions[0].table if questions else next(iter(fillings))
    call_migrate(migrator, Side("old", old), Side("new", new), about)
    for question in questions:
        table = new[question.table]
        missing = [plan.field.name for plan in question.fields if plan.field.name not in table._touched]  # noqa: SLF001
        if missing:
            raise left_open(question, missing, migrator)
        _check_rows(question, table, migrator)
    for name, filling in fillings.items():
        filling.answered(new[name]._touched)  # noqa: SLF001
        for lineage in filling.fresh.values():
            _check_values(name, lineage, filling.rows, migrator)
    return {name: table._doomed for name, table in new.items() if len(table._doomed)}  # noqa: SLF001


def _new_table(filling: Filling, form: Form | None) -> NewTable:
    index = None if form is None else form.table._index  # noqa: SLF001
    return NewTable(filling.plan.new, filling.fresh, filling.kept(), index, filling.rows)


def _check_rows(question: Question, table: NewTable, migrator: Migrator) -> None:
    if question.capacity is None:
        return
    left = len(table) - len(table._doomed)  # noqa: SLF001
    if left > question.capacity[1]:
        raise _bad(
            migrator,
            question.table,
            f"leaves {left} rows in {question.table}, whose capacity is {question.capacity[1]}: "
            f"new.{question.table}.despawn(...) takes rows away",
        )


def _check_values(table: str, lineage: Lineage, rows: int, migrator: Migrator) -> None:
    """See that values are those that the field allows."""
    field, cells = lineage.field, lineage.cells(0, rows)
    outside = rows_outside(field, cells)
    if outside.size:
        raise _bad(
            migrator,
            table,
            f"gives {outside.size} rows of {table}.{field.name} values that are not {rules(field)} (row {outside[0]}: "
            f"{cells[outside[0]].tolist()})",
        )


def _bad(migrator: Migrator, table: str, what: str) -> MigrationError:
    assert migrator.function is not None
    return MigrationError(
        f"{migrator.name} {what}. {KEPT} Mend migrate and save the file again",
        table,
        place=place_of(None, migrator.function),
    )
