"""Time: how long calls take, and how long they may."""

from __future__ import annotations

from instar.native.timing.spans import Span, Spans
from instar.native.timing.watchdog import Watchdog

__all__ = ["Span", "Spans", "Watchdog"]
