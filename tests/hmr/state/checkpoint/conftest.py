"""Small worlds, their files as bytes, and everything they consist of, to be compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from instar.hmr.state import Checkpoint, Schema, StateManager, f32, u8
from instar.hmr.state.checkpoint.layout import lay_out
from instar.hmr.state.fields import make_field


def _bytes_of(checkpoint: Checkpoint) -> bytes:
    return b"".join(lay_out(checkpoint._encoded, checkpoint._columns.result()))


def _everything(state: StateManager) -> dict[str, Any]:
    """All that makes a state: schemas, and bytes and checksums of every column, parked ones too."""
    tables = {}
    for name, table in state._catalog.all.items():
        tables[name] = {
            "schema": table.schema,
            "visible": name in state.tables,
            "columns": [
                (column.committed_extent, bytes(column.live[: column.committed_extent]), column.chunk_crcs().tolist())
                for column in table._native_columns()
            ],
            "described": [(f, shown) for f, shown, _ in table._columns.described()],
            "settled": table._uncommitted(),
        }
    return {"frame": state.frame, "frames": state.frames, "crc": state.crc, "tables": tables}


def _small() -> StateManager:
    """Two rows of three columns, a parked column and a hole in the ids: a file of some hundred bytes."""
    state = StateManager(history_bytes=1 << 20)
    hare = {"x": make_field("x", f32, 0.5, min=0, max=100, step=1 / 4), "kind": u8, "old": f32[2]}
    table = state.table("hares", hare, capacity=100)
    table.spawn(3, x=[1.25, 2.5, 77], kind=np.array([1, 2, 3], np.uint8), old=7)
    state.commit()
    table.despawn(0)
    state.commit()
    fields = {name: one for name, one in table.schema.fields.items() if name != "old"}
    state.migrate({"hares": Schema.build("hares", fields, 100)})
    return state


@pytest.fixture(scope="session")
def bytes_of() -> Callable[[Checkpoint], bytes]:
    return _bytes_of


@pytest.fixture(scope="session")
def everything() -> Callable[[StateManager], dict[str, Any]]:
    return _everything


@pytest.fixture
def small() -> StateManager:
    return _small()


@pytest.fixture
def small_file(small: StateManager) -> bytes:
    return _bytes_of(small.checkpoint({"note": "a small world"}))


@pytest.fixture(scope="session")
def restored() -> Callable[[bytes], StateManager]:
    """The state that bytes hold."""

    def restore(data: bytes) -> StateManager:
        state = StateManager(history_bytes=1 << 20)
        state.restore(Checkpoint.from_bytes(data, "test"))
        return state

    return restore


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)
