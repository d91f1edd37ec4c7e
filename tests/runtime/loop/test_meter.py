from __future__ import annotations

from instar.loop.meter import PHASES, Meter


def test_a_late_frame_is_the_edits_only_if_its_own_boundary_was_over_budget():
    meter = Meter(boundary_budget_ns=2_000_000)
    meter.phase("boundary", 2_000_001)
    meter.late()
    assert (meter.missed, meter.missed_by_edits) == (1, 1)
    meter.phase("boundary", 2_000_000)
    meter.late()
    assert (meter.missed, meter.missed_by_edits) == (2, 1)


def test_each_phase_and_module_has_a_series_of_its_own():
    meter = Meter(1)
    for number, phase in enumerate(PHASES):
        meter.phase(phase, number)
    meter.modules["flock"].add(7)
    assert [meter.phases[phase].max() for phase in PHASES] == list(range(len(PHASES)))
    assert meter.modules["flock"].max() == 7
