"""The panel's word on late frames: how many by cause, and what the last one was spent on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from instar.view.panel.row import Row, labelled
from instar.view.view import Snapshot

_BEGAN_LATE = ("catching up", "woken late")
"""Causes that lie outside of the frame itself."""


def late(snapshot: Snapshot) -> Iterator[Row]:
    """Causes of late frames, most frequent first, and the last one that did not just begin late, with its longest spans."""
    told = snapshot.get("late") or {}
    causes = sorted((told.get("causes") or {}).items(), key=lambda item: -item[1])
    if not causes:
        return
    parts = [Text.assemble((f"{count:,}", "yellow"), (f" {cause}", "dim")) for cause, count in causes]
    yield Row(labelled("late for", Text("  ").join(parts)), 4)
    newest = told.get("newest") or ()
    last = next((one for one in reversed(newest) if one["cause"] not in _BEGAN_LATE), None)
    if last is not None:
        line = Text.assemble(
            f"frame {last['frame']:,}",
            ("  ", ""),
            (f"{last['late_ms']:.1f} ms late", "yellow"),
            ("  " + _path(last), "dim"),
        )
        yield Row(labelled("", line), 5)


def _path(frame: Mapping[str, Any]) -> str:
    """From the phase that took longest, into the longest spans inside: ``update › flock.update › path-finding 21.3 ms``."""
    spans: Sequence[Mapping[str, Any]] = frame.get("spans") or ()
    outer = [place for place, span in enumerate(spans) if span["depth"] == 0]
    if not outer:
        return str(frame["cause"])
    place = max(outer, key=lambda place: spans[place]["ms"])
    names = [spans[place]["name"]]
    while (inner := _longest_inside(spans, place)) is not None:
        place = inner
        names.append(spans[place]["name"])
    return f"{' › '.join(names)} {spans[place]['ms']:.1f} ms"


def _longest_inside(spans: Sequence[Mapping[str, Any]], place: int) -> int | None:
    """The longest span directly inside another, if it takes more than half of it; spans are in the order they began."""
    depth, found = spans[place]["depth"], None
    for inner in range(place + 1, len(spans)):
        if spans[inner]["depth"] <= depth:
            break
        if spans[inner]["depth"] == depth + 1 and (found is None or spans[inner]["ms"] > spans[found]["ms"]):
            found = inner
    return found if found is not None and 2 * spans[found]["ms"] > spans[place]["ms"] else None
