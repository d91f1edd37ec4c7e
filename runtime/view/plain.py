"""Text from modules made harmless for a terminal."""

from __future__ import annotations

import re

_STYLE = re.compile(r"\x1b\[[0-9;:]*m")
_ESCAPE = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # operating system commands: titles, links
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"  # device control and other strings
    r"|\x1b\[[0-?]*[ -/]*[@-~]?"  # control sequences
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]")


def plain(text: str, *, colours: bool = False) -> str:
    """The text without escape sequences and control characters; tabs and line ends stay.

    Args:
        text: anything.
        colours: keep the sequences that only colour or embolden.
    """
    text = text.replace("\r\n", "\n")
    if not colours:
        return _CONTROL.sub("", _ESCAPE.sub("", text))
    return _CONTROL.sub("", _ESCAPE.sub(lambda found: found[0] if _STYLE.fullmatch(found[0]) else "", text))
