"""The panel's measurements: state, frame rate, deadlines, and a bar of milliseconds per phase and module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from instar.view.canvas import PANEL_COLUMNS
from instar.view.panel.row import LABEL, Row, flow, labelled, spread
from instar.view.view import Snapshot

_COLOURS = {
    "boundary": "yellow",
    "input": "white",
    "update": "cyan",
    "commit": "blue",
    "publish": "magenta",
    "maintain": "green",
}
_NOTE = 14


def header(snapshot: Snapshot, width: int) -> Row:
    """Title, scene where there is room, state, frame and frame rate."""
    title, scene = str(snapshot.get("title") or snapshot.get("scene", "")), str(snapshot.get("scene", ""))
    target = float(snapshot.get("fps") or 60)
    now = float(snapshot.get("fps_now") or target)
    right = Text.assemble(
        _state(str(snapshot.get("state", "running"))),
        ("  frame ", "dim"),
        (f"{snapshot.get('frame', 0):>7,}", "bold"),
        (f"  {now:5.1f}", "bold" if now > 0.98 * target else "bold yellow"),
        (f" / {target:g} fps", "dim"),
        (_speed(snapshot.get("speed", 1.0)), "yellow"),
    )
    left = Text(title, "bold")
    if scene != title and left.cell_len + len(scene) + 3 + right.cell_len <= width:
        left = Text.assemble(left, (f"  {scene}", "dim"))
    return Row(spread(left, right, width), 0)


def deadlines(snapshot: Snapshot, width: int) -> Row:
    """How late frames began, and how many missed their deadline."""
    error = snapshot.get("deadline_error_us") or {}
    line = labelled("deadline")
    for name in ("p50", "p99", "max") if width >= PANEL_COLUMNS else ("p99", "max"):
        line.append(f"{name} ", "dim").append(f"{error.get(name, 0.0):>4.0f}  ")
    missed, by_edits = snapshot.get("missed", 0), snapshot.get("missed_by_edits", 0)
    line.append("µs  missed ", "dim").append(f"{missed:,}", "yellow" if missed else "")
    line.append(", ", "dim").append(f"{by_edits:,}", "bold red" if by_edits else "").append(" by edits", "dim")
    if dropped := snapshot.get("dropped"):
        line.append(", ", "dim").append(f"{dropped:,}", "yellow").append(" dropped", "dim")
    return Row(line, 1)


def frame_bar(snapshot: Snapshot, width: int) -> Row:
    """One frame as a line: the phases' mean times laid end to end against the budget."""
    budget = _budget(snapshot)
    phases = {name: spent["mean"] for name, spent in _spent(snapshot, "phases_ms") if name != "pace"}
    total = sum(phases.values())
    over = total > budget
    note = f"{'▲ ' if over else ''}{total:6.2f} of {budget:.2f} ms"
    cells = width - LABEL - len(note) - 2
    line, at, reached = labelled("frame"), 0, 0.0
    for name, spent in phases.items():
        reached += spent
        end = min(cells, round(cells * reached / budget))
        line.append("━" * (end - at), _COLOURS.get(name, "white") if not over else "red")
        at = max(at, end)
    line.append("─" * (cells - at), "dim").append(f"  {note}", "bold red" if over else "")
    return Row(line, 0)


def phases(snapshot: Snapshot, width: int) -> Iterator[Row]:
    """Mean, p99 and a bar for each phase, and under update for each module."""
    yield Row(_legend(snapshot, width), 7)
    budgets, breaches = snapshot.get("budgets") or {}, snapshot.get("breaches") or {}
    frame = _budget(snapshot)

    def meter(label: str, name: str, spent: dict[str, float], colour: str) -> Text:
        return _meter(label, spent, budgets.get(name), _count(breaches.get(name)), frame, width, colour)

    for name, spent in _spent(snapshot, "phases_ms"):
        if name == "pace":
            continue
        rank = {"update": 1, "commit": 3}.get(name, 5)
        yield Row(meter(name, name, spent, _COLOURS.get(name, "white")), rank)
        if name == "update":
            for module, entry in (snapshot.get("modules") or {}).items():
                if entry.get("ms"):
                    yield Row(meter(f"  {module}", module, entry["ms"], "cyan"), 2)


def operations(snapshot: Snapshot, width: int) -> list[Row]:
    """Median and p99 of what the state manager did."""
    items = []
    for name, measured in (snapshot.get("operations") or {}).items():
        if measured.get("count"):
            ms = measured["ms"]
            items.append(Text.assemble((f"{name} ", "dim"), f"{ms['p50']:.2f} ", (f"{ms['p99']:.2f}", "dim")))
    return flow("state ms", items, width, 6)


def _legend(snapshot: Snapshot, width: int) -> Text:
    cells = _cells(width)
    scale = f"{_budget(snapshot):.2f}"
    return Text(f"{'':<{LABEL}}{'mean':>7}{'p99':>8}  {'0':<{max(0, cells - len(scale))}}{scale} ms", "dim")


def _count(breach: dict[str, Any] | None) -> int:
    return int(breach["count"]) if breach else 0


def _meter(
    name: str, spent: dict[str, float], limit: float | None, breaches: int, frame: float, width: int, colour: str
) -> Text:
    """Name, mean, p99, bar, and what to know about its budget."""
    mean, p99 = spent["mean"], spent.get("p99", spent["mean"])
    allowed = limit or frame
    over, late = mean > allowed, p99 > allowed
    style = "bold red" if over else "yellow" if late else colour
    line = Text()
    line.append(f"{_cut(name, LABEL - 1):<{LABEL}}", "" if not name.startswith(" ") else "dim")
    line.append(f"{mean:7.2f}", "bold red" if over else "").append(f"{p99:8.2f}  ", "yellow" if late else "dim")
    line.append_text(_bar(mean / frame, p99 / frame, limit / frame if limit else None, _cells(width), style))
    if over:
        line.append(f" ▲ over {allowed:.2f}", "bold red")
    elif late:
        line.append(f" △ p99 > {allowed:.2f}", "yellow")
    elif limit:
        line.append(f" ┊ {limit:g} ms", "dim")
    if breaches and not over:
        line.append(f" {breaches:,}×", "yellow")
    return line


def _bar(mean: float, p99: float, limit: float | None, cells: int, style: str) -> Text:
    """Solid to the mean, thin to p99, a mark at the limit; all as parts of the frame's budget."""
    halves = min(2 * cells, max(1, round(2 * cells * mean)))
    solid = "━" * (halves // 2) + "╸" * (halves % 2)
    whisker = "╌" * max(0, min(cells, round(cells * p99)) - len(solid))
    bar = Text.assemble((solid, style), (whisker, f"{style} dim"), " " * (cells - len(solid) - len(whisker)))
    if limit is not None and (mark := round(cells * limit)) < cells:
        shown = bar.plain[mark]
        if shown in " ╌":
            bar = Text.assemble(bar[:mark], ("┊", "bold"), bar[mark + 1 :])
    return bar


def _cells(width: int) -> int:
    return max(4, width - LABEL - 17 - _NOTE)


def _cut(name: str, size: int) -> str:
    return name if len(name) <= size else name[: size - 1] + "…"


def _budget(snapshot: Snapshot) -> float:
    return float(snapshot.get("budget_ms") or 1000.0 / float(snapshot.get("fps") or 60))


def _spent(snapshot: Snapshot, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, spent in (snapshot.get(key) or {}).items():
        if spent and "mean" in spent:
            yield name, spent


def _speed(speed: float | str) -> str:
    return "" if speed == 1.0 else f"  × {speed}" if isinstance(speed, str) else f"  × {speed:g}"


def _state(state: str) -> Text:
    if state == "running":
        return Text.assemble(("●", "green"), f" {state}")
    if state == "ended":
        return Text.assemble(("■", "dim"), f" {state}")
    return Text.assemble(("‖", "bold yellow"), (f" {state}", "yellow"))
