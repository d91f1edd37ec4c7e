from __future__ import annotations

import numpy as np
import pytest

from instar.hmr.state import StateManager, f32, u64
from instar.hmr.state.fields import make_field
from instar.native import CHUNK_BYTES


@pytest.fixture
def state():
    """A small world of 6,000 boids, whose columns have two chunks and a bit, after a few frames."""
    state = StateManager(history_bytes=1 << 20)
    fields = {"x": f32, "energy": make_field("energy", f32, 1.0, min=0, max=10, finite=True), "alive": bool, "n": u64}
    boids = state.table("boids", fields, capacity=10_000)
    rng = np.random.default_rng(5)
    boids.spawn(6_500, x=rng.random(6_500), alive=rng.random(6_500) > 0.5, n=rng.integers(0, 2**63, 6_500, np.uint64))
    state.commit()
    boids.despawn(rng.choice(6_500, 500, replace=False))
    state.commit()
    for _ in range(3):
        boids.x[::7] += 1
        state.commit()
    return state


@pytest.fixture
def image():
    """Tells all bytes of a state, live and committed."""

    def take(state: StateManager) -> dict[str, bytes]:
        return {
            f"{target.table}.{target.name}.{side}": bytes(getattr(target.column, side)[: 4 * CHUNK_BYTES])
            for table in state._catalog.guarded().values()
            for target in table.targets
            for side in ("live", "committed")
        }

    return take


@pytest.fixture
def column_of():
    """Finds the bytes of a column of the boids."""

    def find(state: StateManager, name: str, table: str = "boids"):
        return next(target.column for target in state._catalog.guarded()[table].targets if target.name == name)

    return find
