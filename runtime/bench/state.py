"""`instar bench state`: a commit beside memcpy of the same bytes and NumPy doing the same job, in one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from instar.hmr.state import StateManager, f32
from instar.native import LINE_BYTES, Column, History, crc64, isa

SIZES = (64_000, 6_400_000, 64_000_000)
CHANGED = (0.0, 0.01, 0.1, 1.0)
FLOATS_PER_LINE = LINE_BYTES // 4
ROUND_BYTES = 400_000_000
"""Bytes that the rounds of one row add up to."""

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


def measure() -> dict[str, Any]:
    """Every row of the benchmark.

    Commit, memcpy and NumPy of the same bytes are timed one after the other, each in rounds of its own; a row has the
    medians. Each round begins with the mutation, not timed, which leaves the changed lines in cache where they fit.
    History has its default budget of 256 MB, whose first lap touches fresh pages.
    """
    rows = [row for size in SIZES for changed in CHANGED for row in _rows(size, changed)]
    return {"isa": isa(), "rows": rows, "validate": [_validate_row(size) for size in SIZES]}


def _validate_row(size: int) -> dict[str, Any]:
    """How fast the checksum of so many bytes is computed, beside awscrt's of the same bytes where it is installed."""
    data = np.random.default_rng(1).integers(0, 255, size, np.uint8)
    row = {"bytes": size, "gb_per_s": _gb_per_s(size, lambda: crc64(data))}
    if find_spec("awscrt") is not None:
        peer = import_module("awscrt.checksums").crc64nvme
        whole = data.tobytes()
        row["awscrt_gb_per_s"] = _gb_per_s(size, lambda: peer(whole))
    return row


def _gb_per_s(size: int, action: Callable[[], object]) -> float:
    rounds = max(5, min(400, ROUND_BYTES // 4 // size))
    return round(size / statistics.median(_timed(action) for _ in range(rounds)) / 1e9, 3)


def _rows(size: int, changed: float) -> Iterator[dict[str, Any]]:
    yield _kernel_row(size, changed, "one_float_per_line")
    if changed == 1.0:
        yield _kernel_row(size, changed, "all_floats")
    yield _api_row(size, changed, "one_float_per_line")


def _kernel_row(size: int, changed: float, pattern: str) -> dict[str, Any]:
    column = Column(size)
    column.extent = size // LINE_BYTES * LINE_BYTES
    history = History(256 << 20)
    history.add(column)
    live = np.frombuffer(column.live, np.float32, column.extent // 4)
    frames = iter(range(1, 1 << 40))
    return _row("kernel", [live], changed, pattern, lambda: history.commit(next(frames), [column]))


def _api_row(size: int, changed: float, pattern: str) -> dict[str, Any]:
    state = StateManager()
    columns = [f"c{i}" for i in range(FLOATS_PER_LINE)]
    rows = size // LINE_BYTES
    agents = state.table("agents", dict.fromkeys(columns, f32), capacity=rows)
    agents.spawn(rows)
    state.commit()
    return _row("api", [getattr(agents, name) for name in columns], changed, pattern, state.commit)


def _row(level: str, parts: list[Floats], changed: float, pattern: str, commit: Callable[[], object]) -> dict[str, Any]:
    size = sum(part.nbytes for part in parts)
    source = np.random.default_rng(1).integers(0, 255, size, np.uint8)
    copy, committed, delta = (np.zeros(size, np.uint8) for _ in range(3))
    mutations = [_mutation(part, changed, pattern) for part in parts]
    flat = _mutation(source[: size // 4 * 4].view(np.float32), changed, pattern)
    rounds = max(7, min(400, ROUND_BYTES // size))
    commit()

    def mutate_state() -> None:
        for mutate in mutations:
            mutate()

    medians = {
        "commit_s": _median(commit, mutate_state, rounds),
        "memcpy_s": _median(lambda: np.copyto(copy, source), flat, rounds),
        "numpy_s": _median(lambda: _numpy_commit(source, committed, delta), flat, rounds),
    }
    return {
        "level": level, "bytes": size, "changed": changed, "threads": 1, "pattern": pattern, **medians,
        "ratio": round(medians["commit_s"] / medians["memcpy_s"], 3),
    }  # fmt: skip


def _mutation(values: Floats, changed: float, pattern: str) -> Callable[[], None]:
    """A function that changes a share of the lines: one float of each, or all its floats."""
    lines = values.size // FLOATS_PER_LINE
    chosen = np.sort(np.random.default_rng(2).choice(lines, round(lines * changed), replace=False))
    table = values[: lines * FLOATS_PER_LINE].reshape(lines, FLOATS_PER_LINE)
    bits = table.view(np.uint32)

    def all_floats() -> None:
        np.add(bits, 1, out=bits)

    def one_float() -> None:
        bits[chosen, chosen % FLOATS_PER_LINE] += 1

    return all_floats if pattern == "all_floats" else one_float


def _numpy_commit(live: Bytes, committed: Bytes, delta: Bytes) -> None:
    """The same job in NumPy, without a checksum: which lines changed, their XOR, and the copy."""
    lines = live[: live.size // LINE_BYTES * LINE_BYTES].view(np.uint64).reshape(-1, 8)
    old = committed[: lines.nbytes].view(np.uint64).reshape(-1, 8)
    changed = np.flatnonzero((lines != old).any(axis=1))
    fresh = lines[changed]
    np.bitwise_xor(fresh, old[changed], out=delta.view(np.uint64)[: fresh.size].reshape(-1, 8))
    old[changed] = fresh


def _median(action: Callable[[], object], before: Callable[[], object], rounds: int) -> float:
    """The median time of an action, in seconds; what comes before it in each round is not timed."""
    times = []
    for _ in range(rounds):
        before()
        times.append(_timed(action))
    return statistics.median(times)


def _timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began
