"""On which line each key of a TOML text stands; tomllib gives values without positions."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

Key = tuple[str | int, ...]
"""Names of tables and keys from the outside in; numbers are places in an array: ("modules", 1)."""

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_DOTTED = re.compile(rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]+")


def key_lines(text: str) -> dict[Key, int]:
    """The line (from 1) on which every key, table and array element of a TOML text first stands.

    Args:
        text: a text that `tomllib.loads` accepts; of any other text the result is unspecified.

    Returns:
        Lines by key, with every prefix of a dotted key or header; the keys are exactly those of the parsed document.
    """
    return _Scanner(text).scan()


class _Scanner:
    """One pass over a valid text; `_at` is where it stands."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[Key, int] = {}
        self._tables: dict[Key, int] = {}

    def scan(self) -> dict[Key, int]:
        table: Key = ()
        self._blank()
        while self._at < len(self._text):
            if self._takes("[["):
                table = self._header(repeated=True)
            elif self._takes("["):
                table = self._header(repeated=False)
            else:
                self._pair(table)
            self._blank()
        return self._lines

    def _header(self, *, repeated: bool) -> Key:
        self._blank()
        parts, line = self._dotted()
        self._blank()
        self._at += 2 if repeated else 1
        key: Key = ()
        for place, part in enumerate(parts):
            key = (*key, part)
            self._lines.setdefault(key, line)
            last = place == len(parts) - 1
            if last and repeated:
                self._tables[key] = self._tables.get(key, -1) + 1
            if key in self._tables:
                key = (*key, self._tables[key])
                self._lines.setdefault(key, line)
        return key

    def _pair(self, table: Key) -> None:
        parts, line = self._dotted()
        key = table
        for part in parts:
            key = (*key, part)
            self._lines.setdefault(key, line)
        self._blank()
        self._at += 1  # the equals sign
        self._blank()
        self._value(key)

    def _value(self, key: Key) -> None:
        if self._takes("["):
            for place in self._items("]"):
                self._lines[(*key, place)] = self._line()
                self._value((*key, place))
        elif self._takes("{"):
            for _ in self._items("}"):
                self._pair(key)
        elif string := _STRING.match(self._text, self._at):
            self._at = string.end()
        elif scalar := _SCALAR.match(self._text, self._at):
            self._at = scalar.end()

    def _items(self, closing: str) -> Iterator[int]:
        """Counts the items of an array or inline table; the caller reads each one where the scanner stands."""
        place = 0
        self._blank()
        while not self._takes(closing) and self._at < len(self._text):
            yield place
            place += 1
            self._blank()
            self._takes(",")
            self._blank()

    def _dotted(self) -> tuple[list[str], int]:
        line = self._line()
        found = _DOTTED.match(self._text, self._at)
        if found is None:
            raise ValueError(f"no key on line {line}")
        self._at = found.end()
        return [_unquoted(part) for part in re.findall(_PART, found[0])], line

    def _takes(self, mark: str) -> bool:
        found = self._text.startswith(mark, self._at)
        self._at += len(mark) if found else 0
        return found

    def _blank(self) -> None:
        blank = _BLANK.match(self._text, self._at)
        self._at = blank.end() if blank else self._at

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1


def _unquoted(part: str) -> str:
    """The name that a bare or quoted key part stands for."""
    return str(tomllib.loads(f"name = {part}")["name"]) if part[0] in "\"'" else part
