"""Which rows of a table are to go, as people name them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from instar.hmr.state.errors import TableError
from instar.native import Despawns


def mark_doomed(doomed: Despawns, rows: npt.ArrayLike | slice, count: int, what: str) -> None:
    """Mark rows of a table that are to go.

    Args:
        doomed: Where.
        rows: A row, a slice, an array of rows, or a mask of ``count`` booleans.
        count: The table's rows.
        what: The table, for people.

    Raises:
        TableError: If a row does not exist or a mask has another length; none is marked.
    """
    if isinstance(rows, slice):
        doomed.mark_range(range(count)[rows], count)
        return
    given = np.atleast_1d(np.asarray(rows))
    if given.dtype == np.bool_:
        if given.shape != (count,):
            raise TableError(
                f"{what}.despawn: the mask has shape {given.shape}, the table {count} rows; nothing was removed"
            )
        doomed.mark_mask(np.ascontiguousarray(given))
    elif given.size:
        if given.dtype.kind not in "iu":
            raise TableError(f"{what}.despawn takes rows or a mask, not {given.dtype}; nothing was removed")
        wrong = doomed.mark_rows(np.require(given.reshape(-1), np.int64, ["C", "A"]), count)
        if wrong is not None:
            raise TableError(f"{what}.despawn: row {wrong} is not there (it has {count}); nothing was removed")
