"""Which bytes change what a terminal shows from one panel to the next."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.cells import cell_len

HIDE_CURSOR = "\x1b[?25l"
SHOW_CURSOR = "\x1b[?25h"

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
"""Synchronised output: terminals that know it show all that is between at once; the others ignore it."""

_CLEAR_LINE, _CLEAR_BELOW = "\x1b[K", "\x1b[J"
_STYLE = re.compile(r"\x1b\[[0-9;:]*m")


class Painter:
    """A panel at the end of a terminal's text; the cursor rests on the line below it.

    Only lines that changed are written again, so that the picture is calm.
    """

    def __init__(self) -> None:
        self._shown: list[str] = []
        self._width = 0

    def paint(self, above: str, panel: Sequence[str], width: int) -> str:
        """What to write so that `above` joins the text that stays and `panel` stands below it.

        Args:
            above: whole lines, each ended by a line end, or nothing.
            panel: lines narrower than the terminal, styled but without other control codes.
            width: of the terminal now; where it changed, the terminal is taken to have folded the old lines.
        """
        if above or width != self._width:
            body = self._home(width) + _CLEAR_BELOW + above.replace("\n", "\r\n")
            body += "".join(f"{line}\r\n" for line in panel)
        else:
            body = self._changes(panel, width)
        self._shown = list(panel)
        self._width = width
        return f"{_BEGIN}{body}{_END}" if body else ""

    def forget(self) -> None:
        """Leaves the panel where it is: it now belongs to the text above the next one."""
        self._shown = []

    def _changes(self, panel: Sequence[str], width: int) -> str:
        shown = self._shown
        if list(panel) == shown:
            return ""
        body = self._home(width)
        for place, line in enumerate(panel):
            same = place < len(shown) and shown[place] == line
            body += "\r\n" if same else f"{line}{_CLEAR_LINE}\r\n"
        return body + (_CLEAR_BELOW if len(shown) > len(panel) else "")

    def _home(self, width: int) -> str:
        """To the first row of the panel shown."""
        rows = sum(max(1, -(-cell_len(_STYLE.sub("", line)) // width)) for line in self._shown)
        return f"\x1b[{rows}F" if rows else "\r"
