"""How often threads take turns while frames have deadlines."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

SWITCH_SECONDS = 0.0002
"""What a thread that wants to run waits for one that computes.

CPython's own 5 ms are a third of a frame: the loop would begin late by as much while an edit is loaded, and an edit would
wait as long for a hook. Below 0.1 ms, changing over costs more than it gives.
"""


@contextmanager
def quick_switches() -> Iterator[None]:
    """Has threads take turns quickly within the block."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, SWITCH_SECONDS))
    try:
        yield
    finally:
        sys.setswitchinterval(before)
