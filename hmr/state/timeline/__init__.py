"""The frames that can be returned to: the recent ones in a ring, the older ones packed."""

from __future__ import annotations

from instar.hmr.state.timeline.timeline import Timeline

__all__ = ["Timeline"]
