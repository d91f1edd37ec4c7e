"""Eras: their native columns are those of the eras that are left, whatever came and went."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from instar.hmr.state.catalog.layouts import Era, Eras
from instar.native import Column


def era(since: int, columns: list[Column]) -> Era:
    form: Any = SimpleNamespace(
        roots=SimpleNamespace(native=columns[:1]), columns=SimpleNamespace(native=lambda: columns[1:])
    )
    return Era(since, ("boids",), {"boids": form})


@given(
    changes=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 30), st.booleans()), min_size=1, max_size=20
    )
)
def test_native_columns_are_those_of_the_eras_that_are_left(changes: list[tuple[int, int, int, bool]]) -> None:
    columns = [Column(64)]
    held = [era(0, columns)]
    eras = Eras(held)
    for number, (added, removed, reach, back) in enumerate(changes, start=1):
        if back and len(held) > 1:
            held.pop()
            eras = eras.until(held[-1].since)
            columns = [*held[-1].forms["boids"].roots.native, *held[-1].forms["boids"].columns.native()]
        columns = [*columns[removed:], *(Column(64) for _ in range(added))] or [Column(64)]
        oldest = max(0, 10 * number - reach)
        new = era(10 * number, columns)
        eras = eras.followed_by(new, oldest)
        held.append(new)
        while len(held) > 1 and held[1].since <= oldest:
            held.pop(0)
        wanted = {
            id(one)
            for kept in held
            for one in (*kept.forms["boids"].roots.native, *kept.forms["boids"].columns.native())
        }
        assert {id(one) for one in eras.native()} == wanted
        assert len(eras.native()) == len(wanted)
        assert eras.newest is new
        assert eras.at(10 * number + 5) is new
