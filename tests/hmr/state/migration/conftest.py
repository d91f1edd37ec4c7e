from __future__ import annotations

import pytest

from instar.hmr.state import StateManager


@pytest.fixture
def state():
    return StateManager(history_bytes=64 << 20)
