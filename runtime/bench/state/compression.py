"""What a checkpoint saves, by the kind of column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from instar.hmr.state import Field, StateManager, f32, u8, u32
from instar.hmr.state.fields import make_field

AGENTS = 100_000

Values = Callable[[np.random.Generator], npt.NDArray[np.generic]]
KINDS: dict[str, tuple[Field, Values]] = {
    "noisy_positions": (make_field("v", f32), lambda rng: rng.uniform(0, 1000, AGENTS).astype(np.float32)),
    "positions_in_steps_of_1_64": (
        make_field("v", f32, step=1 / 64),
        lambda rng: rng.uniform(0, 1000, AGENTS).astype(np.float32),
    ),
    "velocities": (make_field("v", f32), lambda rng: rng.normal(0, 2, AGENTS).astype(np.float32)),
    "states": (make_field("v", u8), lambda rng: rng.integers(0, 5, AGENTS).astype(np.uint8)),
    "groups": (make_field("v", u32), lambda _: (np.arange(AGENTS) // 50).astype(np.uint32)),
    "defaults": (make_field("v", f32), lambda _: np.full(AGENTS, 1.0, np.float32)),
}


def compression_rows() -> list[dict[str, Any]]:
    """A row for each kind of column: its bytes, how many a checkpoint stores, and the share saved."""
    return [row for kind, (field, values) in KINDS.items() for row in _rows(kind, field, values)]


def _rows(kind: str, field: Field, values: Values) -> list[dict[str, Any]]:
    state = StateManager()
    state.table("agents", {"v": field}).spawn(AGENTS, v=values(np.random.default_rng(7)))
    state.commit()
    checkpoint = state.checkpoint()
    columns = zip(checkpoint.tables["agents"].columns, checkpoint.columns["agents"], strict=True)
    wanted = {"v": kind} if kind != "defaults" else {"v": kind, "id": "ids"}
    return [
        _row(wanted[column.name], column.bytes, packed.stored_bytes)
        for column, packed in columns
        if column.name in wanted
    ]


def _row(kind: str, size: int, stored: int) -> dict[str, Any]:
    return {"column": kind, "bytes": size, "stored": stored, "saved": round(1 - stored / size, 4)}
