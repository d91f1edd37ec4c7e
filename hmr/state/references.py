"""`Ref["hawks"]`: columns whose values are ids of another table's agents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from instar.hmr.state.dtypes import ColumnType
from instar.hmr.state.errors import SchemaError

__all__ = ["Ref", "Reference", "reference_to"]


@dataclass(frozen=True, slots=True)
class Reference(ColumnType):
    """The type of a column of ids, dtype uint64; 0 means none.

    Attributes:
        target: The table whose ids they are.
    """

    target: str = ""

    def __getitem__(self, shape: int | tuple[int, ...]) -> Reference:
        """A cell of several references: `Ref["hawks"][2]` is a pair.

        Raises:
            SchemaError: If a length is not a positive whole number.
        """
        kind = ColumnType.__getitem__(self, shape)
        return Reference(self.name, self.dtype, kind.shape, self.target)

    def __str__(self) -> str:
        return ColumnType.__str__(self)

    __repr__ = __str__


def reference_to(table: str) -> Reference:
    """The type of a column of ids of a table.

    Raises:
        SchemaError: If it is no name of a table.
    """
    if not (isinstance(table, str) and table.isidentifier()):
        raise SchemaError(f'Ref[{table!r}] names no table: write its name as hooks do, such as Ref["hawks"]')
    return Reference(f'Ref["{table}"]', np.dtype(np.uint64), (), table)


class _Ref:
    """`Ref["hawks"]` is the type of a column of ids.

    A row holds the id of an agent of the table `hawks`, or 0 for none, and so follows that agent wherever it moves:
    ``hawks.rows_of(prey.target)``. The row reads 0 as soon as the agent's despawn has taken effect; an id of one that was gone
    before it was written reads 0 from the commit on.
    """

    def __getitem__(self, table: str) -> Reference:
        return reference_to(table)

    def __repr__(self) -> str:
        return "Ref"


if TYPE_CHECKING:
    # Of all that static checkers know, only this takes a name in quotes that is no type.
    from typing import Literal as Ref
else:
    Ref = _Ref()
