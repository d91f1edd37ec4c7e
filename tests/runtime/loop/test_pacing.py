"""Pacing: deadlines at the speed that is wanted."""

from __future__ import annotations

import itertools
import math

from instar.loop.pacing import UNPACED_SLACK_NS, Pacing

MS = 1_000_000


def frames(pacing, clock, count):
    """The time of the ends of so many frames without work, in ms."""
    ends = []
    for _ in range(count):
        assert pacing.wait(pacing.next()) <= 0
        ends.append(clock.time)
    return [round((end - before) / MS, 1) for before, end in itertools.pairwise(ends)]


def test_frames_are_as_long_as_the_speed_says(clock):
    pacing = Pacing(clock, 50)
    assert frames(pacing, clock, 4) == [20, 20, 20]
    pacing.follow(50, 4)
    assert frames(pacing, clock, 4) == [5, 5, 5]
    pacing.follow(50, 0.5)
    assert frames(pacing, clock, 3) == [40, 40]
    pacing.follow(100, 0.5)
    assert frames(pacing, clock, 3) == [20, 20]


def test_no_deadline_is_waited_for_at_most_speed_and_none_made_up_for_afterwards(clock):
    pacing = Pacing(clock, 50)
    pacing.follow(50, math.inf)
    assert pacing.period_ns == 0
    before = clock.time
    assert pacing.next() - clock.time == UNPACED_SLACK_NS
    assert pacing.wait(pacing.next()) == -1
    assert clock.time - before < 1 * MS
    clock.advance(500)
    assert pacing.wait(pacing.next()) == -1
    pacing.follow(50, 1)
    assert frames(pacing, clock, 3) == [20, 20]
    assert pacing.deadlines.dropped == 0


def test_a_late_frame_is_told_how_late(clock):
    pacing = Pacing(clock, 50)
    deadline = pacing.next()
    clock.time = deadline + 3 * MS
    assert pacing.wait(deadline) // MS == 3
