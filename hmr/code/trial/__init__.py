"""Executing an edit in a process of its own first, to keep from the world what hangs or ends the process."""

from __future__ import annotations

from instar.hmr.code.trial.flag import trying
from instar.hmr.code.trial.trial import Trial

__all__ = ["Trial", "trying"]
