"""Values that a schema does not allow: told by kind, with the first rows and their number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from instar.hmr.state.validation.report import SHOWN_ROWS, Fault, Kind
from instar.hmr.state.validation.target import Target

Mask = npt.NDArray[np.bool_]


@dataclass(slots=True)
class _Found:
    rows: list[int] = field(default_factory=list)
    count: int = 0
    last: int = -1
    example: Any = None


class BadValues:
    """Gathers what is bad in one column, so that a column of a million bad values is one fault."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._found: dict[Kind, _Found] = {}

    def note(self, chunk: int) -> None:
        """Note the bad values of a chunk; chunks come in order."""
        rows = self._target.rows_of(chunk)
        cells = self._target.cells(rows)
        for kind, bad in self._masks(cells).items():
            found = self._found.setdefault(kind, _Found())
            where = np.flatnonzero(bad.any(axis=1))
            # A row that reaches over from the chunk before was noted there.
            where = where[where + rows.start > found.last]
            if where.size == 0:
                continue
            if found.count == 0:
                found.example = cells[where[0]][bad[where[0]]][0].item()
            found.rows += (where[: SHOWN_ROWS - len(found.rows)] + rows.start).tolist()
            found.count += where.size
            found.last = int(where[-1]) + rows.start

    def faults(self, frame: int) -> list[Fault]:
        """One fault for each kind of bad value."""
        target = self._target
        return [
            Fault(
                kind,
                target.table,
                target.name,
                frame,
                self._tell(kind, found),
                rows=tuple(found.rows),
                count=found.count,
            )
            for kind, found in self._found.items()
            if found.count
        ]

    def _masks(self, cells: npt.NDArray[Any]) -> dict[Kind, Mask]:
        declared = self._target.field
        assert declared is not None
        dtype = declared.type.dtype
        if dtype.kind == "b":
            return {"not_bool": cells > 1}
        strange = np.zeros(cells.shape, np.bool_)
        masks: dict[Kind, Mask] = {}
        if declared.finite:
            strange = masks["not_finite"] = ~np.isfinite(cells)
        if declared.min is not None or declared.max is not None:
            low = declared.min is not None and ~(cells >= dtype.type(declared.min))
            high = declared.max is not None and ~(cells <= dtype.type(declared.max))
            masks["bounds"] = (low | high) & ~strange
        return masks

    def _tell(self, kind: Kind, found: _Found) -> str:
        declared = self._target.field
        assert declared is not None
        rows = "1 row has" if found.count == 1 else f"{found.count:,} rows have"
        if kind == "not_bool":
            return f"{rows} a byte that is neither 0 nor 1 (such as {found.example})"
        if kind == "not_finite":
            return f"{rows} a value that is not finite (such as {found.example})"
        low = "" if declared.min is None else f" from {declared.min}"
        high = "" if declared.max is None else f" to {declared.max}"
        return f"{rows} a value outside the bounds{low}{high} (such as {found.example})"
