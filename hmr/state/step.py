"""Steps of a migration."""

from __future__ import annotations


class Step(str):
    """One thing that a migration did: its text, for people, and what it was done to.

    Attributes:
        table: The table.
        column: The column; None if it was done to the table as a whole.
        rows: How many agents it has.
    """

    __slots__ = ("column", "rows", "table")

    table: str
    column: str | None
    rows: int

    def __new__(cls, text: str, table: str, column: str | None, rows: int) -> Step:
        """Make the step of a text."""
        step = super().__new__(cls, text)
        step.table, step.column, step.rows = table, column, rows
        return step

    def __getnewargs__(self) -> tuple[str, str, str | None, int]:  # type: ignore[override]
        """Have copies and pickles be steps too."""
        return str(self), self.table, self.column, self.rows
