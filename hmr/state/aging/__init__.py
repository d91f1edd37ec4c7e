"""What grows old is packed: frames that can be returned to, and committed bytes that nothing changes."""

from __future__ import annotations

from instar.hmr.state.aging.freezer import Cold, Freezer
from instar.hmr.state.aging.timeline import Timeline

__all__ = ["Cold", "Freezer", "Timeline"]
