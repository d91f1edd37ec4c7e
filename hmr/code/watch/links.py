"""Links: where else it is decided what a module or a folder of them holds."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path

_MOST = 40
"""Links in a row that a system follows."""


def targets(path: Path) -> Iterator[Path]:
    """Yields the links on the way to what a link leads to, and that, there or not; nothing for what is no link.

    A folder on the way that is itself a link counts: those who swap it swap all that is behind it, as Kubernetes does with
    the `..data` of a mounted configuration.
    """
    place = Path(os.path.realpath(path.parent))
    waiting = deque([path.name])
    links = 0
    while waiting:
        part = waiting.popleft()
        if part == os.pardir:
            place = place.parent
            continue
        here = place / part
        try:
            led = here.readlink()
        except OSError:
            if links and not waiting:
                yield here
            elif not links:
                return
            place = here
            continue
        if links:
            yield here
        links += 1
        if links > _MOST:
            return
        if led.is_absolute():
            place = Path(led.anchor)
        waiting.extendleft(reversed(led.parts[1:] if led.is_absolute() else led.parts))
