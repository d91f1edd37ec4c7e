"""Measurements: series of them, and what the operations on a state take."""

from __future__ import annotations

from instar.hmr.metrics.operations import Metrics as Metrics
from instar.hmr.metrics.series import Series as Series

__all__ = ["Metrics", "Series"]
