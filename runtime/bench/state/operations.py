"""The original design's table: what each operation takes by the number of agents, beside the figures it was to beat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from instar.bench.state.timing import median, rounds_for
from instar.hmr.state import StateManager, Table, f32

AGENTS = (1_000, 10_000, 100_000, 1_000_000)
COLUMNS = 16
"""Columns of f32: 64 bytes an agent."""
ORIGINAL_MS = {
    "update": {1_000: 0.5, 100_000: 35.0},
    "diff": {10_000: 2.0, 100_000: 15.0},
    "validate": {10_000: 1.5, 100_000: 8.0},
    "compress": {agents: 10.0 * agents * COLUMNS * 4 / 1e6 for agents in AGENTS},
}
"""The original design's figures in ms, by operation and number of agents; compression was 10 ms a MB."""
SHARE = 0.01
"""Agents that move between the two frames of a diff."""


def operation_rows() -> list[dict[str, Any]]:
    """A row for each operation and number of agents.

    ``update`` commits a frame in which every value changed, ``idle`` one in which none did; ``diff`` finds the 1 % of agents
    that moved between two frames; ``validate`` checks everything; ``compress`` makes a checkpoint in memory from start to
    end, of which the frame's own thread has ``hold``; ``restore`` returns to it.
    """
    return [row for agents in AGENTS for row in _rows(agents)]


def _rows(agents: int) -> list[dict[str, Any]]:
    state = StateManager()
    table = state.table("agents", {f"c{i}": f32 for i in range(COLUMNS)}, capacity=agents)
    rng = np.random.default_rng(3)
    table.spawn(agents, **{name: rng.uniform(0, 1000, agents) for name in table.schema.fields})
    state.commit()
    size = agents * COLUMNS * 4
    measured = {
        "update": _median(state.commit, lambda: _move(table, slice(None)), size),
        "idle": _median(state.commit, lambda: None, size),
        **_between_frames(state, table, rng, size),
        **_checkpoints(state, table, size),
    }
    return [_row(agents, operation, seconds) for operation, seconds in measured.items()]


def _row(agents: int, operation: str, seconds: float) -> dict[str, Any]:
    original = ORIGINAL_MS.get(operation, {}).get(agents)
    row = {"agents": agents, "operation": operation, "ms": seconds * 1e3}
    return row if original is None else {**row, "original_ms": original, "times_faster": original / (seconds * 1e3)}


def _between_frames(state: StateManager, table: Table, rng: np.random.Generator, size: int) -> dict[str, float]:
    some = rng.choice(len(table), max(1, round(SHARE * len(table))), replace=False)

    def move_some() -> None:
        _move(table, some)
        state.commit()

    return {
        "diff": _median(lambda: state.diff(state.frame - 1, state.frame), move_some, size),
        "validate": _median(state.validate, lambda: None, size),
    }


def _checkpoints(state: StateManager, table: Table, size: int) -> dict[str, float]:
    def settle() -> None:
        state.checkpoint().wait()

    kept = state.checkpoint()
    kept.wait()
    return {
        "hold": _median(state.checkpoint, settle, size),
        "compress": _median(settle, settle, size),
        "restore": _median(lambda: state.restore(kept), lambda: _move(table, slice(None)), size),
    }


def _move(table: Table, rows: Any) -> None:
    for name in table.schema.fields:
        getattr(table, name)[rows] += np.float32(0.25)


def _median(action: Callable[[], object], before: Callable[[], object], size: int) -> float:
    return median(action, before, min(50, rounds_for(size)))
