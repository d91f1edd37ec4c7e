from __future__ import annotations

import sys

import pytest

from instar.loop.switching import SWITCH_SECONDS, quick_switches


def test_threads_take_turns_quickly_within_the_block_only() -> None:
    before = sys.getswitchinterval()
    with quick_switches():
        assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)
    assert sys.getswitchinterval() == before


def test_who_wants_it_quicker_keeps_that() -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with quick_switches():
            assert sys.getswitchinterval() == pytest.approx(1e-5)
    finally:
        sys.setswitchinterval(before)
