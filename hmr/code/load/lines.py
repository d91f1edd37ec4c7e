"""The source of code that was executed, whatever is in its file by now."""

from __future__ import annotations

import linecache
from collections.abc import Mapping
from importlib.abc import InspectLoader
from types import FrameType
from typing import Any

from instar.hmr.code.compile.compiler import Unit


class SceneLoader(InspectLoader):
    """What `inspect`, `linecache` and `traceback` ask for source text."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit

    def get_source(self, fullname: str) -> str:  # noqa: ARG002 - a loader serves one module here
        """Returns the text of the module."""
        return self.unit.text

    def is_package(self, fullname: str) -> bool:  # noqa: ARG002
        """Returns whether the module is a package."""
        return self.unit.source.is_package


def unit_of(namespace: Mapping[str, Any]) -> Unit | None:
    """Returns the compiled file that a namespace (`f_globals` of a frame) belongs to, None if to no file of a scene."""
    loader = namespace.get("__loader__")
    return loader.unit if isinstance(loader, SceneLoader) else None


def line_of(frame: FrameType, line: int) -> str:
    """Returns a source line (1-based) of the code that a frame executes, without the space around it."""
    unit = unit_of(frame.f_globals)
    path = frame.f_code.co_filename
    own = unit is not None and str(unit.source.path) == path
    return (unit.line(line) if unit is not None and own else linecache.getline(path, line)).strip()
