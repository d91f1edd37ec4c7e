"""A migration: all tables from one layout to another. It is made aside, and takes effect at once or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np

from instar.hmr.state.catalog import Catalog
from instar.hmr.state.catalog.atomic import at_once
from instar.hmr.state.catalog.layouts import Era, Form, Layout
from instar.hmr.state.catalog.targets import check_targets
from instar.hmr.state.columns import Cells, Lineage
from instar.hmr.state.errors import MigrationError
from instar.hmr.state.ids import Roots
from instar.hmr.state.migration.answers import ask
from instar.hmr.state.migration.filling import Filling, Spare, default_cell
from instar.hmr.state.migration.hook import Migrator
from instar.hmr.state.migration.naming import Named, former_names, sources
from instar.hmr.state.migration.plan import Move, TablePlan, plan_table, retargeted
from instar.hmr.state.migration.refusal import KEPT, Question, refusal
from instar.hmr.state.migration.removal import forget_removed, without_rows
from instar.hmr.state.schema import Schema
from instar.hmr.state.step import Step
from instar.hmr.state.table import Table, rows_reserved
from instar.native import Column, Despawns, History

# A migration and its tables are one concept in several files.
# ruff: noqa: SLF001


class Migration:
    """One change of layout.

    Attributes:
        steps: What it does, for people; complete once it is prepared.
        writes: Values to be written into columns that there are already, when it takes effect.
        growth: The tables whose columns are too small for the new capacity, with each column and the bytes it needs; they are
            to be renewed before.
    """

    def __init__(self, era: Era, layout: Layout, frame: int, migrators: Sequence[Migrator] = ()) -> None:
        """Plan it, without looking at values.

        Args:
            era: What the tables are made of.
            layout: The schemas that the visible tables are to have.
            frame: The frame it begins with.
            migrators: Who answers for which tables; a table that none names is answered by nobody.

        Raises:
            SchemaError: If a `Ref` names a table that is not among them.
            MigrationError: If something would be lost and nobody says what becomes of it.
        """
        check_targets(layout)
        self.steps: list[Step] = []
        self.writes: list[tuple[Lineage, Cells]] = []
        self._doomed: dict[str, Despawns] = {}
        self._removed: dict[str, int] = {}
        self.growth: dict[Table, list[tuple[Column, int]]] = {}
        self._frame = frame
        self._layout = layout
        self._migrators = migrators
        self._names = _table_sources(era, layout)
        renamed = {old: new for new, old in self._names.items() if old is not None and old != new}
        self._before = {name: _retargeted(form, renamed) for name, form in era.forms.items()}
        self._era = era
        self._plans = {name: self._plan(name, schema) for name, schema in layout.items()}
        self._fillings: dict[str, Filling] = {}
        self._refuse_unanswered(self._questions(self._plans))

    @property
    def reverts(self) -> bool:
        """Whether a column comes back with the values it had when it was parked, in place of one that was written since."""
        return any(one.move is Move.REVERT for plan in self._plans.values() for one in plan.fields)

    def spare(self) -> Spare:
        """New columns with memory for the present rows, so that `prepare`, later, need not wait for the system to find it."""
        made: Spare = {}
        for name, plan in self._plans.items():
            form = self._form_of(name)
            rows = 0 if form is None else len(form.table)
            for one in plan.begun if rows else ():
                size = one.field.type.cell_bytes
                column = made[name, one.field] = Column(rows_reserved(plan.new) * size)
                column.touch(rows * size)
                if one.move is Move.BEGIN:
                    column.fill(default_cell(one.field).tobytes(), rows)
        return made

    def prepare(self, spare: Spare | None = None) -> None:
        """Make and fill the new columns, and have `migrate` hooks say what only they know; nothing that runs is touched.

        Args:
            spare: Columns that were made ready by a migration to the same layout.

        Raises:
            MigrationError: If something would be lost after all, or a `migrate` fails; nothing has changed.
            ReservationError: If the system does not give the address space.
        """
        for name, plan in self._plans.items():
            form = self._form_of(name)
            rows = 0 if form is None else len(form.table)
            columns = None if form is None else form.columns
            is_asked = any(one.is_new and name in one.tables for one in self._migrators)
            room = rows_reserved(plan.new)
            self._fillings[name] = Filling(plan, columns, rows, room, self._frame, spare, is_asked=is_asked)
        plans = {name: filling.plan for name, filling in self._fillings.items()}
        questions = self._questions(plans)
        self._refuse_unanswered(questions)
        for migrator in self._migrators:
            asked = [one for one in questions if one.table in migrator.tables]
            if asked or (migrator.is_new and self._begins(migrator)):
                self._ask(migrator, asked)
        for filling in self._fillings.values():
            filling.forget_gone({name: form.table._index for name in self._layout if (form := self._form_of(name))})
            filling.settle()
            self.writes += filling.writes
        self.growth = self._growth()
        self._tell()

    def take_effect(self, catalog: Catalog, history: History, settle: Callable[[], object]) -> None:
        """Have a prepared migration take effect, at once.

        Args:
            catalog: Whose tables.
            history: What holds their frames.
            settle: Returns when no worker reads columns any more; called if some are to move.
        """
        if self.growth:
            settle()
        for table, columns in self.growth.items():
            table._views.close()
            table.__dict__.pop("id", None)
            for column, size in columns:
                column.renew(size)
        era = self._become()
        eras = catalog.eras.followed_by(era, history.oldest)
        for column in eras.native():
            history.add(column)
        at_once([*self._effects(history), *catalog.change(era, eras)])

    def _become(self) -> Era:
        """What the tables are made of then."""
        taken = {*self._names.values(), *self._layout}
        forms = {name: form for name, form in self._before.items() if name not in taken}
        for name, schema in self._layout.items():
            form, columns = self._form_of(name), self._fillings[name].columns(schema)
            if form is None:
                table = Table(schema, columns, self._frame)
                forms[name] = Form(table, schema, columns, table._roots)
            else:
                formers = former_names(name, form.schema.table, form.formers)
                forms[name] = Form(form.table, schema, columns, form.roots, formers)
        return Era(self._frame, tuple(self._layout), self._without_removed(forms))

    def _without_removed(self, forms: dict[str, Form]) -> dict[str, Form]:
        """The tables without the rows that a `migrate` takes away, and without references to them."""
        roots: dict[str, Roots] = {}
        for name, doomed in self._doomed.items():
            table, schema, columns, before, formers = forms[name]
            room = rows_reserved(schema)
            made, columns = without_rows(before, columns, schema, doomed, len(table), room)
            roots[name] = made
            forms[name] = Form(table, schema, columns, made, formers)
        for name, form in forms.items() if roots else ():
            rows = len(form.table) - self._removed.get(name, 0)
            columns = forget_removed(form.columns, form.schema, rows, rows_reserved(form.schema), roots)
            forms[name] = form._replace(columns=columns)
        return forms

    def _effects(self, history: History) -> list[Callable[[], object]]:
        """What it does to columns and tables that there are already: calls to be made at once with the change of the era."""
        calls: list[Callable[[], object]] = []
        for lineage, cells in self.writes:
            calls.append(partial(np.copyto, lineage.cells(0, len(cells)), cells))
        if self.writes:
            columns = [lineage.column for lineage, _ in self.writes]
            calls.append(partial(History.commit, history, self._frame, columns))
        for name, removed in self._removed.items():
            table = self._table_of(name)
            rows = len(table) - removed
            calls.append(partial(table._views.__dict__.update, {**table._views.renewed((), 0), "_reach": rows}))
            calls.append(partial(table.__dict__.update, {"_rows": rows, "_doomed": Despawns(), "_moved": False}))
        return calls + self._retiring()

    def _retiring(self) -> list[Callable[[], object]]:
        """Calls that make views of columns which are seen no more read-only."""
        calls: list[Callable[[], object]] = []
        went_to = {old: new for new, old in self._names.items()}
        for name in self._era.shown:
            form, new = self._era.forms[name], went_to.get(name)
            stay = (
                set() if new is None or self._removed else {one.column for one in self._fillings[new].kept().values()}
            )
            columns = [one.column for one in form.columns.visible.values()]
            calls += form.table._views.retire(
                column for column in columns if column not in stay or form.table in self.growth
            )
        return calls

    def _growth(self) -> dict[Table, list[tuple[Column, int]]]:
        found = {}
        for name, schema in self._layout.items():
            form = self._form_of(name)
            if form is None:
                continue
            room = rows_reserved(schema)
            index = form.table._index.columns
            needed = [(index["id"], 8 * room), (index["slots"], 8 * room), (index["free"], 4 * room)]
            needed += [(one.column, one.row_bytes * room) for one in form.columns.lineages()]
            if any(column.capacity_bytes < size for column, size in needed):
                found[form.table] = needed
        return found

    def _form_of(self, name: str) -> Form | None:
        """What the table that will have a name is made of now, with its references retargeted."""
        source = self._names[name]
        return None if source is None else self._before[source]

    def _table_of(self, name: str) -> Table:
        """The table that there is already, and will have a name."""
        form = self._form_of(name)
        assert form is not None
        return form.table

    def _plan(self, name: str, schema: Schema) -> TablePlan:
        form = self._form_of(name)
        return plan_table(None, None, schema) if form is None else plan_table(form.schema, form.columns, schema)

    def _questions(self, plans: Mapping[str, TablePlan]) -> list[Question]:
        found = []
        for name, plan in plans.items():
            form = self._form_of(name)
            if form is None:
                continue
            rows = len(form.table)
            lost = self._fillings[name].lost if name in self._fillings else {}
            question = Question(
                form.schema.table,
                name,
                plan.asks,
                tuple((one, f"{count} of {rows} rows hold values it cannot hold") for one, count in lost.items()),
                (form.schema.capacity, plan.new.capacity) if rows > plan.new.capacity else None,
                rows,
            )
            found += [question] if question else []
        return found

    def _refuse_unanswered(self, questions: Iterable[Question]) -> None:
        """Raise MigrationError for the questions of the first module that has no `migrate`."""
        grouped: dict[frozenset[str], list[Question]] = {}
        for question in questions:
            migrator = next((one for one in self._migrators if question.table in one.tables), None)
            if migrator is None or migrator.function is None:
                key = frozenset(self._layout) if migrator is None else migrator.tables
                grouped.setdefault(key, []).append(question)
        for group in grouped.values():
            raise refusal(group)

    def _begins(self, migrator: Migrator) -> bool:
        """Whether agents of its tables get columns that are new."""
        return any(
            filling.rows and filling.fresh for name, filling in self._fillings.items() if name in migrator.tables
        )

    def _ask(self, migrator: Migrator, questions: list[Question]) -> None:
        forms = {name: form for name in self._layout if name in migrator.tables and (form := self._form_of(name))}
        fillings = {name: self._fillings[name] for name in self._layout if name in migrator.tables}
        doomed = ask(migrator, questions, forms, fillings)
        self._doomed |= doomed
        self._removed |= {name: len(rows) for name, rows in doomed.items()}

    def _tell(self) -> None:
        """Write down the steps."""
        for name, filling in self._fillings.items():
            form = self._form_of(name)
            if form is None:
                self._note(name, "new table, empty until something spawns into it", 0)
                continue
            rows = len(form.table)
            source = form.schema.table
            if source not in self._era.shown:
                self._note(name, f"brought back{'' if source == name else f' from {source}'} with {rows} rows", rows)
            elif source != name:
                self._note(name, f"was {source}; its {rows} rows, their ids and references to them stay", rows)
            filling.steps.note_rest()
            self.steps += filling.steps.lines
            if name in self._removed:
                self._note(name, f"{self._removed[name]} rows removed by migrate", rows - self._removed[name])
        taken = set(self._names.values())
        for name in self._era.shown:
            if name not in taken:
                rows = len(self._era.forms[name].table)
                self._note(name, f"parked with {rows} rows", rows)

    def _note(self, table: str, text: str, rows: int) -> None:
        self.steps.append(Step(f"{table}: {text}", table, None, rows))


def _table_sources(era: Era, layout: Layout) -> dict[str, str | None]:
    """From which running table each wanted one goes on."""
    there = {name: Named(name in era.shown, form.formers) for name, form in era.forms.items()}
    wanted: dict[str, str | None] = {name: schema.was for name, schema in layout.items()}
    said: dict[str, str] = {}
    for name, was in wanted.items():
        if was is not None and said.setdefault(was, name) != name:
            raise MigrationError(
                f"{said[was]} and {name} both say was={was!r}; its agents can go to one. {KEPT} Let the other begin anew",
                name,
            )
    found = sources(wanted, there)
    taken = set(found.values())
    for name, source in found.items():
        form = era.forms.get(name)
        if form is not None and name != source and name not in taken and len(form.table):
            raise MigrationError(
                f"{name} says that it was {source}, but there is a parked table {name} with {len(form.table)} rows, which "
                f"would be lost. {KEPT} Give {source} another name",
                name,
            )
    return found


def _retargeted(form: Form, renamed: Mapping[str, str]) -> Form:
    columns, schema = retargeted(form.columns, form.schema, renamed)
    return form._replace(columns=columns, schema=schema)
