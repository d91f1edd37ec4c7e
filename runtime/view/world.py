"""A small picture of a world's agents."""

from __future__ import annotations

import numpy as np

from instar.hmr.state import Schema
from instar.view.braille import braille
from instar.world import World


def picture(world: World, columns: int, rows: int) -> list[str] | None:
    """The agents of all tables that have scalar columns ``x`` and ``y``, as braille; None where there is no such table.

    Args:
        world: The world.
        columns: Of the picture, in characters.
        rows: Of the picture, in characters.
    """
    placed = [table for table in world.tables.values() if _has_place(table.schema)]
    if not placed:
        return None
    x = np.concatenate([table.x for table in placed])
    y = np.concatenate([table.y for table in placed])
    return braille(x, y, world.space.width, world.space.height, columns, rows)


def _has_place(schema: Schema) -> bool:
    return all(name in schema.fields and not schema.fields[name].type.shape for name in ("x", "y"))
