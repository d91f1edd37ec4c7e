"""The panel as an SVG picture, for pages that show what a run looks like."""

from __future__ import annotations

import io
import re

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from instar.view.panel.layout import render
from instar.view.view import Snapshot

_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)

_BLACK, _RED, _GREEN, _YELLOW = (42, 46, 54), (230, 108, 117), (140, 192, 132), (222, 184, 116)
_BLUE, _MAGENTA, _CYAN, _WHITE = (104, 157, 222), (190, 140, 212), (98, 186, 192), (205, 209, 217)
_THEME = TerminalTheme((24, 26, 31), _WHITE, [_BLACK, _RED, _GREEN, _YELLOW, _BLUE, _MAGENTA, _CYAN, _WHITE])


def picture(snapshot: Snapshot, width: int, height: int, title: str = "") -> str:
    """The panel in a terminal window of `width` columns as SVG text that loads nothing from elsewhere.

    Args:
        snapshot: the state to show.
        width: columns.
        height: at most so many rows.
        title: of the window; the command that shows this scene unless given.
    """
    console = Console(
        record=True, file=io.StringIO(), width=width, force_terminal=True, color_system="truecolor", no_color=False
    )
    console.print(render(snapshot, width, height))
    svg = console.export_svg(title=title or f"instar run {snapshot.get('scene', '')}", theme=_THEME, unique_id="instar")
    return _FONT.sub("", svg)
