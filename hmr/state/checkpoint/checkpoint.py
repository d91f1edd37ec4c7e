"""Checkpoints: a whole world at one frame, compressed, checksummed and self-describing."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from instar.hmr.metrics import Metrics
from instar.hmr.state.checkpoint.blocks import BLOCK_BYTES, BlockCodec, Bytes
from instar.hmr.state.checkpoint.errors import CheckpointError
from instar.hmr.state.checkpoint.header import Header, SavedTable
from instar.hmr.state.checkpoint.identity import check_index
from instar.hmr.state.checkpoint.layout import PREAMBLE, VERSION, check_preamble, file_bytes, lay_out, parse
from instar.hmr.state.checkpoint.packing import PackedColumn, pack, unpack, unpack_block, unpack_column
from instar.hmr.state.checkpoint.writing import write_atomically
from instar.native import CHUNK_BYTES, HistoryError, Snapshot

_worker = ThreadPoolExecutor(1, "instar-checkpoint")


class Checkpoint:
    """A world at one frame. What needs the compressed bytes waits until a worker has made them.

    Made by `StateManager.checkpoint`, or read from a file by `Checkpoint.read`.

    Attributes:
        frame: The frame.
        version: The version of its file format.
        meta: What the layer above remembers with it, plain JSON.
        tables: Rows, schema and columns of each table by name, parked ones too.
        source: What it is, for people: the file, or its frame.
    """

    def __init__(self, header: Header, columns: Future[list[PackedColumn]], source: str) -> None:
        self.frame = header.frame
        self.version = VERSION
        self.meta: Mapping[str, Any] = MappingProxyType(dict(header.meta))
        self.tables: Mapping[str, SavedTable] = MappingProxyType({table.name: table for table in header.tables})
        self.source = source
        self._header = header
        self._columns = columns

    @classmethod
    def take(cls, header: Header, snapshot: Snapshot, metrics: Metrics) -> Checkpoint:
        """Begin a checkpoint; a worker takes the snapshot's bytes and compresses them.

        Args:
            header: What the snapshot holds.
            snapshot: The committed bytes of the header's columns.
            metrics: Hear how long the worker took.

        Raises:
            CheckpointError: If the header's metadata is none that JSON can hold.
        """
        try:
            header = replace(header, meta=json.loads(json.dumps(dict(header.meta), allow_nan=False)))
        except (TypeError, ValueError, RecursionError) as error:
            raise CheckpointError(
                f"no checkpoint was taken: its metadata must be plain JSON values with texts as keys ({error})"
            ) from None
        packed = _worker.submit(_take_and_pack, header, snapshot, metrics)
        return cls(header, packed, f"the checkpoint of frame {header.frame}")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Checkpoint:
        """Read a file, without decompressing it yet.

        Raises:
            CheckpointError: If it cannot be read, is no checkpoint, of a newer version, or damaged.
        """
        source = os.fspath(path)
        return cls.from_bytes(_read(source), source)

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> Checkpoint:
        """Read the bytes of a file.

        Args:
            data: The bytes.
            source: Where they come from, for people.

        Raises:
            CheckpointError: If they are no checkpoint, of a newer version, or damaged.
        """
        header, columns = parse(memoryview(data), source)
        ready: Future[list[PackedColumn]] = Future()
        ready.set_result(columns)
        return cls(header, ready, source)

    @cached_property
    def _encoded(self) -> bytes:
        return self._header.encode()

    def __repr__(self) -> str:
        rows = ", ".join(f"{name}: {table.rows} rows" for name, table in self.tables.items())
        return f"<checkpoint of frame {self.frame}: {rows or 'no tables'}>"

    @property
    def columns(self) -> Mapping[str, Sequence[PackedColumn]]:
        """The stored columns by table, in the order of ``tables[name].columns``."""
        packed = iter(self._columns.result())
        return {name: [next(packed) for _ in table.columns] for name, table in self.tables.items()}

    @property
    def bytes(self) -> int:
        """The bytes it takes: those of its file."""
        return file_bytes(self._encoded, self._columns.result())

    @property
    def raw_bytes(self) -> int:
        """The bytes of the columns it stands for."""
        return sum(column.bytes for table in self.tables.values() for column in table.columns)

    def bytes_by_table(self) -> Mapping[str, int]:
        """The compressed bytes of each table; nothing as long as the worker has not made them."""
        if not self._columns.done() or self._columns.exception() is not None:
            return {}
        return {name: sum(column.stored_bytes for column in columns) for name, columns in self.columns.items()}

    def wait(self) -> None:
        """Return when the checkpoint is complete.

        Raises:
            CheckpointError: If the committed bytes turned out to be damaged; there is no checkpoint then.
        """
        self._columns.result()

    def verify(self) -> None:
        """Decompress everything and compare it with its checksums.

        Raises:
            CheckpointError: If something is damaged; names what and where.
        """
        self.contents()

    def contents(self) -> Mapping[str, Sequence[Bytes]]:
        """The verified bytes of all columns by table, in the order of ``tables[name].columns``.

        Raises:
            CheckpointError: If something is damaged, or rows and ids contradict each other; names what and where.
        """
        restored = iter(unpack(self._header, self._columns.result(), self.source))
        found = {name: [next(restored) for _ in table.columns] for name, table in self.tables.items()}
        for name, columns in found.items():
            check_index(self.tables[name], columns, self.source)
        return found

    def column(self, table: str, name: str) -> Bytes:
        """The verified bytes of one visible column, or of one of the index (``id``).

        Raises:
            KeyError: If there is no such column.
            CheckpointError: If it is damaged.
        """
        at, packed = self._find(table, name)
        column = self.tables[table].columns[at]
        return unpack_column(BlockCodec(), f"{table}.{name}", column, packed, self.source)

    def chunk(self, table: str, name: str, chunk: int) -> Bytes:
        """The verified bytes of one chunk of a column, filled up with zeros; raises as `column` does."""
        at, packed = self._find(table, name)
        column = self.tables[table].columns[at]
        block, start = divmod(chunk * CHUNK_BYTES, BLOCK_BYTES)
        if not 0 <= block < len(packed.blocks):
            raise KeyError(chunk)
        out = np.zeros(BLOCK_BYTES, np.uint8)
        unpack_block(BlockCodec(), f"{table}.{name}", column, packed, block, self.source, out)
        return out[start : start + CHUNK_BYTES]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the checkpoint to a file, which is complete and on the disk when this returns, or as it was before.

        Raises:
            CheckpointError: If it cannot be written; says why.
        """
        write_atomically(path, lay_out(self._encoded, self._columns.result()))

    def _find(self, table: str, name: str) -> tuple[int, PackedColumn]:
        for at, column in enumerate(self.tables[table].columns):
            if column.name == name and column.visible:
                return at, self.columns[table][at]
        raise KeyError(name)


def _take_and_pack(header: Header, snapshot: Snapshot, metrics: Metrics) -> list[PackedColumn]:
    try:
        taken = snapshot.take()
    except HistoryError as error:
        raise CheckpointError(f"no checkpoint of frame {header.frame} was made: {error}") from None
    with metrics.measure("compress", sum(column.bytes for table in header.tables for column in table.columns)):
        return pack(header, taken, snapshot.chunk_crcs)


def _read(path: str) -> bytes:
    """All bytes of a file that begins as a checkpoint and is as long as it says."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise CheckpointError(f"{path} is no ordinary file. Nothing was loaded")
            check_preamble(file.read(PREAMBLE.size) or b"", found.st_size, path)
            file.seek(0)
            return file.readall()
    except FileNotFoundError:
        raise CheckpointError(f"there is no file {path}. Nothing was loaded") from None
    except IsADirectoryError:
        raise CheckpointError(f"{path} is a folder, not a checkpoint. Nothing was loaded") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}. Nothing was loaded") from None
    except MemoryError:
        raise CheckpointError(
            f"there is no memory to read {path}. Nothing was loaded; free some and try again"
        ) from None
