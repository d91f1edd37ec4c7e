from __future__ import annotations

from instar.loop.timing.meter import PHASES, Meter


def test_a_late_frame_is_the_edits_if_its_boundary_was_over_budget_or_an_edit_was_at_work():
    meter = Meter(boundary_budget_ns=2_000_000)
    meter.phase("boundary", 2_000_001)
    meter.late(by_edit=False)
    assert (meter.missed, meter.missed_by_edits) == (1, 1)
    meter.phase("boundary", 2_000_000)
    meter.late(by_edit=False)
    assert (meter.missed, meter.missed_by_edits) == (2, 1)
    meter.late(by_edit=True)
    assert (meter.missed, meter.missed_by_edits) == (3, 2)


def test_each_phase_and_module_has_a_series_of_its_own():
    meter = Meter(1)
    for number, phase in enumerate(PHASES):
        meter.phase(phase, number)
    meter.modules["flock"].add(7)
    assert [meter.phases[phase].max() for phase in PHASES] == list(range(len(PHASES)))
    assert meter.modules["flock"].max() == 7
