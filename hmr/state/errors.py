"""What can go wrong with schemas, tables and frames."""

from __future__ import annotations

from instar.native.errors import InstarError


class SchemaError(InstarError):
    """An `Agents` class does not describe a table."""


class MigrationError(InstarError):
    """A running table cannot take a new schema without losing something."""


class TableError(InstarError):
    """A table was asked for something it cannot do; nothing in it has changed."""


class CapacityError(TableError):
    """A table has no room for the rows asked for; none of them was spawned."""


class FieldError(TableError, AttributeError):
    """A table has no field of that name."""


class FrameError(InstarError):
    """A frame is not held in the history."""
