"""A frame that can be returned to, whatever became of the world, its schemas and its history."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instar.hmr.state import FrameError, Schema, StateManager, f32, f64, i32
from instar.hmr.state.fields import make_field
from instar.hmr.state.migration.hook import Migrator
from instar.hmr.state.probation import image
from instar.native import HistoryError
from instar.native.integrity import flip

CAPACITY = 1 << 16


def schema(name, capacity=CAPACITY, **fields):
    made = {
        key: make_field(key, *([kind] if not isinstance(kind, tuple) else kind[:1])) for key, kind in fields.items()
    }
    return Schema.build(name, made, capacity)


PLAIN = {"boids": schema("boids", x=f32, n=i32), "hawks": schema("hawks", y=f32)}
EDITS = {
    "none": PLAIN,
    "added": {**PLAIN, "boids": schema("boids", x=f32, n=i32, z=f32)},
    "removed": {**PLAIN, "boids": schema("boids", x=f32)},
    "widened": {**PLAIN, "boids": schema("boids", x=f64, n=i32)},
    "new table": {**PLAIN, "owls": schema("owls", w=f32)},
    "table gone": {"boids": PLAIN["boids"]},
    "capacity": {**PLAIN, "boids": schema("boids", 2 * CAPACITY, x=f32, n=i32)},
    "more than was reserved": {**PLAIN, "boids": schema("boids", 3 << 20, x=f32, n=i32)},
    "renamed": {**PLAIN, "boids": Schema.build("boids", {"place": make_field("place", f32, was="x")}, CAPACITY)},
    "table renamed": {
        "hawks": PLAIN["hawks"],
        "birds": Schema.build("birds", PLAIN["boids"].fields, CAPACITY, was="boids"),
    },
    "asked": {**PLAIN, "boids": schema("boids", x=i32, n=i32)},
    "rows removed": {**PLAIN, "boids": schema("boids", x=f32[2], n=i32)},
}


def round_up(old, new):
    new.boids.x[:] = np.ceil(old.boids.x)


def remove_rows(old, new):
    new.boids.x[:] = old.boids.x[:, None]
    new.boids.despawn(old.boids.n > 0)


ANSWERS = {"asked": round_up, "rows removed": remove_rows}


def migrate(state, edit):
    tables = frozenset(EDITS[edit])
    state.migrate(EDITS[edit], [Migrator(tables, ANSWERS.get(edit))])


def world(**options):
    state = StateManager(**options)
    state.migrate(PLAIN)
    state["boids"].spawn(20_000, x=np.linspace(0, 1, 20_000))
    state["hawks"].spawn(300, y=3)
    state.commit()
    live(state, np.random.default_rng(1), 0.1)
    return state


def live(state, rng, share):
    """One frame in the life of a world."""
    for table in state.tables.values():
        if len(table) and rng.random() < 0.5:
            table.despawn(rng.integers(0, len(table), max(1, len(table) // 50)))
        table.spawn(int(rng.integers(0, 400)))
        for name in table.schema.fields:
            cells = getattr(table, name)
            if len(cells):
                rows = rng.integers(0, len(cells), max(1, int(share * len(cells))))
                cells[rows] = rng.integers(-100, 100, cells[rows].shape)
    return state.commit()


def contents(state):
    """All that can be seen of a world."""
    tables = {
        name: (table.schema, table.id.tolist(), *(getattr(table, field).tobytes() for field in table.schema.fields))
        for name, table in state.tables.items()
    }
    parked = {
        (name, lineage.key): bytes(lineage.column.committed[: lineage.column.committed_extent])
        for name, table in state._catalog.all.items()
        for lineage in table._columns.lineages()
    }
    return state.frame, state.crc, tables, parked


@pytest.mark.parametrize("held", [True, False], ids=["held", "shed"])
@pytest.mark.parametrize("eager", [True, False], ids=["eager", "lazy"])
@pytest.mark.parametrize("edit", EDITS)
def test_the_world_is_as_it_was(monkeypatch, edit, held, eager):
    monkeypatch.setattr(image, "EAGER_BYTES", 0 if eager else 1 << 40)
    state = world(history_bytes=(64 << 20) if held else (1 << 18))
    before = contents(state)
    mark = state.mark()
    migrate(state, edit)
    mark.keep()
    mark.watch()
    rng = np.random.default_rng(2)
    for _ in range(8):
        live(state, rng, 0.9)
        assert mark.fault() is None
    assert (before[0] in state.frames) == held
    mark.undo()
    assert contents(state) == before
    assert state.frames[-1] == before[0]
    assert state.validate().faults == []
    assert state.memory().purposes["checkpoints"] == 0
    again = state.mark()
    migrate(state, edit)
    again.keep()
    again.watch()
    live(state, rng, 0.5)
    assert state.validate().faults == []
    state.rollback(before[0])


@pytest.mark.parametrize("held", [True, False], ids=["held", "shed"])
def test_what_was_parked_is_as_it_was_though_it_came_back(held):
    state = world(history_bytes=(64 << 20) if held else (1 << 18))
    migrate(state, "widened")
    live(state, np.random.default_rng(5), 0.3)
    before = contents(state)
    mark = state.mark()
    state.migrate(PLAIN)
    mark.keep()
    mark.watch()
    for seed in range(6):
        live(state, np.random.default_rng(seed), 0.9)
    mark.undo()
    assert contents(state) == before
    assert state.validate().faults == []


@given(
    edits=st.lists(st.sampled_from([*EDITS][:8]), min_size=1, max_size=4),
    frames=st.lists(st.integers(0, 5), min_size=4, max_size=4),
    share=st.sampled_from([0.001, 0.9]),
    budget=st.sampled_from([1 << 16, 1 << 18, 64 << 20]),
    seed=st.integers(0, 2**32),
    redone=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_each_edit_can_be_undone_after_others(edits, frames, share, budget, seed, redone):
    rng = np.random.default_rng(seed)
    state = world(history_bytes=budget)
    mark = None
    for edit, count in zip(edits, frames, strict=False):
        before = contents(state)
        if mark is not None:
            mark.release()
        mark = state.mark()
        migrate(state, edit)
        mark.keep()
        mark.watch()
        for _ in range(count):
            live(state, rng, share)
        if redone and count and state.frame - 1 in state.frames:
            state.rollback(state.frame - 1)
        mark.undo()
        assert contents(state) == before
        assert state.validate().faults == []
        mark = state.mark()
        migrate(state, edit)
        mark.keep()
        mark.watch()
        live(state, rng, share)
    assert state.validate().faults == []


def test_a_field_that_was_undone_is_new_when_it_comes_again():
    state = world()
    mark = state.mark()
    first = {**PLAIN, "boids": Schema.build("boids", {"z": make_field("z", f32, default=1.0)}, CAPACITY)}
    state.migrate(first)
    mark.keep()
    mark.watch()
    mark.undo()
    state.migrate({**PLAIN, "boids": Schema.build("boids", {"z": make_field("z", f32, default=2.0)}, CAPACITY)})
    assert set(state["boids"].z) == {2.0}


def test_views_taken_before_do_not_write_into_what_came_back():
    state = world()
    view = state["boids"].x
    mark = state.mark()
    mark.keep()
    mark.watch()
    live(state, np.random.default_rng(3), 0.5)
    mark.undo()
    before = contents(state)
    view[len(state["boids"]) :] = 7
    state.commit()
    assert contents(state)[2] == before[2]
    assert state.validate().faults == []


@pytest.mark.parametrize("held", [True, False], ids=["held", "shed"])
@pytest.mark.parametrize("back", [1, 3])
def test_a_frame_that_was_rolled_back_to_is_returned_to(back, held):
    state, rng = world(history_bytes=1 << 20), np.random.default_rng(7)
    for _ in range(3):
        live(state, rng, 0.01)
    state.rollback(state.frame - back)
    before = contents(state)
    mark = state.mark()
    mark.keep()
    mark.watch()
    for _ in range(2 if held else 12):
        live(state, rng, 0.01 if held else 0.9)
    assert (before[0] in state.frames) == held
    mark.undo()
    assert contents(state) == before
    assert state.validate().faults == []


def test_a_large_world_is_copied_when_the_history_has_moved_on(monkeypatch):
    monkeypatch.setattr(image, "EAGER_BYTES", 0)
    state = world(history_bytes=8 << 20)
    mark = state.mark()
    mark.keep()
    mark.watch()
    column = state["boids"]._columns.visible["x"].column
    wanted, used, commits = bytes(column.committed[: column.committed_extent]), state.history_bytes, 0
    while mark._image._taken is None:
        live(state, np.random.default_rng(commits), 0.5)
        assert mark.fault() is None
        commits += 1
        assert (mark._image._taken is not None) == (state.history_bytes - used >= 1 << 20)
    assert bytes(mark._image.of(column)) == wanted


def test_a_checkpoint_meanwhile_does_no_harm():
    state = world(history_bytes=1 << 16)
    before = contents(state)
    mark = state.mark()
    mark.keep()
    mark.watch()
    live(state, np.random.default_rng(3), 0.9)
    checkpoint = state.checkpoint()
    live(state, np.random.default_rng(4), 0.9)
    mark.undo()
    assert contents(state) == before
    checkpoint.verify()


def test_a_damaged_record_on_the_way_is_gone_round(monkeypatch):
    state = world()
    before = contents(state)
    mark = state.mark()
    mark.keep()
    mark.watch()
    for seed in range(3):
        live(state, np.random.default_rng(seed), 0.5)

    def damaged(_self):
        raise HistoryError("damaged")

    mark._image._all()
    monkeypatch.setattr(type(state._history), "undo", damaged)
    mark.undo()
    assert contents(state) == before


def test_a_damaged_copy_is_not_returned_to(monkeypatch):
    monkeypatch.setattr(image, "EAGER_BYTES", 0)
    state = world(history_bytes=1 << 16)
    flip(state["boids"]._columns.visible["x"].column, "committed", 5, 3)
    mark = state.mark()
    mark.keep()
    mark.watch()
    mark._image._all()
    flip(state["boids"]._columns.visible["x"].column, "committed", 5, 3)
    live(state, np.random.default_rng(3), 0.9)
    now = contents(state)
    with pytest.raises(HistoryError, match="copy of frame 2 is damaged; nothing was changed"):
        mark.undo()
    assert contents(state) == now


def test_memory_is_kept_within_its_limit():
    state = world(history_bytes=64 << 20, memory_limit=12_000_000)
    needed = state._account.needed()
    mark = state.mark()
    mark.keep()
    mark.watch()
    assert mark.notice is None
    assert state._account.needed() > needed
    for seed in range(5):
        live(state, np.random.default_rng(seed), 0.9)
        assert state.memory().total <= 12_000_000
    mark.undo()
    assert state.frame == 2
    assert state._account.needed() <= needed


def test_without_room_for_a_copy_people_are_told():
    state = world(history_bytes=64 << 20, memory_limit=1_700_000)
    mark = state.mark()
    mark.keep()
    mark.watch()
    assert "memory is limited to 1.7 MB" in mark.notice
    assert "only as far as the history reaches" in mark.notice
    assert mark.is_within_reach
    for _ in range(30):
        state["boids"].x += 1
        state.commit()
    assert not mark.is_within_reach
    now = contents(state)
    with pytest.raises(FrameError, match="frame 2 is not held"):
        mark.undo()
    assert contents(state) == now
    assert mark.fault() is None
