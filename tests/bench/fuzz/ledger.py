"""What the agents' values must be, frame by frame: pure functions of how often each module has run and of what it declared."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from contents import FAUNA, FLORA, HATCH, NARROWER, ROWS, Content, half, salt

KEPT_FRAMES = 400
"""A rollback reaches back so far at most."""


@dataclass(frozen=True)
class Cells:
    """What a column of the flora holds: the default value, or what was written under the name that it had then.

    `steps` are the types that it has had since, in its order; each narrower one has made its values one more.
    """

    dtype: str
    default: float
    written: str | None = None
    steps: tuple[str, ...] = ()

    def to(self, dtype: str) -> Cells:
        """The same as another type."""
        return self if dtype == self.dtype else replace(self, dtype=dtype, steps=(*self.steps, self.dtype))


@dataclass(frozen=True)
class Entry:
    """The state of one module's table at the beginning of a frame.

    Attributes:
        runs: how often its `update` has run.
        cells: the fields besides those it always has, by name and type, parked ones too.
        names: the type of each field that is seen.
    """

    runs: int = 0
    cells: Mapping[tuple[str, str], Cells] = None  # type: ignore[assignment]
    names: Mapping[str, str] = None  # type: ignore[assignment]


class Ledger:
    """Follows the frames of one module."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._at: dict[int, Entry] = {}
        self._frame: int | None = None
        self._ran: Content | None = None
        self._kept: int | None = None
        self._counted = 0
        self._wrong: set[str] = set()

    def frame(self, frame: int, content: Content | None, said: Mapping[str, Any] | None) -> list[str]:
        """Notes that a frame was begun, and returns what is wrong in it.

        Args:
            frame: its number: one that was there before was voided or rolled back.
            content: what the module runs in it; None if it rests.
            said: what it reported, None if it rests.
        """
        entry = self._begin(frame)
        if content is not None:
            entry = _migrated(entry, content)
        self._at[frame] = entry
        self._frame, self._ran = frame, content
        self._at.pop(frame - KEPT_FRAMES, None)
        return [] if said is None else list(self._differences(entry, said))

    def start_over(self, said: Mapping[str, Any]) -> None:
        """After a defect: what the world says counts from now on."""
        assert self._frame is not None
        self._at[self._frame] = replace(self._at[self._frame], runs=said["n"])
        self._counted = said["count"] - said["n"]
        self._kept = said["kept"]

    def _begin(self, frame: int) -> Entry:
        if self._frame is None:
            return Entry(0 if frame == 0 else frame, {}, {})
        if frame <= self._frame:
            return self._at[frame]
        entry = self._at[self._frame]
        return entry if self._ran is None else _after(entry, self._ran)

    def _differences(self, entry: Entry, said: Mapping[str, Any]) -> Any:
        rows, core = _core(self._file, entry.runs)
        if said["n"] != entry.runs or not said["same_n"]:
            yield f"{self._file}: update has run {said['n']} times in the world, {entry.runs} times in frames"
        elif said["rows"] != rows:
            yield f"{self._file}: {said['rows']} rows, not {rows}"
        elif tuple(said["core"]) != core:
            yield f"{self._file}: uid, x or k of frame with {entry.runs} runs is not what it must be"
        if said["count"] != entry.runs + self._counted:
            yield f"{self._file}: the persisted count is {said['count']}, not {entry.runs + self._counted}"
        if said["kept"] != (self._kept or said["kept"]):
            yield f"{self._file}: what it keeps was made anew"
        self._kept = said["kept"]
        if not said["same_id"]:
            yield f"{self._file}: ids have changed or are not unique"
        if self._file == FLORA and said["n"] == entry.runs:
            expected = {name: [_named(dtype), _crc(entry.cells[name, dtype])] for name, dtype in entry.names.items()}
            for name in (expected.keys() | said["fields"].keys()) - self._wrong:
                if expected.get(name) != said["fields"].get(name):
                    self._wrong.add(name)  # told once
                    cells = entry.cells.get((name, entry.names.get(name, "")))
                    yield f"{self._file}: field {name} is not what it must be: {cells}, {said['fields'].get(name)}"


def _migrated(entry: Entry, content: Content) -> Entry:
    """The state after a swap: seen fields become those of the content."""
    wanted = {column.name: column.dtype for column in content.columns}
    if wanted == entry.names:
        return entry
    cells = dict(entry.cells)
    for column in content.columns:
        key = column.name, column.dtype
        before = entry.names.get(column.name)
        renamed = entry.names.get(column.was or "")
        if before is None and renamed is not None and key not in cells and column.was not in wanted:
            carried = cells[column.was or "", renamed]
            cells[key] = carried.to(column.dtype)
        elif before is not None and before != column.dtype:
            carried = cells[column.name, before]
            cells[key] = carried.to(column.dtype)
        elif key not in cells:
            cells[key] = Cells(column.dtype, column.default)
    return Entry(entry.runs, cells, wanted)


def _after(entry: Entry, content: Content) -> Entry:
    """The state after a frame in which the content ran."""
    cells = dict(entry.cells)
    for name in content.writes:
        key = name, entry.names[name]
        cells[key] = Cells(key[1], cells[key].default, written=name)
    return Entry(entry.runs + 1, cells, entry.names)


def _core(file: str, runs: int) -> tuple[int, tuple[int, int, int]]:
    first = HATCH * runs if file == FAUNA else 0
    uid = np.arange(first, first + ROWS, dtype=np.int64)
    born = np.where(uid < ROWS, 0, (uid - ROWS) // HATCH + 1)
    k = (uid % 97 + 1).astype(np.float64)
    x = (runs - born) * k
    return len(uid), (zlib.crc32(uid.tobytes()), zlib.crc32(x.tobytes()), zlib.crc32(k.tobytes()))


@cache
def _crc(cells: Cells) -> int:
    uid = np.arange(ROWS)
    name = cells.written
    values = np.full(ROWS, cells.default) if name is None else (uid + salt(name)) % 101 + half(name)
    dtypes = [*cells.steps, cells.dtype]
    values = values.astype(_named(dtypes[0]))
    for before, dtype in pairwise(dtypes):
        values = (values + (dtype in NARROWER.get(before, ()))).astype(_named(dtype))
    return zlib.crc32(values.tobytes())


def _named(dtype: str) -> str:
    return {"i16": "int16", "i32": "int32", "i64": "int64", "f32": "float32", "f64": "float64"}[dtype]
