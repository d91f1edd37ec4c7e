"""A commit beside memcpy of the same bytes and NumPy doing the same job, in one run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from instar.bench.state.timing import median, rounds_for
from instar.hmr.state import StateManager, f32
from instar.native import LINE_BYTES, Column, History

SIZES = (64_000, 6_400_000, 64_000_000)
CHANGED = (0.0, 0.01, 0.1, 1.0)
FLOATS_PER_LINE = LINE_BYTES // 4
HISTORY_BYTES = 256 << 20

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


def commit_rows() -> list[dict[str, Any]]:
    """Rows by size, share changed, pattern and number of threads.

    Commit, memcpy and NumPy of the same bytes are timed one after the other, each in rounds of its own; a row has the
    medians. Each round begins with the mutation, not timed, which leaves the changed lines in cache where they fit. The
    history, of its default 256 MB, has been filled once before, so that no commit pays for fresh pages.
    """
    return [row for size in SIZES for changed in CHANGED for row in _rows(size, changed)]


def _rows(size: int, changed: float) -> Iterator[dict[str, Any]]:
    yield _kernel_row(size, changed, "one_float_per_line")
    if changed == 1.0:
        yield _kernel_row(size, changed, "all_floats")
    if size > SIZES[0] and (os.cpu_count() or 1) > 1:
        yield _kernel_row(size, changed, "one_float_per_line", threads=2)
    yield _api_row(size, changed, "one_float_per_line")


def _kernel_row(size: int, changed: float, pattern: str, threads: int = 1) -> dict[str, Any]:
    column = Column(size)
    column.extent = size // LINE_BYTES * LINE_BYTES
    history = History(HISTORY_BYTES, threads)
    history.add(column)
    live = np.frombuffer(column.live, np.float32, column.extent // 4)
    frames = iter(range(1, 1 << 40))

    def commit() -> None:
        history.commit(next(frames), [column])

    _fill_history([live], commit, lambda: history.oldest)
    return _row("kernel", [live], changed, pattern, commit, threads)


def _api_row(size: int, changed: float, pattern: str) -> dict[str, Any]:
    state = StateManager(history_bytes=HISTORY_BYTES)
    columns = [f"c{i}" for i in range(FLOATS_PER_LINE)]
    rows = size // LINE_BYTES
    agents = state.table("agents", dict.fromkeys(columns, f32), capacity=rows)
    agents.spawn(rows)
    parts = [getattr(agents, name) for name in columns]
    _fill_history(parts, state.commit, lambda: state.frames[0])
    return _row("api", parts, changed, pattern, state.commit, 1)


def _fill_history(parts: list[Floats], commit: Callable[[], object], oldest: Callable[[], int]) -> None:
    mutations = [_mutation(part, 1.0, "all_floats") for part in parts]
    first = oldest()
    while oldest() == first:
        for mutate in mutations:
            mutate()
        commit()


def _row(
    level: str, parts: list[Floats], changed: float, pattern: str, commit: Callable[[], object], threads: int
) -> dict[str, Any]:
    size = sum(part.nbytes for part in parts)
    source = np.random.default_rng(1).integers(0, 255, size, np.uint8)
    copy, committed, delta = (np.zeros(size, np.uint8) for _ in range(3))
    mutations = [_mutation(part, changed, pattern) for part in parts]
    flat = _mutation(source[: size // 4 * 4].view(np.float32), changed, pattern)
    rounds = rounds_for(size)

    def mutate_state() -> None:
        for mutate in mutations:
            mutate()

    mutate_state()
    commit()
    medians = {
        "commit_s": median(commit, mutate_state, rounds),
        "memcpy_s": median(lambda: np.copyto(copy, source), flat, rounds),
        "numpy_s": median(lambda: _numpy_commit(source, committed, delta), flat, rounds),
    }
    return {
        "level": level, "bytes": size, "changed": changed, "threads": threads, "pattern": pattern, **medians,
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
