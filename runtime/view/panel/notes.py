"""The panel's words: agents, modules, edits and their receipts, what is watched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from instar.view.panel.row import LABEL, Row, flow, labelled, spread
from instar.view.plain import plain
from instar.view.view import Snapshot

_STATES = {"live": ("●", "green"), "probation": ("◐", "yellow"), "quarantined": ("✗", "bold red")}
_VERDICTS = {"live": ("✓", "green"), "rejected": ("✗", "bold red"), "rolled_back": ("↶", "bold yellow")}
_EDITS = 4
_WIDE = 88
"""Columns from which on there is room for the time of compilation."""


def agents(snapshot: Snapshot, width: int) -> list[Row]:
    """Rows of each table."""
    counts = (snapshot.get("agents") or {}).items()
    return flow("agents", [Text.assemble(f"{table} ", (f"{rows:,}", "bold")) for table, rows in counts], width, 2)


def modules(snapshot: Snapshot, width: int) -> list[Row]:
    """Version and state of each module."""
    items = []
    for name, entry in (snapshot.get("modules") or {}).items():
        state = str(entry.get("state", "live"))
        sign, style = _STATES.get(state, ("?", "yellow"))
        item = Text.assemble((sign, style), f" {name} ", (str(entry.get("version", ""))[:8], "dim"))
        items.append(item if state == "live" else item.append(f" {state}", style))
    return flow("modules", items, width, 2)


def edits(snapshot: Snapshot, width: int) -> Iterator[Row]:
    """The last edits with their receipts, the newest first."""
    receipts = list(snapshot.get("edits") or ())
    if not receipts:
        yield Row(labelled("edits", ("none yet: edit a file and save it", "dim")), 4)
        return
    columns = Text("".join(f"{name:>{room}}" for name, _, room in _times(width)), "dim")
    yield Row(spread(labelled(f"edits {snapshot.get('edit_count', len(receipts)):,}"), columns, width), 6)
    for age, receipt in enumerate(reversed(receipts[-_EDITS:])):
        rank = 2 if age == 0 else 6
        yield Row(_receipt(receipt, width), rank)
        for line in _details(receipt):
            yield Row(line, rank + 1)


def watch(snapshot: Snapshot, width: int) -> Iterator[Row]:
    """Which folders are watched, how, and how far back history reaches."""
    watching = snapshot.get("watch") or {}
    mode = str(watching.get("mode") or "")
    for place, path in enumerate(snapshot.get("paths") or ()):
        shown = _tail(plain(str(path)), width - LABEL - len(mode) - 3)
        yield Row(labelled("" if place else "watching", shown, ("" if place else f"  {mode}", "dim")), 4)
    if watching.get("notice"):
        yield Row(labelled("", (f"! {plain(str(watching['notice']))}", "yellow")), 4)
    history = snapshot.get("history") or {}
    if history.get("frames"):
        yield Row(labelled("history", f"last {history['frames']:,} frames", (f"  {_size(history['bytes'])}", "dim")), 5)


def memory(snapshot: Snapshot, width: int) -> list[Row]:
    """What the world takes, of how much, and for what."""
    taken = snapshot.get("memory") or {}
    if not taken:
        return []
    total = Text(_size(taken["total"]), "bold")
    if taken.get("limit"):
        total.append(f" of {_size(taken['limit'])}")
    parts = sorted(((size, purpose) for purpose, size in taken["purposes"].items() if size), reverse=True)
    return flow("memory", [total, *(Text(f"{purpose} {_size(size)}", "dim") for size, purpose in parts)], width, 5)


def _receipt(receipt: dict[str, Any], width: int) -> Text:
    verdict = str(receipt.get("verdict", ""))
    sign, style = _VERDICTS.get(verdict, ("?", "yellow"))
    at = str(receipt.get("at") or f"frame {receipt.get('frame', 0)}")
    left = Text.assemble(
        (f"{at:<{LABEL}}", "dim"),
        (f"{sign} {verdict.replace('_', ' '):<11}", style),
        ", ".join(plain(str(name)) for name in receipt.get("files") or ()),
    )
    times = [(receipt.get(key), room) for _, key, room in _times(width)]
    right = "".join(f"{'·' if ms is None else f'{ms:.1f}':>{room}}" for ms, room in times)
    return spread(left, Text(right), width)


def _times(width: int) -> tuple[tuple[str, str, int], ...]:
    """Name, key and columns of the times that there is room for."""
    compiled = (("compiled", "event_to_compiled_ms", 9),) if width >= _WIDE else ()
    return (*compiled, ("ready", "event_to_ready_ms", 8), ("wait", "ready_to_swap_ms", 8), ("swap ms", "swap_ms", 9))


def _details(receipt: dict[str, Any]) -> Iterator[Text]:
    if receipt.get("verdict") == "live":
        for line in (*(receipt.get("migrated") or ()), *(receipt.get("settings") or ())):
            yield labelled("", (f"  {plain(str(line))}", "cyan"))
        if facts := " · ".join(_facts(receipt)):
            yield labelled("", (f"  {facts}", "dim"))
    if receipt.get("error"):
        yield labelled("", (f"  {plain(str(receipt['error'])).strip().splitlines()[0]}", "red"))


def _facts(receipt: dict[str, Any]) -> Iterator[str]:
    """What else is worth knowing of an edit that runs."""
    if receipt.get("rows"):
        yield f"{receipt['rows']:,} agents touched"
    if receipt.get("predicted"):
        yield f"{receipt['predicted']}: {receipt['saved_ms']:.1f} ms spared"
    for name, ms in (receipt.get("imports") or {}).items():
        yield f"import of {plain(name)} {ms:.0f} ms"
    if replaced := len(receipt.get("superseded") or ()):
        yield f"{replaced} earlier save{'s' * (replaced > 1)} replaced"


def _tail(path: str, room: int) -> str:
    return path if len(path) <= room else "…" + path[len(path) - max(1, room) + 1 :]


def _size(size: float) -> str:
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
