"""Memory: what a state takes, by table and purpose, and the limit it is kept within."""

from __future__ import annotations

from instar.hmr.state.memory.account import MemoryAccount as MemoryAccount
from instar.hmr.state.memory.account import MemoryUse as MemoryUse
from instar.hmr.state.memory.limit import MemoryLimit as MemoryLimit

__all__ = ["MemoryUse", "MemoryAccount", "MemoryLimit"]
