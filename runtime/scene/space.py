"""The space agents move in, and who is near whom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from instar.native import CellList, InstarError, segment_sum

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]


class SpaceError(InstarError):
    """The space was asked for something it cannot do."""


@dataclass(frozen=True)
class Neighbours:
    """Every ordered pair of agents nearer than a radius, grouped by the first of the two.

    Attributes:
        first: Where each agent's pairs begin, int64, shape ``(agents + 1,)``.
        j: The row of each pair's second agent, int32, shape ``(pairs,)``.
        dx: The way from the first to the second along x, float32, shape ``(pairs,)``; on a torus the shorter way round.
        dy: The same along y.
    """

    first: npt.NDArray[np.int64]
    j: Rows
    dx: Floats
    dy: Floats

    @cached_property
    def count(self) -> npt.NDArray[np.int64]:
        """How many neighbours each agent has, int64, shape ``(agents,)``."""
        return np.diff(self.first)

    @cached_property
    def i(self) -> Rows:
        """The row of each pair's first agent, int32, shape ``(pairs,)``."""
        return np.repeat(np.arange(len(self.first) - 1, dtype=np.int32), self.count)

    @cached_property
    def distance2(self) -> Floats:
        """The squared distance of each pair, float32, shape ``(pairs,)``."""
        return self.dx * self.dx + self.dy * self.dy

    def sum(self, values: npt.ArrayLike) -> Floats:
        """Sum a value of each pair over every agent's pairs.

        Args:
            values: One number per pair, shape ``(pairs,)``.

        Returns:
            float32, shape ``(agents,)``; 0 for an agent without neighbours.

        Raises:
            SpaceError: If there is not one value per pair.
        """
        terms = np.ascontiguousarray(values, np.float32)
        if terms.shape != self.j.shape:
            raise SpaceError(
                f"sum needs one number for each of the {len(self.j)} pairs; it was given shape {terms.shape}"
            )
        out = np.empty(len(self.first) - 1, np.float32)
        segment_sum(terms, self.first, out)
        return out


class Space:
    """A rectangle from (0, 0) to (width, height); a torus joins its opposite edges.

    Attributes:
        kind: ``torus`` or ``box``.
        width: Its extent along x, in the scene's unit of length.
        height: Its extent along y.
    """

    def __init__(self, kind: str, width: float, height: float) -> None:
        self.kind = kind
        self.width = width
        self.height = height
        self._cells = CellList()

    def reshape(self, kind: str, width: float, height: float) -> None:
        """Be another space from now on; agents stay where they are."""
        self.kind, self.width, self.height = kind, width, height

    def __repr__(self) -> str:
        return f"<{self.kind} {self.width:g} × {self.height:g}>"

    def neighbours(self, agents: Any, radius: float, *, among: Any = None) -> Neighbours:
        """All pairs of agents nearer to each other than a radius.

        Args:
            agents: A table with the columns ``x`` and ``y``, or a pair of arrays ``(x, y)``.
            radius: In the scene's unit of length; on a torus at most half its shorter side.
            among: Where the second of each pair comes from, given like ``agents``; the agents themselves, if None.

        Raises:
            SpaceError: If the agents have no x and y, or these differ in length.
            InstarError: If the radius is not possible.
        """
        if not isinstance(radius, int | float | np.number):
            raise SpaceError(f"space.neighbours needs a number for its radius, not {radius!r}")
        x, y = _places(agents)
        if among is None:
            return self._pairs(x, y, radius)
        other_x, other_y = _places(among)
        both = self._pairs(np.concatenate((x, other_x)), np.concatenate((y, other_y)), radius)
        return _between(both, len(x))

    def _pairs(self, x: Floats, y: Floats, radius: float) -> Neighbours:
        pairs = self._cells.count(x, y, self.width, self.height, self.kind == "torus", radius)
        found = Neighbours(
            np.empty(len(x) + 1, np.int64),
            np.empty(pairs, np.int32),
            np.empty(pairs, np.float32),
            np.empty(pairs, np.float32),
        )
        self._cells.fill(found.first, found.j, found.dx, found.dy)
        return found


def _places(agents: Any) -> tuple[Floats, Floats]:
    try:
        x, y = agents if isinstance(agents, tuple) else (agents.x, agents.y)
    except AttributeError as error:
        raise SpaceError(f"space.neighbours needs columns x and y: {error}") from None
    places = np.ascontiguousarray(x, np.float32), np.ascontiguousarray(y, np.float32)
    if places[0].shape != places[1].shape or places[0].ndim != 1:
        raise SpaceError(
            f"space.neighbours needs x and y of one length; they have shapes {np.shape(x)} and {np.shape(y)}"
        )
    return places


def _between(both: Neighbours, agents: int) -> Neighbours:
    """The pairs whose first is one of the first ``agents`` rows and whose second is not; ``j`` counts from there."""
    until = int(both.first[agents])
    other = both.j[:until] >= agents
    first = np.concatenate(([0], np.cumsum(other)))[both.first[: agents + 1]]
    return Neighbours(first, both.j[:until][other] - agents, both.dx[:until][other], both.dy[:until][other])
