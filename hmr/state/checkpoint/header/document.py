"""JSON that nobody may trust: typed access whose errors say where and what."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


class BadHeader(ValueError):
    """A header makes no sense; the text says what and where."""


class Part:
    """One JSON object within a header.

    Attributes:
        place: Where it is, for people: ``tables[0].columns[2]``.
    """

    def __init__(self, value: object, place: str) -> None:
        if not isinstance(value, dict):
            raise BadHeader(f"{place} is no object")
        self._value: dict[str, Any] = value
        self.place = place

    def whole(self, key: str, most: int) -> int:
        """A whole number from 0 to `most`."""
        value = self._get(key)
        if type(value) is not int or not 0 <= value <= most:
            raise self._wrong(key, f"no whole number from 0 to {most:,}")
        return value

    def text(self, key: str) -> str:
        """A string."""
        value = self._get(key)
        if not isinstance(value, str):
            raise self._wrong(key, "no text")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self._get(key)
        if not isinstance(value, bool):
            raise self._wrong(key, "neither true nor false")
        return value

    def has(self, key: str) -> bool:
        """Whether there is such a key."""
        return key in self._value

    def any(self, key: str) -> Any:
        """Any value."""
        return self._get(key)

    def maybe_text(self, key: str) -> str | None:
        """A string, or None where there is none."""
        return None if self._value.get(key) is None else self.text(key)

    def mapping(self, key: str) -> Mapping[str, Any]:
        """A whole JSON object."""
        value = self._get(key)
        if not isinstance(value, dict):
            raise self._wrong(key, "no object")
        return value

    def part(self, key: str) -> Part | None:
        """An object, or None where it is null."""
        value = self._get(key)
        return None if value is None else Part(value, self._at(key))

    def parts(self, key: str, most: int) -> Iterator[Part]:
        """An array of objects."""
        for index, value in enumerate(self._array(key, most)):
            yield Part(value, f"{self._at(key)}[{index}]")

    def texts(self, key: str, most: int) -> list[str]:
        """An array of strings."""
        values = self._array(key, most)
        if not all(isinstance(value, str) for value in values):
            raise self._wrong(key, "no array of texts")
        return values

    def wholes(self, key: str, most: int) -> list[int]:
        """An array of whole numbers."""
        values = self._array(key, most)
        if not all(type(value) is int for value in values):
            raise self._wrong(key, "no array of whole numbers")
        return values

    def _array(self, key: str, most: int) -> list[Any]:
        value = self._get(key)
        if not isinstance(value, list) or len(value) > most:
            raise self._wrong(key, f"no array of at most {most:,}")
        return value

    def _get(self, key: str) -> Any:
        if key not in self._value:
            raise BadHeader(f"{self._at(key)} is missing")
        return self._value[key]

    def _wrong(self, key: str, what: str) -> BadHeader:
        shown = repr(self._value.get(key))
        return BadHeader(f"{self._at(key)} is {what}: {shown if len(shown) <= 60 else shown[:57] + '...'}")

    def _at(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key


def parse(data: bytes) -> Part:
    """The object that JSON text holds.

    Raises:
        BadHeader: If it is no JSON, holds a key twice, or is nested too deeply.
    """
    try:
        return Part(json.loads(data, object_pairs_hook=_unique, parse_constant=_refuse), "")
    except RecursionError:
        raise BadHeader("it is nested too deeply") from None
    except BadHeader:
        raise
    except ValueError as error:
        raise BadHeader(f"it is no JSON ({error})") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadHeader("a key is there twice")
    return found


def _refuse(constant: str) -> Any:
    raise BadHeader(f"{constant} is no number of JSON")
