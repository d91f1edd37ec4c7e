"""Agents and values that differ between two frames, as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instar.hmr.state.ids import Ids

Cells = npt.NDArray[Any]

SHOWN = 3
"""How many agents are shown of each column, and of those that came or went."""

_ELEMENTS = 4
"""How many numbers of a cell are shown."""


@dataclass(frozen=True, slots=True, eq=False)
class RowSet:
    """Agents that are in one of two frames only.

    Attributes:
        ids: Their ids, uint64, in order of their rows.
        columns: Their values by field, arrays of shape ``(len(ids), *cell)``.
    """

    ids: Ids
    columns: Mapping[str, Cells]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, name: str) -> Cells:
        return self.columns[name]

    def lines(self) -> Iterator[str]:
        """The first agents with their values, for people."""
        for at in range(min(SHOWN, len(self))):
            values = ", ".join(f"{name}={_shown(cells[at])}" for name, cells in self.columns.items())
            yield f"id {self.ids[at]}  {values}".rstrip()
        if len(self) > SHOWN:
            yield f"… {len(self) - SHOWN:,} more"


@dataclass(frozen=True, slots=True, eq=False)
class CellChanges:
    """Values of one field that are not the same bytes in two frames, of agents that are in both.

    Attributes:
        ids: The agents' ids, uint64, in order of their rows in the second frame.
        old: Their values in the first frame, shape ``(len(ids), *cell)``.
        new: Their values in the second frame, likewise; of another dtype where an edit changed it.
    """

    ids: Ids
    old: Cells
    new: Cells

    def __len__(self) -> int:
        return len(self.ids)

    def __str__(self) -> str:
        shown = [
            f"id {self.ids[at]} {_shown(self.old[at])} → {_shown(self.new[at])}" for at in range(min(SHOWN, len(self)))
        ]
        more = [f"… {len(self) - SHOWN:,} more"] if len(self) > SHOWN else []
        return f"{len(self):,} changed: {', '.join([*shown, *more])}"


def _shown(cell: Any) -> str:
    """A cell; of a long one the first numbers."""
    if not isinstance(cell, np.ndarray):
        return f"{cell:g}" if isinstance(cell, np.floating) else str(cell)
    flat = cell.reshape(-1)
    return f"({', '.join(map(_shown, flat[:_ELEMENTS]))}{', …' if len(flat) > _ELEMENTS else ''})"
