"""Which pieces of a text have changed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from instar.hmr.code.compile.pieces.splitting import split

_MOST_CHANGES = 8
"""Changes that are looked for one by one."""
_MOST_LOST = 4
"""Pieces that are looked for behind one that changed."""


class Change(NamedTuple):
    """The pieces from `first` to the one before `last` have become others."""

    first: int
    last: int
    pieces: list[str]


def changes(pieces: Sequence[str], text: str) -> Iterator[Change]:
    """Yields what makes pieces those of a text, from first to last; all others stay as they are."""
    old = "".join(pieces)
    starts = list(accumulate(map(len, pieces), initial=0))
    at = place = 0  # where they are known to be the same, in the old text and in the new one
    for number in range(_MOST_CHANGES + 1):
        same = _same(old, at, text, place)
        if at + same == len(old) and place + same == len(text):
            return
        first = max(0, bisect_right(starts, at + same - 1) - 1)
        begin = place + starts[first] - at
        found = _found_again(pieces, first, text, begin) if number < _MOST_CHANGES else None
        if found is None:
            yield Change(first, len(pieces), split(text[begin:]))
            return
        last, place, new = found
        yield Change(first, last, new)
        at = starts[last]


def _found_again(pieces: Sequence[str], first: int, text: str, begin: int) -> tuple[int, int, list[str]] | None:
    """Returns the first piece that is in a text again, where it is, and the pieces that come before it there."""
    for index in range(first, min(first + _MOST_LOST, len(pieces))):
        piece = pieces[index]
        place = 0 if not begin and text.startswith(piece) else text.find("\n" + piece, max(0, begin - 1)) + 1
        if place > begin or (place == begin and index > first):
            new = split(text[begin : place + len(piece)])
            if new[-1] == piece:
                return index, place, new[:-1]
    return None


def _same(old: str, at: int, new: str, place: int) -> int:
    """Returns how many characters are the same from there."""
    low, high = 0, min(len(old) - at, len(new) - place)
    while low < high:
        middle = (low + high + 1) // 2
        if old[at + low : at + middle] == new[place + low : place + middle]:
            low = middle
        else:
            high = middle - 1
    return low
