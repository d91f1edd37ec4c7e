from __future__ import annotations

import pytest

from instar.bench.reload import measure, table


@pytest.fixture(scope="module")
def found():
    return measure(saves=4, agents=20_000)


def test_every_save_is_seen_and_timed(found):
    for case in (found, found["long"], found["undo"]):
        assert (case["torn"], case["stale"]) == (0, 0)
        for key in ("ready_ms", "visible_ms", "swap_ms"):
            assert 0 < case[key]["p50"] <= case[key]["p99"] <= case[key]["max"]
        assert case["ready_ms"]["p50"] < case["visible_ms"]["p50"]
        assert case["predicted"]["edits"] == case["saves"]


def test_agents_live_through_edits_and_new_fields(found):
    agents = found["agents"]
    assert agents["rows"] == {"boids": 20_000}
    assert (agents["torn"], agents["stale"]) == (0, 0)
    for case in ("unchanged", "field_added"):
        assert agents[case]["swap_ms"]["max"] > 0


def test_all_cases_are_in_the_table(found):
    shown = table(found)
    for text in ("300 lines, 4 saves", "3,000 lines", "ran before", "20,000 agents, a field more", "0 torn, 0 stale"):
        assert text in shown
