from __future__ import annotations

import sys
import threading
import tracemalloc

import pytest

from instar.hmr.metrics.operations import OPERATIONS, WINDOW, Metrics
from instar.hmr.state import CheckpointError, FrameError, StateManager, f32


def test_each_operation_is_counted_with_its_time_and_bytes():
    state = StateManager(history_bytes=1 << 20)
    boids = state.table("boids", {"x": f32})
    boids.spawn(5000, x=1)
    commit = state.commit()
    checkpoint = state.checkpoint()
    checkpoint.wait()
    state.diff(0, 1)
    state.validate()
    state.restore(checkpoint)
    found = dict(state.metrics)
    assert tuple(found) == OPERATIONS
    assert {name: measured["count"] for name, measured in found.items()} == dict.fromkeys(OPERATIONS, 1)
    assert found["commit"]["bytes"] == {"p50": commit.bytes, "p99": commit.bytes}
    assert found["commit"]["seconds"]["p50"] == pytest.approx(commit.seconds, abs=1e-8)
    for name in OPERATIONS:
        assert found[name]["seconds"]["p99"] > 0
        assert found[name]["bytes"]["p99"] > 0
    for name in ("compress", "checkpoint", "restore"):
        assert found[name]["bytes"]["p50"] == checkpoint.raw_bytes


def test_what_was_refused_does_not_count():
    state = StateManager(history_bytes=1 << 20)
    state.table("boids", {"x": f32}).spawn(1)
    with pytest.raises(CheckpointError):
        state.checkpoint()
    with pytest.raises(FrameError):
        state.diff(0, 1)
    with pytest.raises(ZeroDivisionError), state.metrics.measure("restore"):
        raise ZeroDivisionError
    assert not any(measured["count"] for measured in state.metrics.values())


def test_a_round_of_validation_in_slices_counts_once():
    state = StateManager(history_bytes=1 << 20)
    state.table("boids", {"x": f32}).spawn(100_000, x=1)
    state.commit()
    validator = state.validator(repair=True)
    while not validator.advance(0):
        assert not state.metrics["validate"]["count"]
    assert validator.advance(0)
    assert state.metrics["validate"]["count"] == 1
    assert state.metrics["validate"]["bytes"]["p50"] == validator.report.bytes


def test_percentiles_are_those_of_the_last_operations():
    metrics = Metrics()
    metrics.add("commit", 9.0, 9)
    for number in range(WINDOW):
        metrics.add("commit", number * 1e-6, number)
    found = metrics["commit"]
    assert found["count"] == WINDOW + 1
    assert found["bytes"] == {"p50": WINDOW // 2 - 1, "p99": -(-99 * WINDOW // 100) - 1}
    assert found["seconds"]["p50"] == pytest.approx((WINDOW // 2 - 1) * 1e-6, abs=1e-9)


def test_the_memory_it_takes_is_fixed():
    metrics = Metrics()
    for _ in range(WINDOW):
        metrics.add("commit", 0.001, 100_000)
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    for _ in range(5 * WINDOW):
        metrics.add("commit", 0.001, 100_000)
    after = tracemalloc.take_snapshot()
    tracemalloc.stop()
    inside = [tracemalloc.Filter(inclusive=True, filename_pattern=sys.modules[Metrics.__module__].__file__)]
    grown = after.filter_traces(inside).compare_to(before.filter_traces(inside), "lineno")
    assert sum(entry.size_diff for entry in grown) < 1024


def test_it_can_be_written_from_several_threads():
    metrics = Metrics()
    threads = [
        threading.Thread(target=lambda: [metrics.add("compress", 1e-6, 1) for _ in range(2000)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert metrics["compress"]["count"] == 8000
