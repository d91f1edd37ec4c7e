"""The memory account: bytes by table and purpose.

Memory counts where it is resident: whole pages, as far as a column's extent reaches. What is only reserved costs nothing, and
pages that agents left behind when they went are not counted.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from instar.hmr.state.aging import Timeline
from instar.hmr.state.memory.units import shown_size
from instar.hmr.state.table import Table
from instar.native import CHUNK_BYTES, Column, History

PURPOSES = ("live", "committed", "history", "cold", "checkpoints", "indexes")
"""What memory is for: cells that modules write; cells as of the last commit, with checksums; deltas that undo and redo; old
ones of them and committed cells that nothing changes, packed; checkpoints that somebody keeps; ids, slots, free lists and
row counts."""

SHARED = "(shared)"
"""What stands in place of a table for bytes that belong to none."""


class Kept(Protocol):
    """A checkpoint that somebody keeps."""

    def bytes_by_table(self) -> Mapping[str, int]:
        """Its compressed bytes of each table."""


@dataclass(frozen=True, slots=True, eq=False)
class MemoryUse(Mapping[str, Mapping[str, int]]):
    """Bytes by table and purpose at one moment: ``memory["boids"]["live"]``; ``print(memory)`` shows them.

    Attributes:
        tables: By table, parked ones too, and for `SHARED`, the bytes of each of the `PURPOSES`.
        limit: The most bytes there may be, or None.
    """

    tables: Mapping[str, Mapping[str, int]]
    limit: int | None

    def __getitem__(self, name: str) -> Mapping[str, int]:
        return self.tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)

    @property
    def total(self) -> int:
        """All bytes."""
        return sum(self.purposes.values())

    @property
    def purposes(self) -> dict[str, int]:
        """The bytes of each purpose."""
        return {purpose: sum(sizes[purpose] for sizes in self.tables.values()) for purpose in PURPOSES}

    def document(self) -> dict[str, Any]:
        """The account as plain JSON values, in bytes."""
        tables = {name: dict(sizes) for name, sizes in self.tables.items()}
        return {"total": self.total, "limit": self.limit, "purposes": self.purposes, "tables": tables}

    def __str__(self) -> str:
        rows = [*self.tables.items(), ("total", self.purposes)]
        width = max(len(name) for name, _ in rows)
        lines = [f"{'':<{width}}" + "".join(f"{head:>12}" for head in (*PURPOSES, "total"))]
        for name, sizes in rows:
            cells = (*(sizes[purpose] for purpose in PURPOSES), sum(sizes.values()))
            lines.append(f"{name:<{width}}" + "".join(f"{shown_size(size):>12}" for size in cells))
        if self.limit is not None:
            lines.append(f"limit {shown_size(self.limit)}")
        return "\n".join(lines)


class MemoryAccount:
    """Counts what one state takes.

    Args:
        tables: All its tables, parked ones too, by name.
        history: Its history.
        checkpoints: The checkpoints that somebody keeps.
    """

    def __init__(
        self,
        tables: Callable[[], Mapping[str, Table]],
        history: Timeline,
        checkpoints: Callable[[], Iterable[Kept]],
    ) -> None:
        self._tables = tables
        self._history = history
        self._checkpoints = checkpoints

    def measure(self, limit: int | None) -> MemoryUse:
        """The bytes by table and purpose; walks the whole history."""
        tables = self._tables()
        found = {name: _of_table(table) for name, table in tables.items()}
        shared = found[SHARED] = dict.fromkeys(PURPOSES, 0)
        shared |= self._of_history()
        owners = {column: name for name, table in tables.items() for column in table._native_columns()}  # noqa: SLF001
        in_ring = History.bytes_by_column(self._history)
        for column, size in self._history.bytes_by_column().items():
            recent = in_ring.get(column, 0)
            table = found[owners.get(column, SHARED)]
            for purpose, count in (("history", recent), ("cold", size - recent)):
                shared[purpose] -= count
                table[purpose] += count
        for checkpoint in self._checkpoints():
            for name, size in checkpoint.bytes_by_table().items():
                found.get(name, shared)["checkpoints"] += size
        return MemoryUse(found, limit)

    def purposes(self) -> dict[str, int]:
        """The bytes of each purpose, at a price that each frame can pay."""
        found = dict.fromkeys(PURPOSES, 0)
        for table in self._tables().values():
            for purpose, size in _of_table(table).items():
                found[purpose] += size
        for purpose, size in self._of_history().items():
            found[purpose] += size
        found["checkpoints"] = sum(sum(one.bytes_by_table().values()) for one in self._checkpoints())
        return found

    def _of_history(self) -> dict[str, int]:
        packed = self._history.packed_bytes
        return {"history": self._history.used_bytes - packed, "cold": packed}

    def needed(self) -> int:
        """The bytes of checkpoints, and of tables once their rows are committed."""
        tables = sum(bytes_of_rows(table, len(table)) for table in self._tables().values())
        return tables + sum(sum(one.bytes_by_table().values()) for one in self._checkpoints())


def bytes_of_rows(table: Table, rows: int) -> int:
    """The bytes that a table takes once it has so many rows, and they are committed; without history and checkpoints."""
    slots = 8 * max(rows, table._index.slots_used)  # noqa: SLF001 - an account and its tables are one concept in several files
    extents = [slots, 8 * rows, 4 * rows, *(rows * lineage.row_bytes for lineage in table._columns.lineages())]  # noqa: SLF001
    return sum(2 * _pages(extent) + _checksums(extent) for extent in extents)


def _of_table(table: Table) -> dict[str, int]:
    found = dict.fromkeys(PURPOSES, 0)
    for column in table._roots.native:  # noqa: SLF001
        found["indexes"] += _pages(column.extent) + _committed(column)
    for lineage in table._columns.lineages():  # noqa: SLF001
        found["live"] += _pages(len(table) * lineage.row_bytes)
        found["committed"] += _committed(lineage.column)
        found["cold"] += 0 if lineage.column.packed is None else lineage.column.packed.stored_bytes
    return found


def _committed(column: Column) -> int:
    resident = _pages(column.committed_extent) if column.packed is None else 0
    return resident + _checksums(column.committed_extent)


def _checksums(extent: int) -> int:
    return _pages(8 * -(-extent // CHUNK_BYTES))


def _pages(extent: int) -> int:
    return -(-extent // mmap.PAGESIZE) * mmap.PAGESIZE
