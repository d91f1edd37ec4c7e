from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from instar.loop.deadlines import CATCH_UP_FRAMES, Deadlines


def test_an_hour_of_frames_drifts_by_nothing():
    deadlines = Deadlines(5, 60)
    last = [deadlines.next() for _ in range(3600 * 60)][-1]
    assert last == 5 + 3600 * 1_000_000_000


@given(st.integers(1, 1000), st.integers(1, 500))
def test_deadlines_are_absolute(fps, count):
    deadlines = Deadlines(0, fps)
    found = [deadlines.next() for _ in range(count)]
    assert all(abs(deadline - (n + 1) * 1e9 / fps) <= 1 for n, deadline in enumerate(found))


def test_a_little_late_catches_up_and_drops_nothing():
    deadlines = Deadlines(0, 50)
    deadlines.next()
    deadlines.settle((1 + CATCH_UP_FRAMES) * 20_000_000)
    assert deadlines.dropped == 0
    assert deadlines.next() == 40_000_000


def test_far_too_late_drops_what_was_missed():
    deadlines = Deadlines(0, 50)
    deadlines.next()
    deadlines.settle(1_010_000_000)
    assert deadlines.dropped == 49
    assert deadlines.next() == 1_020_000_000


def test_rebasing_forgets_the_time_that_went_by():
    deadlines = Deadlines(0, 50)
    for _ in range(7):
        deadlines.next()
    deadlines.rebase(3_000_000_000)
    assert deadlines.next() == 3_020_000_000
    assert deadlines.dropped == 0


def test_another_pace_begins_at_the_current_deadline():
    deadlines = Deadlines(1_000, 50)
    assert [deadlines.next() for _ in range(2)] == [20_001_000, 40_001_000]
    deadlines.change_pace(100)
    assert (deadlines.fps, deadlines.period_ns) == (100, 10_000_000)
    assert [deadlines.next() for _ in range(2)] == [50_001_000, 60_001_000]
