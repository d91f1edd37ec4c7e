"""The persisted values of a checkpoint."""

from __future__ import annotations

from typing import Any

from instar.hmr.state.checkpoint import Checkpoint
from instar.hmr.state.checkpoint.errors import damaged
from instar.hmr.state.persistence.plain import NotTold, decode
from instar.hmr.state.persistence.records import parse
from instar.hmr.state.persistence.storage import SCHEMA


def saved_values(checkpoint: Checkpoint) -> dict[str, Any]:
    """The persisted values that a checkpoint holds, by key; none if it is of a world without.

    Raises:
        CheckpointError: If they are damaged, or no such values.
    """
    saved = checkpoint.tables.get(SCHEMA.table)
    if saved is None:
        return {}
    if saved.schema.fields != SCHEMA.fields or saved.visible:
        raise damaged(checkpoint.source, f"its table {SCHEMA.table} is not one of persisted values")
    try:
        values, _ = parse(bytes(checkpoint.column(SCHEMA.table, "data").data))
        return {key: decode(encoded) for key, encoded in values.items()}
    except NotTold as error:
        raise damaged(checkpoint.source, f"its persisted values make no sense: {error}") from None
