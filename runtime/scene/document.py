"""A parsed TOML document that knows its lines: typed access whose errors say where, what and what is allowed."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from instar.hmr.state.memory.units import UNITS, parse_size, shown_size
from instar.scene.errors import SceneError, nearest
from instar.scene.positions import Key, key_lines

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PLACE = re.compile(r"^(?P<reason>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|(?P<end>end of document))\)$")
_MISSING = object()


class Document:
    """The values of one TOML text and the lines they stand on.

    Raises:
        SceneError: the text is not TOML; names file, line and column.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        try:
            self._values: dict[str, Any] = tomllib.loads(text)
        except RecursionError:
            raise SceneError("arrays or tables are nested too deeply.", path=path) from None
        except ValueError as error:
            raise _syntax(path, text, str(error)) from None
        self.lines = key_lines(text)

    def error(self, key: Key, problem: str) -> SceneError:
        """An error about a key: `file:line: key: problem`, with the line of the nearest table that has one."""
        known = (key[:size] for size in range(len(key), 0, -1))
        line = next((self.lines[prefix] for prefix in known if prefix in self.lines), None)
        return SceneError(f"{written(key)}: {problem}", path=self.path, line=line)

    def wrong(self, key: Key, allowed: str) -> SceneError:
        """An error that shows the value found at a key and says what is allowed."""
        return self.error(key, f"found {_shown(self._get(key))}; allowed is {allowed}.")

    def knows(self, table: Key, names: Sequence[str]) -> None:
        """Refuses any key of a table that is not in `names`."""
        for name in self._get(table, {}):
            if name not in names:
                where = f"[{written(table)}]" if table else "a scene"
                hint = nearest(name, names)
                raise self.error((*table, name), f"unknown key.{hint} {where} has: {', '.join(names)}.")

    def table(self, key: Key) -> dict[str, Any]:
        """The table at a key; empty where there is none."""
        value = self._get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, f"a table: [{written(key)}]")
        return value

    def text(self, key: Key, default: str) -> str:
        """A string on one line."""
        value: object = self._get(key, default)
        if not isinstance(value, str) or not value.isprintable() or not value.strip():
            if value is default:
                return default
            raise self.wrong(key, "a string of one line, not empty")
        return value

    def whole(self, key: Key, default: int, low: int, high: int) -> int:
        """A whole number within [low, high]."""
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.wrong(key, f"a whole number from {low} to {high}")
        return value

    def positive(self, key: Key, default: float, unit: str = "") -> float:
        """A finite number above zero."""
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, f"a number{unit} above 0")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number) or number <= 0:
            raise self.wrong(key, f"a finite number{unit} above 0")
        return number

    def size(self, key: Key, least: int) -> int | None:
        """A number of bytes, written as `"2GB"`, or None where the key is left out."""
        value = self._get(key, None)
        if value is None:
            return None
        size = parse_size(value) if isinstance(value, str) else None
        if size is None or size < least:
            units = ", ".join(UNITS)
            raise self.wrong(key, f'a size of {shown_size(least)} or more: a number and one of {units}, such as "2GB"')
        return size

    def choice(self, key: Key, default: str, allowed: Sequence[str]) -> str:
        """One of the allowed strings."""
        value = self._get(key, default)
        if value not in allowed:
            hint = nearest(value, allowed) if isinstance(value, str) else ""
            raise self.wrong(key, f"one of {', '.join(json.dumps(name) for name in allowed)}.{hint}".removesuffix("."))
        return str(value)

    def strings(self, key: Key) -> list[str] | None:
        """An array of strings, or None where the key is left out."""
        value = self._get(key, None)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(key, 'an array of strings: ["flock"]')
        return value

    def leaves(self, key: Key) -> Iterator[tuple[Key, Any]]:
        """Every value below a table that is no table itself, in the order of the text."""
        for name, value in self.table(key).items():
            if isinstance(value, dict):
                yield from self.leaves((*key, name))
            else:
                yield (*key, name), value

    def _get(self, key: Key, default: Any = _MISSING) -> Any:
        value: Any = self._values
        for part in key:
            if isinstance(value, dict) and part not in value:
                return default
            value = value[part]
        return value


def written(key: Key) -> str:
    """A key as TOML writes it: `params."two words".speed`, `modules[1]`."""
    text = ""
    for part in key:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if _BARE.fullmatch(part) else json.dumps(part, ensure_ascii=False)
            text += f".{name}" if text else name
    return text


def _shown(value: object) -> str:
    """A value as TOML would write it, cut to one look."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, float):
        return repr(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _syntax(path: Path, text: str, reason: str) -> SceneError:
    """An error with the reason tomllib gives, the place where editors look for it, and the line itself."""
    found = _PLACE.match(reason)
    if found is None:
        return SceneError(f"not TOML: {reason}.", path=path)
    lines = text.split("\n")
    line = int(found["line"]) if found["line"] else len(lines)
    column = int(found["column"]) if found["column"] else len(lines[-1]) + 1
    source = lines[line - 1].rstrip() if line <= len(lines) else ""
    shown = f"\n    {source}\n    {' ' * (column - 1)}^" if source and len(source) <= 200 else ""
    return SceneError(f"not TOML: {found['reason']}.{shown}", path=path, line=line, column=column)
