"""State and code that survive edits: tables that outlive code, code that changes under running tables."""

from __future__ import annotations

from instar.hmr.state import StateManager

__all__ = ["StateManager"]
