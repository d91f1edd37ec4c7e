"""Where a module's text falls into pieces."""

from __future__ import annotations

import re

FIRST, LAST = 1, 2
"""Roles: the first piece may begin with a docstring, the last one ends the module."""
_BOUNDARY = re.compile(r"\n[A-Za-z_@]")
_GOES_ON = re.compile(r"(?:else|elif|except|finally)\b")
_SILENT = re.compile(r"(?:[ \t\f\\]*(?:#[^\n]*)?\n)*\Z")


def split(text: str) -> list[str]:
    """Returns the pieces of a text, as they seem to be: whether they are is found when they are compiled."""
    chunks: list[str] = []
    quoted = '"""' in text or "'''" in text
    begin = last = 0
    for found in _BOUNDARY.finditer(text):
        start = found.start() + 1
        before, last = last, start
        if text[before] == "@" or text[start - 2] == "\\" or (text[start] in "ef" and _GOES_ON.match(text, start)):
            continue
        if (quoted and _is_open(text, begin, start)) or (not begin and _SILENT.match(text, 0, start)):
            continue
        if text.startswith("from __future__", start):
            continue
        chunks.append(text[begin:start])
        begin = start
    chunks.append(text[begin:])
    return chunks


def role_of(index: int, count: int) -> int:
    """Returns the role of a piece among so many."""
    return (0 if index else FIRST) | (0 if index < count - 1 else LAST)


def _is_open(text: str, begin: int, end: int) -> bool:
    """Returns whether a long string seems not to be closed yet."""
    return bool(text.count('"""', begin, end) % 2 or text.count("'''", begin, end) % 2)
