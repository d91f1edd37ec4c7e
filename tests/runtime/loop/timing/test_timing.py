"""Timing: phases without gaps, late frames with their spans."""

from __future__ import annotations

from instar.loop.timing.timing import Timing
from instar.native import Spans

MS = 1_000_000


def test_phases_follow_one_another_without_a_gap(clock):
    timing = Timing(clock, Spans(), {})
    timing.begin_frame(0)
    began = timing.last
    with timing.phase("boundary"):
        clock.advance(1)
    clock.advance(2)
    with timing.phase("update"):
        clock.advance(4)
    assert timing.last - began == sum(timing.meter.phases[phase].max() for phase in ("boundary", "update"))
    assert timing.meter.phases["boundary"].max() // MS == 1
    assert timing.meter.phases["update"].max() // MS == 6


def test_a_late_frame_has_its_phases_and_spans(clock):
    spans = Spans()
    timing = Timing(clock, spans, {})
    for number in range(3):
        timing.begin_frame(number)
        with timing.phase("update"), spans.span("flock.update"):
            clock.advance(4 if number < 2 else 30)
    late = timing.missed(5 * MS, 16 * MS, by_edit=False)
    assert (late.frame, late.cause, late.late_ns, late.by_edit) == (2, "update", 5 * MS, False)
    assert late.phases["update"] // MS == 30
    assert [(part.name, part.depth) for part in late.parts] == [("update", 0), ("flock.update", 1)]
    assert timing.meter.missed == 1


def test_who_catches_up_with_a_frame_that_an_edit_made_late_is_late_by_the_edit(clock):
    timing = Timing(clock, Spans(), {})
    for ms, by_edit in ((30, True), (5, False), (30, False), (5, False)):
        timing.begin_frame(0)
        with timing.phase("update"):
            clock.advance(ms)
        timing.missed(MS, 16 * MS, by_edit=by_edit)
    assert [(late.cause, late.by_edit) for late in timing.late.newest] == [
        ("update", True),
        ("catching up", True),
        ("update", False),
        ("catching up", False),
    ]
    assert timing.meter.missed_by_edits == 2


def test_a_frame_in_which_the_clock_was_stopped_is_left_out(clock):
    timing = Timing(clock, Spans(), {})
    timing.begin_frame(0)
    with timing.phase("update"):
        timing.is_measured = False
    assert len(timing.meter.phases["update"]) == 0
    timing.begin_frame(1)
    with timing.phase("update"):
        pass
    assert len(timing.meter.phases["update"]) == 1
