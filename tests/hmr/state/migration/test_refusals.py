"""What a refusal prints is true: the lines, pasted as they are, make the edit go through."""

from __future__ import annotations

import itertools
import textwrap

import numpy as np
import pytest
from edits import asking, everything, is_settled, layout, schema

from instar.hmr.state import MigrationError, Ref, f32, f64, i8, i16, i32, i64, u8, u16, u32, u64

NUMBERS = (f32, f64, i8, i16, i32, i64, u8, u16, u32, u64, bool)
SHAPES = ((), (2,), (3,), (2, 2), (1, 3))


def pasted(said: str):
    """The function that a refusal prints."""
    lines = said.splitlines()
    start = lines.index("def migrate(old, new):")
    scope: dict = {}
    exec("\n".join(lines[start:]), scope)
    return scope["migrate"]


def extremes(kind, count):
    dtype = np.dtype(np.bool_) if kind is bool else kind.dtype
    if dtype.kind == "f":
        info = np.finfo(dtype)
        known = [info.max, info.min, np.nan, np.inf, -np.inf, -1.5, 0.0]
    elif dtype.kind == "b":
        known = [True, False]
    else:
        info = np.iinfo(dtype)
        known = [info.max, info.min, 1, 0]
    return np.resize(np.array(known, dtype), count)


def refused(state, wanted) -> str | None:
    """What a migration is refused with; None if it is not."""
    try:
        state.migrate(wanted)
    except MigrationError as error:
        return str(error)
    return None


def changed(state, old, new):
    """Go from one type to another as the refusal says, if there is one."""
    state.migrate(layout(schema(x=old, other=f32)))
    boids = state["boids"]
    boids.spawn(8)
    boids.x[:] = extremes(old if old is bool else type(old)(old.name, old.dtype), boids.x.size).reshape(boids.x.shape)
    state.commit()
    before = everything(state)
    wanted = layout(schema(x=new, other=f32))
    said = refused(state, wanted)
    if said is not None:
        assert everything(state) == before
        assert f"boids.x: {boids.schema.fields['x'].type} → {wanted['boids'].fields['x'].type} (" in said
        steps = state.migrate(wanted, asking(pasted(said)))
        assert steps == [
            f"boids: x is now {wanted['boids'].fields['x'].type}, was {'bool' if old is bool else old}, by migrate"
        ]
    assert boids.schema == wanted["boids"]
    assert is_settled(state)
    return boids


@pytest.mark.parametrize("new", NUMBERS, ids=str)
@pytest.mark.parametrize("old", NUMBERS, ids=str)
def test_the_lines_for_another_number_type_work(state, old, new):
    boids = changed(state, old, new)
    if boids.x.dtype.kind in "iu" and (old is not bool) and old.dtype.kind == "f":
        info = np.iinfo(boids.x.dtype)
        assert boids.x[0] > info.max * 0.99
        assert boids.x[1] <= info.min * 0.99
        assert boids.x[2] == 0


@pytest.mark.parametrize(("old", "new"), list(itertools.permutations(SHAPES, 2)), ids=str)
def test_the_lines_for_another_shape_work(state, old, new):
    boids = changed(state, f32[old] if old else f32, f32[new] if new else f32)
    assert boids.x.reshape(8, -1)[5, 0] == np.float32(extremes(f32, 8 * int(np.prod(old)))[5 * int(np.prod(old))])


def test_the_lines_for_references_and_numbers_work(state):
    wanted = [
        layout(schema(x=f32), schema("hawks", prey=kind)) for kind in (Ref["boids"], Ref["hawks"], f32, Ref["boids"][2])
    ]
    state.migrate(wanted[0])
    state["boids"].spawn(2)
    state["hawks"].spawn(2, prey=state["boids"].id)
    state.commit()
    for one in wanted[1:]:
        with pytest.raises(MigrationError) as refused:
            state.migrate(one)
        state.migrate(one, asking(pasted(str(refused.value)), "boids", "hawks"))
        assert not state["hawks"].prey.any() or one is wanted[2]
        assert is_settled(state)


def test_the_lines_for_fewer_rows_renamed_tables_and_several_fields_work(state):
    state.migrate(layout(schema(angle=f64, v=f32[2]), schema("hawks", x=f64)))
    state["boids"].spawn(9, angle=1e300, v=2)
    state["hawks"].spawn(1, x=2)
    state.commit()
    wanted = layout(
        schema("birds", was="boids", capacity=4, heading=(f32, {"was": "angle"}), v=f32[3]), schema("hawks", x=i8)
    )
    with pytest.raises(MigrationError) as refused:
        state.check(wanted)
    said = str(refused.value)
    assert "birds.angle, now heading: f64 → f32 (it cannot hold all values)" in said
    assert "birds: capacity 1000 → 4 (and it has 9 rows)" in said
    state.migrate(wanted, asking(pasted(said), "birds", "hawks"))
    assert state["birds"].heading.tolist() == [np.finfo(np.float32).max] * 4
    assert state["birds"].v.tolist() == [[2, 2, 0]] * 4
    assert is_settled(state)


def test_each_module_is_asked_about_its_own_tables(state):
    state.migrate(layout(schema(x=f64), schema("hawks", x=f64)))
    wanted = layout(schema(x=f32), schema("hawks", x=f32))
    answered = asking(lambda old, new: setattr(new, "x", old.x), "boids")
    with pytest.raises(MigrationError) as refused:
        state.migrate(wanted, answered + asking(None, "hawks"))
    assert "boids" not in str(refused.value)
    assert refused.value.table == "hawks"
    state.migrate(wanted, answered + asking(pasted(str(refused.value)), "hawks"))


def test_a_migrate_that_leaves_something_open_is_told_what(state):
    state.migrate(layout(schema(x=f64, y=f64)))
    state["boids"].spawn(2)
    state.commit()
    before = everything(state)

    def migrate(old, new):
        new.x = old.x

    wanted = layout(schema(x=f32, y=i16))
    with pytest.raises(MigrationError, match=r"migrate does not say what becomes of boids\.y") as refused:
        state.migrate(wanted, asking(migrate))
    assert everything(state) == before
    assert refused.value.place == f"{__file__}:{migrate.__code__.co_firstlineno}"
    said = str(refused.value)
    assert "boids.y: f64 → i16" in said
    assert "boids.x" not in said
    lines = said[said.index("\n\n") :]
    scope = {}
    exec("def migrate(old, new):\n    new.x = old.x" + textwrap.indent(lines, ""), scope)
    state.migrate(wanted, asking(scope["migrate"]))


def fails_to_divide(old, new):
    new.x = 1
    new.x[0] = 1 / (len(old.boids) - 2)


def writes_old(old, new):
    old.x[:] = 0


def writes_what_stays(old, new):
    new.y = 0


def asks_for_what_is_not(old, new):
    new.x = old.z


def leaves_the_bounds(old, new):
    new.x = 7


def ends(old, new):
    raise SystemExit("enough")


def doubles(old, new):
    new.x = [[1, 2, 3]]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (fails_to_divide, "ZeroDivisionError"),
        (writes_old, "read-only"),
        (writes_what_stays, "new.boids.y stays as it is"),
        (asks_for_what_is_not, r"old.boids had no field 'z' \(it had x, y\)"),
        (leaves_the_bounds, r"gives 2 rows of boids.x values that are not max 5 \(row 0: 7.0\)"),
        (ends, "SystemExit: enough"),
        (doubles, "does not fit"),
    ],
)
def test_a_migrate_that_fails_changes_nothing_and_says_where(state, function, said):
    state.migrate(layout(schema(x=f64, y=f64)))
    state["boids"].spawn(2, x=3)
    state.commit()
    before = everything(state)
    with pytest.raises(MigrationError, match=said) as refused:
        state.migrate(layout(schema(x=(f32, {"max": 5}), y=f64)), asking(function))
    assert everything(state) == before
    assert is_settled(state)
    code = function.__code__
    lines = {line for _, _, line in code.co_lines() if line}
    path, line = refused.value.place.rsplit(":", 1)
    assert (path, int(line) in lines) == (__file__, True)


def test_ctrl_c_in_a_migrate_changes_nothing(state):
    state.migrate(layout(schema(x=f64)))
    state["boids"].spawn(2, x=3)
    state.commit()
    before = everything(state)

    def migrate(old, new):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        state.migrate(layout(schema(x=f32)), asking(migrate))
    assert everything(state) == before
