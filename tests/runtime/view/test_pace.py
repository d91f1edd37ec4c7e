from __future__ import annotations

import pytest

from instar.view.pace import STRETCH_NS, Pace


def test_the_first_look_has_no_pace():
    assert Pace().at(5, 100) == 0.0


def test_the_pace_is_that_of_the_last_second():
    pace = Pace()
    found = [pace.at(tenth * STRETCH_NS // 10, tenth * 6) for tenth in range(30)]
    assert found[1:] == pytest.approx([60.0] * 29)
    slower = [pace.at((30 + tenth) * STRETCH_NS // 10, 180 + tenth * 3) for tenth in range(12)]
    assert slower[-1] == pytest.approx(30.0)
    assert sorted(slower[1:], reverse=True) == slower[1:]
