from __future__ import annotations

from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from instar.hmr.code import Edit, Rejection


class Edits:
    """Edits and rejections as a pipeline hands them over, of programs that are not looked at."""

    def ready(self, **changed: Any) -> Edit:
        fields = {
            "files": ("flock.py",),
            "digests": MappingProxyType({"flock.py": "0123456789ab"}),
            "base": None,
            "program": SimpleNamespace(loading=SimpleNamespace(trial_ns=400_000, imports={"colorsys": 1_500_000})),
            "event_ns": 1_000_000,
            "ready_ns": 3_500_000,
            "changes": {},
        }
        return Edit(**{**fields, **changed})

    def rejected(self, error: Exception) -> Rejection:
        return Rejection(("flock.py",), {"flock.py": "0123456789ab"}, error, 1_000_000, 2_000_000)


@pytest.fixture
def edits() -> Edits:
    return Edits()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "reload.jsonl"
