from __future__ import annotations

from instar.bench import loop


def test_the_figures_promised_are_there():
    found = loop.measure(frames=20)
    assert found["frames"] == 20
    assert set(found) >= {"deadline_error_us", "pacing_cpu", "drift_us", "worst_gc_ms", "heap_growth_mb"}
    assert 0 <= found["pacing_cpu"] < 1
    assert found["deadline_error_us"]["max"] >= found["deadline_error_us"]["p50"] >= 0
