from __future__ import annotations

import numpy as np
import pytest

from instar.bench import state
from instar.bench.state import commits, operations, rates, timing


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(commits, "SIZES", (64_000, 2_000_000))
    monkeypatch.setattr(rates, "SIZES", (64_000,))
    monkeypatch.setattr(commits, "HISTORY_BYTES", 4 << 20)
    monkeypatch.setattr(operations, "HISTORY_BYTES", 4 << 20)
    monkeypatch.setattr(operations, "AGENTS", (1_000, 10_000))
    monkeypatch.setattr(commits.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(timing, "ROUND_BYTES", 500_000)


def test_every_row_has_its_peers_of_the_same_run(small):
    found = state.measure()
    rows = found["rows"]
    assert [(row["bytes"], row["gb_per_s"] > 0) for row in found["validate"]] == [(64_000, True)]
    assert {row["level"] for row in rows} == {"kernel", "api"}
    assert {row["changed"] for row in rows} == set(commits.CHANGED)
    assert {row["pattern"] for row in rows} == {"one_float_per_line", "all_floats"}
    assert {(row["bytes"], row["threads"]) for row in rows} == {(64_000, 1), (2_000_000, 1), (2_000_000, 2)}
    for row in rows:
        assert min(row["commit_s"], row["memcpy_s"], row["numpy_s"]) > 0
        assert row["ratio"] == pytest.approx(row["commit_s"] / row["memcpy_s"], abs=1e-3)


def test_the_original_designs_table_is_beside(small):
    found = state.measure()
    assert {row["operation"] for row in found["operations"]} == {
        "update", "rollback", "idle", "diff", "validate", "hold", "compress", "restore",
    }  # fmt: skip
    compared = {(row["operation"], row["agents"]) for row in found["operations"] if "original_ms" in row}
    assert compared == {
        ("update", 1_000),
        ("diff", 10_000),
        ("validate", 10_000),
        *(("compress", n) for n in (1_000, 10_000)),
    }
    saved = {row["column"]: row["saved"] for row in found["compression"]}
    assert min(saved[kind] for kind in ("ids", "states", "groups", "defaults")) >= 0.5
    assert 0.0 <= saved["noisy_positions"] < 0.3
    assert saved["positions_in_steps_of_1_64"] > 0.45


@pytest.mark.parametrize(
    ("changed", "pattern"), [*((changed, "one_float_per_line") for changed in commits.CHANGED), (1.0, "all_floats")]
)
def test_a_mutation_changes_the_share_of_lines_it_says(changed, pattern):
    values = np.zeros(1000 * 16, np.float32)
    before = values.reshape(1000, 16).copy()
    commits._mutation(values, changed, pattern)()
    different = values.reshape(1000, 16) != before
    assert different.any(axis=1).sum() == round(1000 * changed)
    assert different.sum() == round(1000 * changed) * (16 if pattern == "all_floats" else 1)


def test_numpy_does_the_same_job():
    live = np.arange(6400, dtype=np.uint8)
    committed = np.zeros(6400, np.uint8)
    delta = np.zeros(6400, np.uint8)
    commits._numpy_commit(live, committed, delta)
    assert (committed == live).all()
