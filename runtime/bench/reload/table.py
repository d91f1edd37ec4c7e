"""The figures of `instar bench reload` for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TIMES = {"ready_ms": "save → ready", "visible_ms": "save → first call", "swap_ms": "swap in the frame"}


def table(figures: Mapping[str, Any]) -> str:
    """All cases, one line for each of their times."""
    agents = figures["agents"]
    known, long = figures["undo"], figures["long"]
    cases = [
        (f"{figures['lines']:,} lines, {figures['saves']} saves", figures),
        (f"{long['lines']:,} lines, {long['saves']} saves", long),
        (f"a version that ran before, {known['saves']} saves", known),
        (f"{agents['agents']:,} agents, same fields", agents["unchanged"]),
        (f"{agents['agents']:,} agents, a field more", agents["field_added"]),
    ]
    lines = ["instar bench reload", f"  {'ms':58} {'p50':>8} {'p99':>8} {'max':>8}"]
    for name, case in cases:
        for number, (key, what) in enumerate(_TIMES.items()):
            spread = case[key]
            label = "" if number else name
            lines.append(
                f"  {label:36}  {what:20} " + " ".join(f"{spread[part]:8.2f}" for part in ("p50", "p99", "max"))
            )
    counted = (figures, long, known, agents)
    bad = ", ".join(f"{sum(case[key] for case in counted)} {key}" for key in ("torn", "stale"))
    lines.append(f"  {bad}, {sum(case['missed_by_edits'] for case in counted)} frames missed because of an edit")
    for name, case in (("all saves", figures), ("known versions", known)):
        predicted = case["predicted"]
        by = ", ".join(f"{what} {count}" for what, count in predicted["by"].items()) or "none"
        lines.append(f"  begun before the save, {name}: {predicted['hits']} of {predicted['edits']} ({by})")
    return "\n".join(lines)
