"""A clock that tests turn by hand, and scenes written on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


class ManualClock:
    """Time moves only by `sleep_until` and `advance`; every look costs 1 µs, as on a machine."""

    def __init__(self) -> None:
        self.time = 1_000_000_000
        self.slept: list[int] = []

    def now(self) -> int:
        self.time += 1_000
        return self.time

    def sleep_until(self, deadline: int) -> None:
        self.slept.append(deadline)
        self.time = max(self.time, deadline)

    def advance(self, ms: float) -> None:
        self.time += round(ms * 1e6)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def scene(tmp_path: Path) -> Callable[..., Path]:
    """Writes a scene: its modules' sources by name, and more lines for `scene.toml`."""

    def write(toml: str = "", **modules: str) -> Path:
        folder = tmp_path / "scene"
        folder.mkdir(exist_ok=True)
        names = ", ".join(f'"{name}"' for name in modules)
        (folder / "scene.toml").write_text(f"modules = [{names}]\n{toml}", encoding="utf-8")
        for name, source in modules.items():
            (folder / f"{name}.py").write_text(source, encoding="utf-8")
        return folder

    return write
