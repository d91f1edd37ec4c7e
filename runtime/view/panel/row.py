"""One line of the panel, and how much it matters where there is little room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

LABEL = 11
"""Columns of the names at the left edge."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line and its rank: rank 0 always stays, the highest goes first."""

    text: Text
    rank: int


def labelled(label: str, *parts: str | tuple[str, str] | Text) -> Text:
    """A line that begins with a dim name in the left column."""
    return Text.assemble((f"{label:<{LABEL}}", "dim"), *parts)


def flow(label: str, items: Sequence[Text], width: int, rank: int) -> list[Row]:
    """Items one after the other on as many lines as they take."""
    rows: list[Row] = []
    line = labelled(label)
    for item in items:
        if line.cell_len > LABEL and line.cell_len + item.cell_len > width:
            rows.append(Row(line, rank))
            line = labelled("")
        line.append_text(item).append("   ")
    return [*rows, Row(line, rank)] if items else []


def spread(left: Text, right: Text, width: int) -> Text:
    """Two texts at the two edges of a line; the left one is cut where both do not fit."""
    room = max(1, width - right.cell_len - 1)
    left = left.copy()
    left.truncate(room, overflow="ellipsis")
    return Text.assemble(left, " " * max(1, width - left.cell_len - right.cell_len), right)
