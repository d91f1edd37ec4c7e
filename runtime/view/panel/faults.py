"""The current errors, framed, in full as far as the terminal reaches."""

from __future__ import annotations

from rich.box import HEAVY
from rich.panel import Panel
from rich.text import Text

from instar.view.plain import plain
from instar.view.view import Snapshot

FRAME = 2
"""Rows that a frame takes."""


def fault_lines(snapshot: Snapshot, width: int, height: int) -> list[Text]:
    """All current errors, folded to the frame's inside and cut past the middle so that the frame has `height` rows."""
    errors = [plain(str(error)).strip("\n").expandtabs(4) for error in snapshot.get("errors") or ()]
    room = height - FRAME
    if not errors or room < 1:
        return []
    lines = [line for error in errors for line in _wrapped(error, width - 4)]
    if len(lines) > room:
        tail = room // 4
        left_out = Text(f"… {len(lines) - room + 1} lines left out", "dim")
        lines = [*lines[: room - 1 - tail], left_out, *lines[len(lines) - tail :]]
    return lines


def fault_frame(lines: list[Text], count: int, width: int) -> Panel:
    """The red frame around the lines of `count` errors; `FRAME` rows higher than the lines."""
    title = f"✗ {'error' if count == 1 else f'{count} errors'}"
    return Panel(
        Text("\n", no_wrap=True, overflow="ellipsis").join(lines),
        box=HEAVY,
        border_style="red",
        title=title,
        title_align="left",
        width=width,
    )


def _wrapped(error: str, width: int) -> list[Text]:
    """The lines of an error folded to the width; the first, which says what happened, is bold."""
    first, *rest = error.split("\n")
    folded = [*_fold(first, width, "bold red")]
    for line in rest:
        folded += _fold(line, width, "bold red" if set(line.strip()) <= set("^~") else "")
    return folded


def _fold(line: str, width: int, style: str) -> list[Text]:
    """A line in pieces of at most `width` columns, broken after a space where there is one in the second half."""
    text = Text(line, style)
    pieces = []
    while text.cell_len > width:
        head = text.copy()
        head.truncate(width)
        size = max(1, len(head.plain.rstrip()))
        space = text.plain.rfind(" ", size // 2, size + 1)
        size = space if space > 0 else size
        pieces.append(text[:size])
        text = text[size + (space > 0) :]
    return [*pieces, text]
