"""Saves of one module again and again: when each was done, ready and visible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from instar.bench.reload.running import Running
from instar.bench.reload.sources import WAYS, moments
from instar.hmr.code.compile.source import digest_of

Receipt = Mapping[str, Any]


@dataclass
class Saves:
    """What was saved, and what became of it.

    Attributes:
        saved: When each save that became visible was done, in monotonic ns.
        visible: When its version was first called.
        digests: The names of their contents.
        torn: Versions that were half a file.
        stale: Saves whose version did not run.
    """

    saved: list[int] = field(default_factory=list)
    visible: list[int] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    torn: int = 0
    stale: int = 0


def save_all(run: Running, versions: Sequence[tuple[int, str]]) -> Saves:
    """Save versions (tag, text) one after the other, at random moments of a frame and in the ways editors save.

    Each waits until the one before has run.
    """
    found = Saves()
    wait = moments()
    for number, (tag, text) in enumerate(versions):
        wait()
        saved = WAYS[number % len(WAYS)](run.path, text)
        answer = run.said()
        if answer is None or answer[0] not in (tag, -1):
            found.stale += 1
        elif answer[0] == -1:
            found.torn += 1
        else:
            found.saved.append(saved)
            found.visible.append(answer[1])
            found.digests.append(digest_of(text.encode()))
    return found


def receipts_of(receipts: Sequence[Receipt], *stretches: Saves) -> list[list[Receipt]]:
    """The receipts of the saves that became visible, in their order, for stretches that followed one another.

    Raises:
        RuntimeError: A version ran that no receipt tells of.
    """
    live = iter([receipt for receipt in receipts if receipt["verdict"] == "live"])
    return [[_next_of(live, digest) for digest in found.digests] for found in stretches]


def _next_of(live: Iterator[Receipt], digest: str) -> Receipt:
    for receipt in live:
        if receipt["digests"].get("edited.py") == digest:
            return receipt
    raise RuntimeError(f"version {digest} has run, but there is no receipt of it")


def times(found: Saves, receipts: Sequence[Receipt]) -> dict[str, dict[str, float]]:
    """How long saves took until they were ready, visible and swapped, in ms."""
    ready_at = np.array([receipt["event_ns"] + receipt["event_to_ready_ms"] * 1e6 for receipt in receipts])
    saved = np.array(found.saved)
    return {
        "ready_ms": spread((ready_at - saved) / 1e6),
        "event_to_ready_ms": spread([receipt["event_to_ready_ms"] for receipt in receipts]),
        "visible_ms": spread((np.array(found.visible) - saved) / 1e6),
        "swap_ms": spread([receipt["swap_ms"] for receipt in receipts]),
    }


def spread(values: Any) -> dict[str, float]:
    """Median, 99th percentile and largest of some figures."""
    return {
        "p50": round(float(np.percentile(values, 50)), 3),
        "p99": round(float(np.percentile(values, 99)), 3),
        "max": round(float(np.max(values)), 3),
    }
