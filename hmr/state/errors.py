"""What can go wrong with schemas, tables and frames."""

from __future__ import annotations

from instar.native.errors import InstarError


class SchemaError(InstarError):
    """An `Agents` class does not describe a table."""


class MigrationError(InstarError):
    """A running table cannot take a new schema without losing something.

    Attributes:
        table: The table.
        place: `file:line` where a `migrate` went wrong, or empty.
    """

    def __init__(self, message: str, table: str = "", *, place: str = "") -> None:
        super().__init__(message)
        self.table = table
        self.place = place


class TableError(InstarError):
    """A table was asked for something it cannot do; nothing in it has changed."""


class UnknownTableError(TableError, KeyError):
    """There is no table of that name."""

    __str__ = Exception.__str__


class CapacityError(TableError):
    """A table has no room for the rows asked for; none of them was spawned."""


class MemoryLimitError(TableError):
    """Memory is limited to fewer bytes than are asked for; nothing has changed."""


class FieldError(TableError, AttributeError):
    """A table has no field of that name."""


class FrameError(InstarError):
    """A frame is not held in the history."""
