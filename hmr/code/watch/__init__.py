"""Notices saves: which file, its complete content, and when."""

from __future__ import annotations

from instar.hmr.code.watch.repository import Repository
from instar.hmr.code.watch.watcher import Change, Watcher

__all__ = ["Watcher", "Change", "Repository"]
