from __future__ import annotations

import pytest

from instar.bench import reload


@pytest.mark.parametrize("lines", [60, 300, 3000])
def test_a_module_has_the_lines_it_should_and_is_whole(lines):
    source = reload.source(7, lines)
    assert abs(source.count("\n") - lines) <= 6
    compile(source, "edited.py", "exec")
    assert "TAG = 7\n" in source
    assert source.endswith("LAST = 7\n")


def test_every_save_is_seen_and_timed():
    found = reload.measure(saves=4)
    assert (found["torn"], found["stale"], found["missed_by_edits"]) == (0, 0, 0)
    for key in ("ready_ms", "visible_ms", "swap_ms"):
        assert 0 < found[key]["p50"] <= found[key]["p99"] <= found[key]["max"]
    assert found["ready_ms"]["p50"] < found["visible_ms"]["p50"]
