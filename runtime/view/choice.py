"""Which view suits where a run's output goes."""

from __future__ import annotations

import os
from typing import TextIO

from instar.view.lines import LineView
from instar.view.view import View


def choose(stream: TextIO, *, headless: bool = False) -> View:
    """The live panel on a terminal that can show it, plain lines everywhere else.

    Args:
        stream: where the run is shown; standard error, so that standard output holds documents only.
        headless: plain lines in any case.
    """
    if headless or not _shows_panels(stream):
        return LineView(stream)
    from instar.view.terminal import TerminalView  # noqa: PLC0415  a log needs none of it

    try:
        return TerminalView(stream)
    except OSError as error:
        view = LineView(stream)
        view.message(f"instar: the live view cannot start ({error.strerror}); the run is shown as plain lines.")
        return view


def _shows_panels(stream: TextIO) -> bool:
    utf8 = (getattr(stream, "encoding", None) or "").lower().replace("-", "") == "utf8"
    return stream.isatty() and utf8 and os.environ.get("TERM", "dumb") not in {"", "dumb", "unknown"}
