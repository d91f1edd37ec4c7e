from __future__ import annotations

import linecache
import queue
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from instar.hmr.code import Codebase, Edit, EditPipeline, Program, Rejection, Source

INJECTED = ("world", "dt", "frame", "rng", "space", "params")
PATIENCE = 60.0


@dataclass(frozen=True)
class Fixed:
    """Settings that no file holds."""

    modules: tuple[str, ...]
    params: Mapping[str, Mapping[str, object]]
    source: Source | None = None

    def line_of(self, *key: str) -> int | None:
        return None


class Scene:
    """A scene's folder, and the code in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def codebase(self, *modules: str, params: Mapping[str, Mapping[str, object]] | None = None) -> Codebase:
        return Codebase(self.root, Fixed(modules or ("flock",), params or {}), INJECTED)

    def load(self, *modules: str, params: Mapping[str, Mapping[str, object]] | None = None) -> Program:
        return self.codebase(*modules, params=params).load()

    def build(self, base: Program, changes: Mapping[str, str]) -> Program:
        codebase = self.codebase(*base.modules)
        return codebase.build(base, {self.root / name: text.encode() for name, text in changes.items()})


class Live:
    """A running pipeline, and a test that plays the frame thread."""

    def __init__(
        self, codebase: Codebase, check: Callable[[Program], None] = lambda program: None, **options: Any
    ) -> None:
        self._events: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.codebase = codebase
        self.program = codebase.load()
        self.stale: list[Edit] = []
        self.pipeline = EditPipeline(codebase, self.program, check, on_event=self._tell, **options)

    def _tell(self) -> None:
        ready = self.pipeline._ready
        if ready is not None and ready.base is not self.pipeline.program:
            self.stale.append(ready)
        self._events.put(None)

    def heard(self) -> None:
        """Waits until the pipeline has told of something."""
        self._events.get(timeout=PATIENCE)

    def edit(self, *files: str) -> Edit:
        """Waits for a ready edit of these files (any, if none are given) and takes it, without swapping."""
        while True:
            self.heard()
            ready = self.pipeline._ready
            if ready is not None and (not files or ready.files == tuple(sorted(files))):
                edit = self.pipeline.take()
                assert edit is not None
                return edit

    def swap(self, edit: Edit) -> Edit:
        self.codebase.retire(self.program, edit.program)
        self.program = edit.program
        self.pipeline.swapped(edit)
        return edit

    def rejection(self, file: str | None = None) -> Rejection:
        """Waits for the next rejection, of a file if one is named."""
        while True:
            self.heard()
            for found in self.pipeline.rejections():
                if file is None or file in found.files:
                    return found


def scene_modules() -> set[str]:
    return {name for name in sys.modules if "@" in name}


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    shown = set(linecache.cache)
    yield
    for name in scene_modules():
        del sys.modules[name]
    for path in linecache.cache.keys() - shown:
        del linecache.cache[path]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)
