"""Values that go bad in the frames after an edit, found in the commit that makes them so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from instar.hmr.state.validation.target import Guarded, Target
from instar.native import CHUNK_BYTES, Column
from instar.native.integrity import Bounds, count_outside, dangling, seen_outside, watch

Number = int | float
_NO_ROW = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class BadValue:
    """A value that was good when its edit was swapped in, and is bad now.

    Attributes:
        kind: ``not_finite``, ``bounds``, ``not_bool`` or ``reference``.
        table: The table.
        column: The column.
        row: The first such row.
        id: The id of the agent in it.
        value: The value.
        count: How many of the column's elements are bad.
        frame: The frame in which it was committed.
        what: What is wrong with it, for people.
    """

    kind: Literal["not_finite", "bounds", "not_bool", "reference"]
    table: str
    column: str
    row: int
    id: int
    value: Number
    count: int
    frame: int
    what: str

    def __str__(self) -> str:
        others = f", one of {self.count:,} such values" if self.count > 1 else ""
        return (
            f"{self.table}.{self.column} of row {self.row:,} (id {self.id}) became {self.value} in frame {self.frame}"
            f"{others}: {self.what}"
        )


@dataclass(frozen=True, slots=True)
class _Range:
    """What the elements of a column are held against."""

    element: str
    low: Number
    high: Number

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.element, self.low, self.high)

    def outside(self, cells: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        return ~((cells >= self.low) & (cells <= self.high))


@dataclass(slots=True)
class _Watched:
    """A column under watch.

    Attributes:
        target: The column.
        ids: The column of its table's ids.
        slots: The slots of the table that its values refer to, if they are ids.
        ranges: What its elements are held against; if the first does not hold for the values before, the next one that does.
    """

    target: Target
    ids: Column
    slots: Column | None = None
    ranges: list[_Range] = field(default_factory=list)

    def begin(self) -> None:
        """Have commits look."""
        watch(self.target.column, self.ranges[0].bounds if self.ranges else None)


class Watch:
    """Watches the values of all visible columns.

    Commits look at what they change, so that nothing is read twice; only where they find something are the values of that
    column before the edit looked up. A column that held bad values of a kind then may hold more of them.
    """

    def __init__(self, tables: Mapping[str, Guarded], before: Callable[[Column], Any]) -> None:
        """Begin to watch.

        Args:
            tables: The tables as they are from now on.
            before: Gives the committed bytes of a column as they are now, later.
        """
        self._before = before
        self._watched = [one for table in tables.values() for one in _columns_of(table, tables)]
        for one in self._watched:
            one.begin()

    def end(self) -> None:
        """Watch no more."""
        for one in self._watched:
            watch(one.target.column, None)
        self._watched = []

    def fault(self, frame: int) -> BadValue | None:
        """What has gone bad since this was last asked; None if nothing has.

        Args:
            frame: The frame that was committed last.
        """
        found = None
        for one in self._watched:
            chunk = seen_outside(one.target.column)
            if chunk is not None and found is None:
                found = self._judge(one, frame) if one.slots is None else self._judge_reference(one, one.slots, frame)
        return found

    def _judge(self, one: _Watched, frame: int) -> BadValue | None:
        before = self._before(one.target.column)
        while one.ranges and count_outside(before, one.ranges[0].bounds):
            del one.ranges[0]
        one.begin()
        return _find(one, one.ranges[0], frame) if one.ranges else None

    def _judge_reference(self, one: _Watched, slots: Column, frame: int) -> BadValue | None:
        column, count = one.target.column, slots.committed_extent // 8
        known = np.frombuffer(slots.committed, np.uint64, count)
        if _has_strays(np.frombuffer(self._before(column), np.uint64), known):
            one.slots = None  # Such ids were there before; with nothing to be held against, they are looked at no more.
            return None
        bad, place = dangling(column, 0, column.committed_extent // 8, slots, count)
        if not bad:
            return None
        value = int(np.frombuffer(column.committed, np.uint64, 1, 8 * place)[0])
        what = f"no agent of {one.target.refers_to} has or had that id"
        return _bad(one, "reference", place * 8 // one.target.row_bytes, value, bad, frame, what)


def _columns_of(table: Guarded, tables: Mapping[str, Guarded]) -> list[_Watched]:
    ids = table.ids.column
    found = []
    for target in table.fields:
        if target.refers_to in tables and target.refers_to is not None:
            found.append(_Watched(target, ids, tables[target.refers_to].slots.column))
        elif ranges := _ranges_of(target):
            found.append(_Watched(target, ids, ranges=ranges))
    return found


def _ranges_of(target: Target) -> list[_Range]:
    """What a column's elements are held against."""
    declared = target.field
    assert declared is not None
    return [] if declared.target is not None else [*_ranges(declared.type.dtype, declared.min, declared.max)]


@cache
def _ranges(dtype: np.dtype[Any], low: float | None, high: float | None) -> Sequence[_Range]:
    """Finite and within bounds; else finite; else within bounds."""
    if dtype.kind == "b":
        return (_Range("bool", 0, 1),)
    name = f"{dtype.kind}{8 * dtype.itemsize}"
    info: Any = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    number = float if dtype.kind == "f" else int
    least = None if low is None else number(dtype.type(low))
    most = None if high is None else number(dtype.type(high))
    every = _Range(name, number(info.min), number(info.max))
    lowest = every.low if least is None else max(least, every.low)
    tight = _Range(name, lowest, every.high if most is None else min(most, every.high))
    if dtype.kind != "f":
        return () if tight == every else (tight,)
    wide = _Range(name, -np.inf if least is None else least, np.inf if most is None else most)
    return (tight,) if tight == every else (tight, every, wide)


def _find(one: _Watched, allowed: _Range, frame: int) -> BadValue | None:
    """The first element of a column that lies outside a range."""
    target = one.target
    rows = target.column.committed_extent // target.row_bytes
    count = count_outside(target.column.committed[: rows * target.row_bytes], allowed.bounds)
    step = max(1, CHUNK_BYTES // target.row_bytes)
    for start in range(0, rows if count else 0, step):
        cells = target.cells(range(start, min(start + step, rows)))
        outside = allowed.outside(cells)
        if outside.any():
            row, element = (int(part[0]) for part in np.nonzero(outside))
            return _out_of_range(one, allowed, start + row, cells[row, element].item(), count, frame)
    return None


def _out_of_range(one: _Watched, allowed: _Range, row: int, value: Number, count: int, frame: int) -> BadValue:
    declared = one.target.field
    assert declared is not None
    if allowed.element == "bool":
        return _bad(one, "not_bool", row, value, count, frame, "a bool is 0 or 1")
    if not np.isfinite(value):
        return _bad(
            one, "not_finite", row, value, count, frame, "all its values were finite when the edit was swapped in"
        )
    low = "" if declared.min is None else f" from {declared.min}"
    high = "" if declared.max is None else f" to {declared.max}"
    what = f"all its values were within the bounds{low}{high} when the edit was swapped in"
    return _bad(one, "bounds", row, value, count, frame, what)


def _bad(one: _Watched, kind: Any, row: int, value: Number, count: int, frame: int, what: str) -> BadValue:
    agent = int(np.frombuffer(one.ids.committed, np.uint64, 1, 8 * row)[0])
    return BadValue(kind, one.target.table, one.target.name, row, agent, value, count, frame, what)


def _has_strays(ids: npt.NDArray[np.uint64], slots: npt.NDArray[np.uint64]) -> bool:
    """Whether there are ids among some that were never given, as a table's slots tell."""
    given = ids[ids != 0] - np.uint64(1)
    slot = given & _NO_ROW
    if bool((slot >= slots.size).any()):
        return True
    entries, generation = slots[slot.astype(np.int64)], given >> np.uint64(32)
    later = generation > entries >> np.uint64(32)
    free = (generation == entries >> np.uint64(32)) & (entries & _NO_ROW == _NO_ROW)
    return bool((later | free).any())
