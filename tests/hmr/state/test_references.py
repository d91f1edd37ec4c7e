from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import instar
from instar.hmr.state import Agents, MigrationError, Ref, Schema, SchemaError, StateManager, TableError, f32, field, u64
from instar.hmr.state.fields import make_field


def layout(**tables):
    """Schemas by table, each from types by field."""
    return {
        table: Schema.build(table, {name: make_field(name, kind) for name, kind in fields.items()}, 1_000)
        for table, fields in tables.items()
    }


@pytest.fixture(params=["the target first", "the target last"])
def state(request):
    state = StateManager(history_bytes=1 << 20)
    tables = {"hawks": {"x": f32}, "prey": {"target": Ref["hawks"], "feared": Ref["hawks"][2]}}
    names = list(tables) if request.param == "the target first" else list(tables)[::-1]
    state.migrate(layout(**{name: tables[name] for name in names}))
    state["hawks"].spawn(4, x=[0, 1, 2, 3])
    state["prey"].spawn(3, target=state["hawks"].id[[3, 1, 1]])
    state.commit()
    return state


def test_it_is_a_column_type_that_remembers_its_table():
    kind = Ref["hawks"]
    assert instar.Ref is Ref
    assert (str(kind), str(kind[2]), str(kind[2, 3])) == ('Ref["hawks"]', 'Ref["hawks"][2]', 'Ref["hawks"][2, 3]')
    assert (kind.target, kind[2].target, kind.dtype, kind[2].shape) == ("hawks", "hawks", np.uint64, (2,))
    assert kind == Ref["hawks"] != Ref["foxes"]
    assert make_field("target", kind).target == "hawks"
    assert make_field("target", u64).target is None


@pytest.mark.parametrize("name", ["", "red hawks", 3, None, ("a", "b")])
def test_it_takes_the_name_of_a_table(name):
    with pytest.raises(SchemaError, match="names no table"):
        Ref[name]


def test_a_class_can_refer_to_its_own_table():
    class Sheep(Agents):
        leader: Ref["sheep"]  # noqa: UP037
        x: f32

    state = StateManager()
    state.migrate({"sheep": Schema.of(Sheep)})
    sheep = state["sheep"]
    sheep.spawn(3)
    sheep.leader = sheep.id[0]
    sheep.despawn(0)
    state.commit()
    assert sheep.leader.tolist() == [0, 0]


@pytest.mark.parametrize("default", [1, -1, 0.5, [0, 0]])
def test_a_default_other_than_none_is_refused(default):
    with pytest.raises(SchemaError, match="new rows refer to none, 0"):
        make_field("target", Ref["hawks"], default)
    assert make_field("target", Ref["hawks"][2], (0, 0)).default == (0, 0)
    with pytest.raises(SchemaError, match="holds none"):
        make_field("target", Ref["hawks"], min=0)


def test_a_table_that_is_not_there_is_refused():
    state = StateManager()
    with pytest.raises(
        SchemaError, match=r"prey.target is Ref\[\"hawk\"\], but there is no table 'hawk'.*there are prey"
    ):
        state.table("prey", {"target": Ref["hawk"]})
    assert not state.tables
    with pytest.raises(SchemaError, match="did you mean hawks"):
        state.migrate(layout(hawks={"x": f32}, prey={"target": Ref["Hawk"]}))
    state.table("hawks", {"x": f32})
    state.table("prey", {"target": Ref["hawks"]})
    before = state.commit()
    with pytest.raises(SchemaError, match="no table 'hawks'"):
        state.migrate(layout(prey={"target": Ref["hawks"]}))
    assert list(state.tables) == ["hawks", "prey"]
    assert state.frame == before.frame


def test_an_id_finds_its_agent_wherever_it_moves(state):
    hawks, prey = state["hawks"], state["prey"]
    assert prey.target.dtype == np.uint64
    assert prey.target.tolist() == hawks.id[[3, 1, 1]].tolist()
    assert hawks.rows_of(prey.target).tolist() == [3, 1, 1]
    hawks.despawn(0)
    state.flush()
    assert hawks.rows_of(prey.target).tolist() == [0, 1, 1]
    assert hawks.x[hawks.rows_of(prey.target)].tolist() == [3, 1, 1]
    assert hawks.rows_of(prey.feared).tolist() == [[-1, -1]] * 3


def test_a_despawned_target_reads_none(state):
    hawks, prey = state["hawks"], state["prey"]
    prey.feared[0] = hawks.id[[1, 2]]
    view = prey.target
    hawks.despawn(1)
    assert prey.target[1] != 0
    state.flush()
    assert view.tolist() == prey.target.tolist() == [4, 0, 0]
    assert prey.feared.tolist() == [[0, 3], [0, 0], [0, 0]]
    state.commit()
    state.rollback(state.frame - 1)
    assert prey.target.tolist() == [4, 2, 2]
    state.redo(state.frame + 1)
    assert prey.target.tolist() == [4, 0, 0]
    assert not state.validate().faults


def test_clearing_is_committed_where_nobody_looked_at_the_column(state):
    state["hawks"].despawn(slice(None))
    assert state.commit().lines
    state.rollback(state.frame)
    assert state["prey"].target.tolist() == [0, 0, 0]


def test_an_id_written_after_its_agent_has_gone_reads_none_from_the_commit_on(state):
    hawks, prey = state["hawks"], state["prey"]
    gone = int(hawks.id[2])
    hawks.despawn(2)
    state.commit()
    hawks.spawn(1)
    prey.target[0] = gone
    state.commit()
    assert prey.target.tolist() == [0, 2, 2]
    prey.spawn(1, target=gone)
    state.commit()
    assert prey.target[3] == 0
    assert not state.validate().faults


def test_an_id_that_was_never_given_is_a_fault_and_stays(state):
    prey = state["prey"]
    prey.target[0] = 12345
    state["hawks"].despawn(1)
    state.commit()
    assert prey.target.tolist() == [12345, 0, 0]
    assert [fault.kind for fault in state.validate().faults] == ["reference"]


def test_rows_that_move_take_their_references_along(state):
    state["prey"].despawn(0)
    state.commit()
    assert state["prey"].target.tolist() == [2, 2]
    assert state["hawks"].rows_of(state["prey"].target).tolist() == [1, 1]


def test_a_parked_column_forgets_too(state):
    prey = {"feared": Ref["hawks"][2]}
    with_target = layout(hawks={"x": f32}, prey={**prey, "target": Ref["hawks"]})
    state.migrate(layout(hawks={"x": f32}, prey=prey))
    state["hawks"].despawn(1)
    state.commit()
    state.migrate(with_target)
    assert state["prey"].target.tolist() == [4, 0, 0]


def test_a_parked_table_forgets_too(state):
    both = {"hawks": state["hawks"].schema, "prey": state["prey"].schema}
    state.migrate({"hawks": both["hawks"]})
    state["hawks"].despawn(1)
    state.commit()
    state.migrate({})
    assert not state.tables
    state.migrate(both)
    assert state["prey"].target.tolist() == [4, 0, 0]


def test_ids_kept_as_numbers_become_references(state):
    plain = {"feared": Ref["hawks"][2]}
    state.migrate(layout(hawks={"x": f32}, prey={**plain, "old": u64}))
    state["prey"].old[:] = [2, 4, 0]
    state["hawks"].despawn(1)
    state.commit()
    state.migrate(layout(hawks={"x": f32}, prey={**plain, "old": Ref["hawks"]}))
    assert state["prey"].old.tolist() == [0, 4, 0]
    state.rollback(state.frame - 1)
    assert state["prey"].schema.fields["old"].target is None
    assert state["hawks"].rows_of(state["prey"].old).tolist() == [-1, -1, -1]


@pytest.mark.parametrize("kind", [Ref["prey"], f32])
def test_what_would_be_no_reference_is_refused(state, kind):
    wanted = layout(hawks={"x": f32}, prey={"target": kind})
    if kind is f32:
        state.migrate(layout(hawks={"x": f32}, prey={"speed": f32}))
        wanted = layout(hawks={"x": f32}, prey={"speed": Ref["hawks"]})
    with pytest.raises(MigrationError, match="would lose"):
        state.migrate(wanted)


def test_what_is_assigned_must_be_ids(state):
    with pytest.raises(TableError, match="uint64"):
        state["prey"].target = [-1, 0, 0]
    with pytest.raises(TableError, match="uint64"):
        state["prey"].target = np.array([0.5, 1, 2])


def test_a_file_remembers_what_ids_are_of(state, tmp_path):
    state.save(tmp_path / "world.instar")
    loaded = StateManager.load(tmp_path / "world.instar")
    assert loaded["prey"].schema == state["prey"].schema
    loaded["hawks"].despawn(1)
    loaded.commit()
    assert loaded["prey"].target.tolist() == [4, 0, 0]


class Follows(RuleBasedStateMachine):
    """Two tables that refer to each other, beside lists of agents."""

    def __init__(self):
        super().__init__()
        self.state = StateManager(history_bytes=1 << 20)
        self.state.migrate(layout(a={"to": Ref["b"], "n": u64}, b={"to": Ref["a"], "self": Ref["b"]}))
        self.rows = {"a": [], "b": []}
        self.doomed = {"a": set(), "b": set()}
        self.seen = {}
        self.ever = []
        self.remember()

    def remember(self):
        self.seen[self.state.frame] = {name: [dict(row) for row in rows] for name, rows in self.rows.items()}

    def target(self, table, name):
        return {"to": "b" if table == "a" else "a", "self": "b"}[name]

    @rule(table=st.sampled_from("ab"), count=st.integers(0, 6))
    def spawn(self, table, count):
        new = self.state[table].spawn(count)
        for id_ in self.state[table].id[new].tolist():
            assert id_ not in {row["id"] for row in self.rows[table]}
            self.rows[table].append({"id": id_, "to": 0} | ({"self": 0} if table == "b" else {}))
            self.ever.append((table, id_))

    @rule(table=st.sampled_from("ab"), data=st.data())
    def despawn(self, table, data):
        if self.rows[table]:
            chosen = data.draw(st.lists(st.integers(0, len(self.rows[table]) - 1), max_size=4))
            self.state[table].despawn(np.array(chosen, np.int64))
            self.doomed[table] |= set(chosen)

    @precondition(lambda self: self.ever)
    @rule(column=st.sampled_from([("a", "to"), ("b", "to"), ("b", "self")]), data=st.data())
    def refer(self, column, data):
        table, name = column
        known = [id_ for owner, id_ in self.ever if owner == self.target(table, name)]
        if self.rows[table] and known:
            row = data.draw(st.integers(0, len(self.rows[table]) - 1))
            id_ = data.draw(st.sampled_from(known))
            getattr(self.state[table], name)[row] = id_
            self.rows[table][row][name] = id_

    @rule()
    def flush(self):
        self.state.flush()
        self.settle()

    def settle(self, *, everything=False):
        lost = {name for name, doomed in self.doomed.items() if doomed}
        for name, doomed in self.doomed.items():
            rows = self.rows[name]
            kept = len(rows) - len(doomed)
            holes = sorted(row for row in doomed if row < kept)
            movers = [row for row in range(kept, len(rows)) if row not in doomed]
            for hole, mover in zip(holes, movers, strict=True):
                rows[hole] = rows[mover]
            del rows[kept:]
            doomed.clear()
        alive = {name: {row["id"] for row in rows} for name, rows in self.rows.items()}
        for table, rows in self.rows.items():
            for row in rows:
                for name in row.keys() - {"id"}:
                    target = self.target(table, name)
                    if (everything or target in lost) and row[name] not in alive[target]:
                        row[name] = 0

    @rule()
    def commit(self):
        self.state.commit()
        self.settle(everything=True)
        self.seen = {frame: rows for frame, rows in self.seen.items() if frame < self.state.frame}
        self.remember()

    @rule(data=st.data())
    def travel(self, data):
        frame = data.draw(st.sampled_from(list(self.state.frames)))
        (self.state.rollback if frame <= self.state.frame else self.state.redo)(frame)
        self.rows = {name: [dict(row) for row in rows] for name, rows in self.seen[frame].items()}
        self.doomed = {"a": set(), "b": set()}
        given = {(name, row["id"]) for rows in self.seen.values() for name in rows for row in rows[name]}
        self.ever = sorted(set(self.ever) & given) if frame == max(self.seen) else self.alive()

    def alive(self):
        return [(name, row["id"]) for name, rows in self.rows.items() for row in rows]

    @invariant()
    def the_table_is_what_the_lists_say(self):
        for name, rows in self.rows.items():
            table = self.state[name]
            assert table.id.tolist() == [row["id"] for row in rows]
            for column in ("to", "self") if name == "b" else ("to",):
                assert getattr(table, column).tolist() == [row[column] for row in rows]
            assert table.rows_of(table.id).tolist() == list(range(len(rows)))


TestFollows = Follows.TestCase
TestFollows.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


def test_the_default_can_be_said(state):
    class Lambs(Agents):
        target: Ref["hawks"] = field(0)  # noqa: F821, UP037

    assert Schema.of(Lambs).fields["target"].target == "hawks"
