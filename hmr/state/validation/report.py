"""Reports: what a validation found, and how it was mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "crc",
    "live_differs",
    "past_end",
    "bounds",
    "not_finite",
    "not_bool",
    "reference",
    "id_index",
    "history",
    "checkpoint",
    "hook",
]

SHOWN_ROWS = 8
"""Rows that a fault of values names; it counts all of them."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it should be.

    Attributes:
        kind: ``crc`` (committed bytes and their checksum disagree), ``live_differs`` (live is not what was committed),
            ``past_end`` (bytes past the last row are not zero), ``bounds``, ``not_finite``, ``not_bool`` (values that the
            schema does not allow), ``reference`` (an id of nobody alive), ``id_index``, ``history``, ``checkpoint``,
            ``hook`` (a module's own `validate` raised).
        table: The table, the module of a hook, or "" for the history and checkpoints.
        column: The column: a field, or ``id``, ``slots``, ``free``, ``header`` of the table itself.
        chunk: The chunk of the column, or None where the fault is no chunk's.
        rows: The rows that are touched: all rows of a chunk, or the first few rows with bad values.
        count: How many rows or values are bad.
        frame: The committed frame in which it was found.
        what: What was wrong, for people.
        mended: How it was mended, for people; None if it was not.
        lost: Whether bytes are damaged and no source reproduces them.
    """

    kind: Kind
    table: str
    column: str
    frame: int
    what: str
    chunk: int | None = None
    rows: Sequence[int] = ()
    count: int = 1
    mended: str | None = None
    lost: bool = False

    def __str__(self) -> str:
        place = f"{self.table}.{self.column}" if self.column else self.table
        where = ", ".join(part for part in (place, f"frame {self.frame}", self._rows()) if part)
        return f"{where}: {self.what}; {self._verdict()}"

    def _rows(self) -> str:
        if not self.rows:
            return ""
        if isinstance(self.rows, range):
            return f"rows {self.rows[0]:,} to {self.rows[-1]:,}"
        more = " …" if self.count > len(self.rows) else ""
        return f"{'row' if len(self.rows) == 1 and not more else 'rows'} {', '.join(f'{row:,}' for row in self.rows)}{more}"

    def _verdict(self) -> str:
        if self.mended is not None:
            return f"mended: {self.mended}"
        return "lost: no source reproduces the checksum" if self.lost else "not mended"

    def document(self) -> dict[str, Any]:
        """The fault as plain data, for JSON."""
        return {
            "kind": self.kind,
            "table": self.table,
            "column": self.column,
            "chunk": self.chunk,
            "rows": [self.rows[0], self.rows[-1]] if self.rows else [],
            "count": self.count,
            "frame": self.frame,
            "what": self.what,
            "mended": self.mended,
            "lost": self.lost,
        }


@dataclass(slots=True)
class Report:
    """What one validation found.

    Attributes:
        frame: The committed frame with which it ended.
        faults: What was found, mended or not; empty means clean.
        bytes: The bytes of committed and live memory that were read for checksums.
        seconds: How long it took.
    """

    frame: int
    faults: list[Fault] = field(default_factory=list)
    bytes: int = 0
    seconds: float = 0.0

    @property
    def lost(self) -> list[Fault]:
        """The faults whose bytes nothing reproduces."""
        return [fault for fault in self.faults if fault.lost]

    def __str__(self) -> str:
        found = {0: "clean", 1: "1 fault"}.get(len(self.faults), f"{len(self.faults)} faults")
        head = f"validation of frame {self.frame}: {found}; {self.bytes / 1e6:,.1f} MB in {self.seconds * 1e3:,.2f} ms"
        return "\n".join([head, *(f"  {fault}" for fault in self.faults)])
