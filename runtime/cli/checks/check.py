"""One finding of `instar doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple


class Check(NamedTuple):
    """What was looked at, what was found, and what to do about it.

    Attributes:
        name: of the thing.
        verdict: ok; warn for what works less well; broken for what Instar needs.
        found: on one line.
        advice: on one line; empty when all is well.
    """

    name: str
    verdict: Literal["ok", "warn", "broken"]
    found: str
    advice: str = ""


def setting(path: str) -> str | None:
    """The text of a kernel setting, or None where there is no such file."""
    try:
        return Path(path).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
