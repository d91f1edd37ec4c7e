"""Sizes as people write and read them: `2GB`, `512 MiB`."""

from __future__ import annotations

import re

UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
"""Bytes by unit."""

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")


def parse_size(text: str) -> int | None:
    """The bytes of a size such as ``"2GB"`` or ``"1.5 MiB"``; None if it is none."""
    found = _SIZE.fullmatch(text)
    if found is None or found[2] not in UNITS:
        return None
    return int(float(found[1]) * UNITS[found[2]])


def shown_size(size: float) -> str:
    """A number of bytes in the largest unit of thousands that leaves a whole part: ``12.3 MB``."""
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
