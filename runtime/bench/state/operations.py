"""The original design's table: what each operation takes by the number of agents, beside the figures it was to beat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from instar.bench.state.commits import HISTORY_BYTES
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
MOVING = 4
"""Columns that change where an agent moves: a place and a velocity."""
LEAST_HISTORY_BYTES = 64 << 10
SHARE = 0.01
"""Agents that move between the two frames of a diff."""


def operation_rows() -> list[dict[str, Any]]:
    """A row for each operation and number of agents.

    ``update`` commits a frame in which every value changed, ``rollback`` returns from one, ``idle`` commits one in which none
    did. ``diff`` finds the 1 % of agents that moved between two frames, in 4 of their 16 columns. ``validate`` checks
    everything but the history's records, whose rate the ``validate`` rows tell. ``compress`` makes a checkpoint in memory
    from start to end, of which the frame's own thread has ``hold``; ``restore`` returns to it. The history has been filled
    once before, so that ``update`` pays for no fresh pages.
    """
    return [row for agents in AGENTS for row in _rows(agents)]


def _rows(agents: int) -> list[dict[str, Any]]:
    size = agents * COLUMNS * 4
    measured = {**_commits(agents, size), **_between_frames(agents, size), **_checkpoints(agents, size)}
    return [_row(agents, operation, seconds) for operation, seconds in measured.items()]


def _world(agents: int, history_bytes: int) -> tuple[StateManager, Table]:
    """A world at its second frame."""
    state = StateManager(history_bytes=history_bytes)
    table = state.table("agents", {f"c{i}": f32 for i in range(COLUMNS)}, capacity=agents)
    rng = np.random.default_rng(3)
    table.spawn(agents, **{name: rng.uniform(0, 1000, agents) for name in table.schema.fields})
    state.commit()
    return state, table


def _commits(agents: int, size: int) -> dict[str, float]:
    state, table = _world(agents, HISTORY_BYTES)
    while state.frames[0] == 0:
        _move(table, slice(None))
        state.commit()

    def commit_all() -> None:
        _move(table, slice(None))
        state.commit()

    return {
        "update": _median(state.commit, lambda: _move(table, slice(None)), size),
        "rollback": _median(lambda: state.rollback(state.frame - 1), commit_all, size),
        "idle": _median(state.commit, lambda: None, size),
    }


def _row(agents: int, operation: str, seconds: float) -> dict[str, Any]:
    original = ORIGINAL_MS.get(operation, {}).get(agents)
    row = {"agents": agents, "operation": operation, "ms": seconds * 1e3}
    return row if original is None else {**row, "original_ms": original, "times_faster": original / (seconds * 1e3)}


def _between_frames(agents: int, size: int) -> dict[str, float]:
    state, table = _world(agents, max(LEAST_HISTORY_BYTES, size))
    some = np.random.default_rng(5).choice(agents, max(1, round(SHARE * agents)), replace=False)

    def move_some() -> None:
        _move(table, some, MOVING)
        state.commit()

    diff = _median(lambda: state.diff(state.frame - 1, state.frame), move_some, size)
    state, _ = _world(agents, LEAST_HISTORY_BYTES)
    for _ in range(200):
        state.commit()
    return {"diff": diff, "validate": _median(state.validate, lambda: None, size)}


def _checkpoints(agents: int, size: int) -> dict[str, float]:
    state, table = _world(agents, LEAST_HISTORY_BYTES)

    def settle() -> None:
        state.checkpoint().wait()

    kept = state.checkpoint()
    kept.wait()
    return {
        "hold": _median(state.checkpoint, settle, size),
        "compress": _median(settle, settle, size),
        "restore": _median(lambda: state.restore(kept), lambda: _move(table, slice(None)), size),
    }


def _move(table: Table, rows: Any, columns: int = COLUMNS) -> None:
    for name in list(table.schema.fields)[:columns]:
        getattr(table, name)[rows] += np.float32(0.25)


def _median(action: Callable[[], object], before: Callable[[], object], size: int) -> float:
    return median(action, before, min(50, rounds_for(size)))
