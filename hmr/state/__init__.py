"""Tables of agents that outlive the code that declared them."""

from __future__ import annotations

from instar.hmr.state.checkpoint import Checkpoint, CheckpointError
from instar.hmr.state.commit import Commit
from instar.hmr.state.diff import CellChanges, Diff, RowSet, TableDiff
from instar.hmr.state.dtypes import ColumnType, f32, f64, i8, i16, i32, i64, u8, u16, u32, u64
from instar.hmr.state.errors import (
    CapacityError,
    FieldError,
    FrameError,
    MemoryLimitError,
    MigrationError,
    SchemaError,
    TableError,
    UnknownTableError,
)
from instar.hmr.state.fields import Field, field
from instar.hmr.state.manager import StateManager
from instar.hmr.state.memory import MemoryUse
from instar.hmr.state.migration.hook import Migrator
from instar.hmr.state.persistence import Persisted, PersistedValues, PersistError, UnknownValueError
from instar.hmr.state.probation import BadValue, Mark
from instar.hmr.state.references import Ref
from instar.hmr.state.schema import Agents, Schema, snake_case
from instar.hmr.state.step import Step
from instar.hmr.state.table import Table
from instar.hmr.state.validation import DamageError, Fault, Report, Validator

__all__ = [
    "StateManager",
    "Table",
    "Commit",
    "Checkpoint",
    "Diff",
    "TableDiff",
    "RowSet",
    "MemoryUse",
    "MemoryLimitError",
    "CellChanges",
    "Agents",
    "Schema",
    "Field",
    "field",
    "snake_case",
    "ColumnType",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "u8",
    "u16",
    "u32",
    "u64",
    "Ref",
    "Persisted",
    "PersistedValues",
    "PersistError",
    "UnknownValueError",
    "SchemaError",
    "MigrationError",
    "Migrator",
    "Step",
    "TableError",
    "CapacityError",
    "FieldError",
    "UnknownTableError",
    "FrameError",
    "CheckpointError",
    "DamageError",
    "Mark",
    "BadValue",
    "Fault",
    "Report",
    "Validator",
]
