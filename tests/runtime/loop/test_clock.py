from __future__ import annotations

import time

from instar.loop.clock import SystemClock


def test_it_wakes_at_the_deadline_and_not_before():
    clock = SystemClock()
    deadline = clock.now() + 2_000_000
    clock.sleep_until(deadline)
    assert clock.now() >= deadline


def test_a_deadline_gone_by_is_not_waited_for(monkeypatch):
    clock = SystemClock()
    monkeypatch.setattr(time, "sleep", lambda seconds: (_ for _ in ()).throw(AssertionError("slept")))
    clock.sleep_until(clock.now() - 1)


def test_the_spin_follows_what_sleeping_costs():
    clock = SystemClock()
    clock._adapt(200_000)
    assert clock.spin_ns == 250_000
    for _ in range(2000):
        clock._adapt(0)
    assert clock.spin_ns == clock.SPIN_MIN_NS
    clock._adapt(10**9)
    assert clock.spin_ns == clock.SPIN_MAX_NS
