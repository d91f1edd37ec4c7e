"""Budgets: each breach is counted, the worst one named."""

from __future__ import annotations

from instar.loop.timing.budgets import Budgets

MS = 1_000_000


def test_what_took_more_than_it_may_is_counted():
    budgets = Budgets({"update": 8.0, "flock": 5.0, "commit": 1.0})
    for frame, (update, flock) in enumerate([(7, 4), (9, 6), (12, 4), (10, 4)]):
        budgets.look(frame, {"update": update * MS, "flock": flock * MS, "publish": 99 * MS})
    assert {name: breach.document() for name, breach in budgets.breaches.items()} == {
        "update": {"count": 3, "worst_ms": 12.0, "worst_frame": 2, "last_frame": 3},
        "flock": {"count": 1, "worst_ms": 6.0, "worst_frame": 1, "last_frame": 1},
    }


def test_exactly_the_budget_is_within_it():
    budgets = Budgets({"update": 8.0})
    budgets.look(0, {"update": 8 * MS})
    assert budgets.breaches == {}


def test_other_budgets_count_from_then_on():
    budgets = Budgets({"update": 8.0})
    budgets.look(0, {"update": 9 * MS})
    budgets.limits = {"commit": 1.0}
    budgets.look(1, {"update": 9 * MS, "commit": 2 * MS})
    assert {name: breach.count for name, breach in budgets.breaches.items()} == {"update": 1, "commit": 1}
