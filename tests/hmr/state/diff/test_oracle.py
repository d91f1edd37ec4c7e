"""Any diff between held frames equals that of two dictionaries of rows."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from instar.hmr.state import Schema, StateManager, f32, f64, i16
from instar.hmr.state.fields import make_field

FIELDS = {"x": f32, "vel": f32[3], "kind": i16, "mark": f64}


def schema(table: str, names) -> Schema:
    return Schema.build(table, {name: make_field(name, FIELDS[name]) for name in names}, 20_000)


def rows(state: StateManager) -> dict:
    """Per table its fields, and per id the bytes of each field's value."""
    seen = {}
    for name, table in state.tables.items():
        cells = {field: getattr(table, field).copy() for field in table.schema.fields}
        by_id = {int(one): {f: cells[f][row].tobytes() for f in cells} for row, one in enumerate(table.id)}
        seen[name] = (tuple(table.schema.fields), by_id)
    return seen


def expected(old: dict, new: dict) -> dict:
    found = {}
    for name in {*old, *new}:
        fields_old, rows_old = old.get(name, ((), {}))
        fields_new, rows_new = new.get(name, ((), {}))
        both = [field for field in fields_new if field in fields_old]
        changed = {}
        for field in both:
            pairs = {
                one: (rows_old[one][field], rows_new[one][field])
                for one in rows_old.keys() & rows_new.keys()
                if rows_old[one][field] != rows_new[one][field]
            }
            changed |= {field: pairs} if pairs else {}
        found[name] = {
            "added": {one: rows_new[one] for one in rows_new.keys() - rows_old.keys()},
            "removed": {one: rows_old[one] for one in rows_old.keys() - rows_new.keys()},
            "changed": changed,
            "columns": (set(fields_new) - set(fields_old), set(fields_old) - set(fields_new))
            if name in old and name in new
            else (set(), set()),
        }
    return found


def told(found) -> dict:
    def row_set(rows):
        return {
            int(one): {field: cells[at].tobytes() for field, cells in rows.columns.items()}
            for at, one in enumerate(rows.ids)
        }

    return {
        name: {
            "added": row_set(table.added),
            "removed": row_set(table.removed),
            "changed": {
                field: {
                    int(one): (changes.old[at].tobytes(), changes.new[at].tobytes())
                    for at, one in enumerate(changes.ids)
                }
                for field, changes in table.changed.items()
            },
            "columns": (set(table.added_columns), set(table.removed_columns)),
        }
        for name, table in found.items()
    }


class Diffs(RuleBasedStateMachine):
    """Spawns, despawns, writes, commits, travels and edits, with a dictionary of rows of each frame beside."""

    @initialize(budget=st.sampled_from([1 << 16, 1 << 22]), count=st.integers(0, 9000))
    def open(self, budget, count):
        self.state = StateManager(history_bytes=budget)
        self.state.migrate({"boids": schema("boids", FIELDS), "hawks": schema("hawks", ["x"])})
        self.state["boids"].spawn(count, x=np.arange(count), mark=np.arange(count))
        self.state.amend()
        self.seen = {0: rows(self.state)}

    def tables(self):
        return list(self.state.tables.values())

    @rule(data=st.data(), count=st.integers(0, 60), x=st.floats(-9, 9, width=32))
    def spawn(self, data, count, x):
        data.draw(st.sampled_from(self.tables())).spawn(count, x=x)

    @rule(data=st.data(), many=st.booleans())
    def despawn(self, data, many):
        table = data.draw(st.sampled_from(self.tables()))
        if len(table):
            last = len(table) - 1
            chosen = data.draw(st.lists(st.integers(0, last), max_size=20))
            table.despawn(np.arange(0, len(table), 3) if many else chosen)

    @rule(data=st.data(), start=st.integers(0, 9000), step=st.sampled_from([1, 7, 5000]))
    def write(self, data, start, step):
        table = data.draw(st.sampled_from(self.tables()))
        field = data.draw(st.sampled_from(list(table.schema.fields)))
        getattr(table, field)[start : start + 8 * step : step] += 1

    @rule()
    def commit(self):
        frame = self.state.commit().frame
        self.seen = {f: s for f, s in self.seen.items() if f < frame} | {frame: rows(self.state)}

    @rule(fields=st.sets(st.sampled_from(["vel", "kind", "mark"])), hawks=st.booleans())
    def migrate(self, fields, hawks):
        self.state.rollback(self.state.frame)
        layout = {"boids": schema("boids", ["x", *sorted(fields)])}
        self.state.migrate(layout | ({"hawks": schema("hawks", ["x"])} if hawks else {}))
        frame = self.state.frame
        if self.state.frames[-1] == frame:
            self.seen = {f: s for f, s in self.seen.items() if f <= frame}
        self.seen[frame] = rows(self.state)

    @precondition(lambda self: len(self.state.frames) > 1)
    @rule(data=st.data())
    def travel(self, data):
        frame = data.draw(st.sampled_from(list(self.state.frames)))
        (self.state.rollback if frame <= self.state.frame else self.state.redo)(frame)

    @rule(data=st.data())
    def diff(self, data):
        frames = st.sampled_from(list(self.state.frames))
        old, new = data.draw(frames), data.draw(frames)
        before = {name: table.x.tobytes() for name, table in self.state.tables.items()}
        found = self.state.diff(old, new)
        wanted = expected(self.seen[old], self.seen[new])
        assert told(found) == wanted
        assert {name: table.x.tobytes() for name, table in self.state.tables.items()} == before
        different = any(any(table[key] for key in ("added", "removed", "changed")) for table in wanted.values())
        assert bool(found) >= different
        assert str(found)


TestDiffs = Diffs.TestCase
TestDiffs.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
