"""Modules that are links to files: where else their content can change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_MOST = 40
"""Links in a row that a system follows."""


def targets(path: Path) -> Iterator[Path]:
    """Yields the files that a link leads to, one after the other, there or not; nothing for what is no link."""
    for _ in range(_MOST):
        try:
            path = path.parent / path.readlink()
        except OSError:
            return
        path = Path(os.path.realpath(path.parent)) / path.name
        yield path
