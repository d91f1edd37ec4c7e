"""Fault injection for your own tests: memory that flips, files that tear, disks that fill up.

Example:
    >>> from instar import f32
    >>> from instar.hmr import StateManager
    >>> from instar.testing import flip_bit
    >>> state = StateManager()
    >>> boids = state.table("boids", {"x": f32})
    >>> _ = boids.spawn(100), state.commit()
    >>> flip_bit(state, "boids", "x", byte=17, bit=3)
    >>> state.validate(repair=True).faults[0].mended
    'from the live copy'
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from instar.hmr.state import Checkpoint, StateManager
from instar.hmr.state.checkpoint import writing
from instar.native import Column, InstarError
from instar.native.integrity import flip, flip_record

__all__ = ["flip_bit", "tear_file", "fail_after", "FileOperations", "InjectionError"]


class InjectionError(InstarError):
    """There is no such place to damage; nothing has changed."""


class _World(Protocol):
    @property
    def state(self) -> StateManager: ...


def flip_bit(
    state: StateManager | _World,
    table: str,
    column: str,
    *,
    byte: int,
    bit: int,
    where: str | Checkpoint = "committed",
) -> None:
    """Invert one bit of memory, as a cosmic ray or a stray pointer would: no checksum is told.

    Args:
        state: A state manager, or a `World`.
        table: The table.
        column: A field of it, or ``id``, ``slots``, ``free`` or ``header``, in which the table keeps itself.
        byte: Which byte: of the column's committed or live rows; of the records that the history holds and has not packed, from
            the oldest on; or of the column's stored blocks in a checkpoint.
        bit: Which bit of it; 0 is the lowest.
        where: ``"committed"``, ``"live"``, ``"crc"`` (the stored checksums, 8 bytes for each 16 KiB of the column),
            ``"history"`` (whose records have no columns, but for the whole frame), or a checkpoint.

    Raises:
        InjectionError: If there is no such memory, table, column, byte or bit.
    """
    manager = state if isinstance(state, StateManager) else state.state
    if not 0 <= bit < 8:
        raise InjectionError(f"bit={bit} is no bit of a byte: use 0 to 7. Nothing was changed")
    if isinstance(where, Checkpoint):
        _flip_checkpoint(where, table, column, byte, bit)
        return
    memory = _column(manager, table, column)
    if where == "history":
        history = manager._history  # noqa: SLF001 - faults come from where no interface leads
        _check_byte(byte, history.used_bytes - history.packed_bytes, "the history's records that are not packed")
        flip_record(history, byte, bit)
        return
    rooms = {"committed": memory.committed_extent, "live": memory.extent, "crc": 8 * len(memory.chunk_crcs())}
    if where not in rooms:
        raise InjectionError(
            f"where={where!r} is no memory: use {', '.join(map(repr, rooms))}, 'history' or a checkpoint. Nothing was changed"
        )
    _check_byte(byte, rooms[where], f"the {where} bytes of {table}.{column}")
    flip(memory, where, byte, bit)


def tear_file(path: str | os.PathLike[str], at: int | None = None, *, blank: int = 0) -> None:
    """Leave a file as a crash leaves one whose writes had not all reached the disk.

    Args:
        path: The file.
        at: Where it tears; its middle, if None.
        blank: 0 cuts the file off there; a number leaves its length, and that many bytes from there on as zeros, as a file
            system does with blocks that it had promised but not written.

    Raises:
        InjectionError: If the file does not reach to there.
    """
    file = Path(path)
    size = file.stat().st_size
    place = size // 2 if at is None else at
    _check_byte(place, size, str(file))
    with file.open("r+b") as torn:
        if blank:
            torn.seek(place)
            torn.write(bytes(min(blank, size - place)))
        else:
            torn.truncate(place)


@dataclass(slots=True)
class FileOperations:
    """What the saves inside a `fail_after` did.

    Attributes:
        done: The operations that succeeded, in order, such as ``create``, ``write``, ``sync``, ``replace``.
        failed: Those that were made to fail.
    """

    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@contextmanager
def fail_after(operations: int, *, error: OSError | None = None) -> Iterator[FileOperations]:
    """Make saves fail: so many file operations succeed, all later ones raise, as on a disk that is full from then on.

    It counts the operations of `save` and of autosaves on any thread. To test every way in which a save can fail, count them
    up until none has failed.

    Example:
        ``with fail_after(2): state.save("world.instar")`` raises CheckpointError, and the file is as it was.

    Args:
        operations: How many succeed.
        error: What the others raise; "no space left on device", if None.
    """
    failure = error or OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    seen = FileOperations()
    before = writing.before_operation

    def count(operation: str) -> None:
        before(operation)
        if len(seen.done) < operations:
            seen.done.append(operation)
            return
        seen.failed.append(operation)
        raise failure

    writing.before_operation = count
    try:
        yield seen
    finally:
        writing.before_operation = before


def _column(manager: StateManager, table: str, column: str) -> Column:
    tables = manager._catalog.guarded()  # noqa: SLF001
    if table not in tables:
        raise InjectionError(
            f"there is no table {table!r} (there are {', '.join(tables) or 'none'}). Nothing was changed"
        )
    found = {target.name: target.column for target in reversed([*tables[table].targets])}  # seen ones first
    if column not in found:
        raise InjectionError(f"{table} has no column {column!r} (it has {', '.join(found)}). Nothing was changed")
    return found[column]


def _flip_checkpoint(checkpoint: Checkpoint, table: str, column: str, byte: int, bit: int) -> None:
    columns = checkpoint.tables[table].columns if table in checkpoint.tables else ()
    packed = dict(zip((one.name for one in columns), checkpoint.columns.get(table, ()), strict=True)).get(column)
    if packed is None:
        raise InjectionError(f"{checkpoint!r} holds no column {table}.{column}. Nothing was changed")
    _check_byte(byte, packed.stored_bytes, f"the stored blocks of {table}.{column} in {checkpoint!r}")
    at = byte
    for number, block in enumerate(packed.blocks):
        if at < len(block.data):
            data = bytearray(block.data)
            data[at] ^= 1 << bit
            packed.blocks[number] = block._replace(data=bytes(data))
            return
        at -= len(block.data)


def _check_byte(byte: int, room: int, what: str) -> None:
    if not 0 <= byte < room:
        raise InjectionError(f"byte {byte:,} is not there: {what} are {room:,} bytes. Nothing was changed")
