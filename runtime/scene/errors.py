"""What can be wrong with a scene."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from instar.hmr.code import EditError


class SceneError(EditError):
    """A scene that cannot be read; the message names the file, the line, the key and what is allowed."""


class UnknownSceneError(SceneError):
    """A name that is neither a folder nor a packaged example."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A question that offers the known name closest to `name`, or nothing: " Did you mean 'seed'?"."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""
