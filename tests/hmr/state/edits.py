from __future__ import annotations

import numpy as np

from instar.hmr.state import Migrator, Schema, StateManager
from instar.hmr.state.fields import make_field


def schema(table: str = "boids", capacity: int = 1000, was: str | None = None, **fields) -> Schema:
    """A schema; a field is a type, or a type with options."""
    ready = {}
    for name, kind in fields.items():
        kind, options = kind if isinstance(kind, tuple) else (kind, {})  # noqa: PLW2901
        ready[name] = make_field(name, kind, **options)
    return Schema.build(table, ready, capacity, was)


def layout(*schemas: Schema) -> dict[str, Schema]:
    return {one.table: one for one in schemas}


def asking(function, *tables: str) -> list[Migrator]:
    return [Migrator(frozenset(tables or ("boids",)), function)]


def everything(state: StateManager) -> dict:
    """All that is live, parked columns too."""
    return {
        "frame": state.frame,
        "frames": state.frames,
        "crc": state.crc,
        "layout": {name: (table.schema, list(table.schema.fields)) for name, table in state.tables.items()},
        "tables": {
            name: {
                "rows": len(table),
                "id": table._index.view(len(table)).tobytes(),
                "cells": {
                    lineage.key: np.ascontiguousarray(lineage.cells(0, len(table))).tobytes()
                    for lineage in table._columns.lineages()
                },
            }
            for name, table in state._catalog.all.items()
        },
    }


def is_settled(state: StateManager) -> bool:
    """Whether live is committed everywhere, and nothing is damaged."""
    faults = [fault for fault in state.validate().faults if fault.kind not in ("bounds", "not_finite")]
    return state.uncommitted is None and not faults
