from __future__ import annotations

from pathlib import Path

import pytest

from instar.edits.receipt import Receipt


@pytest.fixture
def receipt() -> Receipt:
    return Receipt(("flöck.py",), "live", 42, 1.0, 2.0, 0.1, number=1)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"
