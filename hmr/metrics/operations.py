"""Metrics: how long each operation of a state manager takes, and on how many bytes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

from instar.hmr.metrics.series import Series

OPERATIONS = ("commit", "diff", "validate", "compress", "checkpoint", "restore")
"""What is measured."""

WINDOW = 1024
"""How many of the last operations of a kind percentiles look at."""


class Metrics(Mapping[str, Mapping[str, Any]]):
    """Per operation ``{"count": …, "seconds": {"p50": …, "p99": …}, "bytes": {"p50": …, "p99": …}}``, over the last `WINDOW`.

    The bytes are those that a commit found changed; that a diff or a validation read; that a compression or a checkpoint
    stands for, before it is compressed; that a restore brought back. An operation that raised does not count.

    The memory it takes is fixed. It can be written and read from any thread.
    """

    def __init__(self) -> None:
        self._operations = {name: (Series(WINDOW), Series(WINDOW)) for name in OPERATIONS}
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        with self._lock:
            times, sizes = self._operations[name]
            count = len(times)
            middle, high = times.percentiles(50, 99)
            middle_size, high_size = sizes.percentiles(50, 99)
        return {
            "count": count,
            "seconds": {"p50": middle / 1e9, "p99": high / 1e9},
            "bytes": {"p50": int(middle_size), "p99": int(high_size)},
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self._operations)

    def __len__(self) -> int:
        return len(self._operations)

    def add(self, name: str, seconds: float, size: int) -> None:
        """Note an operation.

        Args:
            name: One of `OPERATIONS`.
            seconds: How long it took.
            size: How many bytes it was about.
        """
        with self._lock:
            times, sizes = self._operations[name]
            times.add(int(seconds * 1e9))
            sizes.add(size)

    def measure(self, name: str, size: int = 0) -> Measurement:
        """Take the time of an operation: ``with metrics.measure("restore") as measured: …``.

        Args:
            name: One of `OPERATIONS`.
            size: How many bytes it is about; ``measured.size`` where that is known only inside.
        """
        return Measurement(self, name, size)


class Measurement:
    """One operation while it goes on.

    Attributes:
        size: How many bytes it is about.
    """

    __slots__ = ("_began", "_metrics", "_name", "size")

    def __init__(self, metrics: Metrics, name: str, size: int) -> None:
        self._metrics = metrics
        self._name = name
        self._began = 0.0
        self.size = size

    def __enter__(self) -> Measurement:
        self._began = time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self._metrics.add(self._name, time.perf_counter() - self._began, self.size)
