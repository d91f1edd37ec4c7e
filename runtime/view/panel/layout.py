"""A snapshot laid out in the room there is."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import ROUNDED
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from instar.view.canvas import PANEL_COLUMNS
from instar.view.panel.faults import FRAME, fault_frame, fault_lines
from instar.view.panel.late import late
from instar.view.panel.meters import deadlines, frame_bar, header, operations, phases
from instar.view.panel.notes import agents, edits, memory, modules, watch
from instar.view.panel.row import Row
from instar.view.view import Snapshot

_ESSENTIAL = 3
_KEYS_RANK = 8
_PAST_RANKS = 9


def render(snapshot: Snapshot, width: int, height: int) -> RenderableType:
    """The panel for a terminal of `width` columns in at most `height` rows.

    An error takes the room it needs; then what matters least gives way first. The world's picture stands beside
    the numbers where both fit.
    """
    faults = fault_lines(snapshot, width, max(FRAME + 2, height - _ESSENTIAL))
    room = max(1, height - (len(faults) + FRAME if faults else 0))
    world = _world(snapshot, width, room)
    beside = width - (world[1] + 2 if world else 0)
    rows = Text("\n").join(_fitted(list(_rows(snapshot, beside)), beside, room))
    top: RenderableType = rows
    if world:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=beside)
        table.add_column(width=world[1])
        table.add_row(rows, world[0])
        top = table
    return Group(top, fault_frame(faults, len(snapshot["errors"]), width)) if faults else top


def _rows(snapshot: Snapshot, width: int) -> Iterator[Row]:
    gap = Row(Text(), _PAST_RANKS)
    yield header(snapshot, width)
    yield gap
    yield frame_bar(snapshot, width)
    yield deadlines(snapshot, width)
    yield from late(snapshot)
    yield gap
    yield from phases(snapshot, width)
    yield from operations(snapshot, width)
    yield gap
    yield from agents(snapshot, width)
    yield from modules(snapshot, width)
    yield from watch(snapshot, width)
    yield from memory(snapshot, width)
    yield gap
    yield from edits(snapshot, width)
    if snapshot.get("keys"):
        yield gap
        yield Row(Text(str(snapshot["keys"]), "dim"), _KEYS_RANK)


def _fitted(rows: list[Row], width: int, height: int) -> list[Text]:
    """The rows that fit: the highest ranks go first, of one rank the lowest row."""
    while len(rows) > height:
        last = max(range(len(rows)), key=lambda place: (rows[place].rank, place))
        del rows[last]
    lines = []
    for row in rows:
        line = row.text.copy()
        line.rstrip()
        line.truncate(width, overflow="ellipsis")
        line.no_wrap = True
        lines.append(line)
    return lines


def _world(snapshot: Snapshot, width: int, height: int) -> tuple[Panel, int] | None:
    """The framed picture of the world and its width, or None where it does not fit."""
    picture = snapshot.get("braille")
    if not picture or len(picture) + 2 > height or width < PANEL_COLUMNS + len(picture[0]) + 4:
        return None
    columns = len(picture[0]) + 2
    dots = Text("\n".join(picture), "cyan", no_wrap=True)
    return Panel(dots, box=ROUNDED, border_style="dim", padding=0, width=columns), columns
