from __future__ import annotations

import numpy as np
import pytest

from instar.hmr.state import Ref, StateManager


def write(state, column, index, value, dtype=np.uint64):
    """Commit a wrong number, as a mistake in the bookkeeping would: no checksum tells of it."""
    np.frombuffer(column.live, dtype)[index] = value
    state._history.commit(state.frame, state._catalog.native)


@pytest.mark.parametrize(
    ("name", "index", "value", "dtype", "columns"),
    [
        ("id", 7, 0, np.uint64, ["id"]),
        ("id", 7, 9, np.uint64, ["id"]),
        ("slots", 3, 0xFFFFFFFF, np.uint64, ["id", "slots"]),
        ("free", 2, 0xFFFFFF, np.uint32, ["free"]),
        ("header", 0, 5_000, np.uint64, ["header"]),
    ],
)
def test_an_index_that_contradicts_itself_is_found(state, column_of, name, index, value, dtype, columns):
    write(state, column_of(state, name), index, value, dtype)
    faults = [fault for fault in state.validate().faults if fault.kind == "id_index"]
    assert set(columns) <= {fault.column for fault in faults}
    assert all(fault.table == "boids" and not fault.lost for fault in faults)


def test_a_slot_twice_on_the_free_list_is_found(state, column_of):
    free = np.frombuffer(column_of(state, "free").live, np.uint32)
    write(state, column_of(state, "free"), 1, free[0], np.uint32)
    assert [(fault.kind, fault.column) for fault in state.validate().faults] == [("id_index", "free")]


def test_references_name_somebody_alive():
    state = StateManager()
    hawks = state.table("hawks", {"alive": bool})
    rabbits = state.table("rabbits", {"hunter": Ref["hawks"]})
    hawks.spawn(10)
    rabbits.spawn(10, hunter=hawks.id)
    rabbits.spawn(1)
    state.commit()
    assert state.validate().faults == []
    hawks.despawn([0, 1, 2])
    state.commit()
    assert state.validate().faults == []
    rabbits.hunter[:] = 0
    rabbits.hunter[4:7] = [11, 1 << 40, (7 << 32) + 1]
    state.commit()
    (fault,) = state.validate().faults
    assert (fault.kind, fault.table, fault.column, fault.rows, fault.count) == (
        "reference",
        "rabbits",
        "hunter",
        (4,),
        3,
    )
