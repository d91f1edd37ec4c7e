"""Who is near whom: pairs of points within a radius, and sums over them."""

from typing import final

import numpy as np
import numpy.typing as npt

@final
class CellList:
    """A uniform grid over points of a plane, whose scratch memory is kept from one use to the next.

    Use one from one thread at a time; it lets other threads run while it works.
    """

    def __init__(self) -> None: ...
    def count(
        self,
        x: npt.NDArray[np.float32],
        y: npt.NDArray[np.float32],
        width: float,
        height: float,
        periodic: bool,
        radius: float,
    ) -> int:
        """Find the ordered pairs (i, j), i != j, whose distance is less than a radius.

        Args:
            x: Places along x, float32, shape ``(n,)``; copied.
            y: Places along y, float32, shape ``(n,)``; copied.
            width: The world reaches from 0 to it along x.
            height: The same along y.
            periodic: Whether opposite edges are joined. Points outside are then wrapped into the world; else they are where
                they are. A point that is not finite is near nothing.
            radius: At most half the shorter side of a periodic world.

        Returns:
            The number of pairs.

        Raises:
            InstarError: If an array, a size or the radius is not possible.
        """
    def fill(
        self,
        first: npt.NDArray[np.int64],
        j: npt.NDArray[np.int32],
        dx: npt.NDArray[np.float32],
        dy: npt.NDArray[np.float32],
    ) -> None:
        """Write the pairs that `count` found last, grouped by i, in an order that depends on the points alone.

        Args:
            first: Where the pairs of each i begin, and the end of the last; int64, shape ``(n + 1,)``.
            j: The second point of each pair; int32, shape ``(pairs,)``.
            dx: The way from i to j along x, the shorter way round if periodic; float32, shape ``(pairs,)``.
            dy: The same along y.

        Raises:
            InstarError: If `count` was not called, or an array has the wrong dtype or size; nothing is written then.
        """

def segment_sum(values: npt.NDArray[np.float32], first: npt.NDArray[np.int64], out: npt.NDArray[np.float32]) -> None:
    """Sum each segment of values: ``out[i] = sum(values[first[i]:first[i + 1]])``, added up in order as doubles.

    Args:
        values: float32, shape ``(m,)``.
        first: Ascending bounds within ``0 … m``; int64, shape ``(n + 1,)``.
        out: float32, shape ``(n,)``.

    Raises:
        InstarError: If an array has the wrong dtype or size or the bounds do not fit; nothing is written then.
    """
