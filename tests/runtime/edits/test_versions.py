from __future__ import annotations

from types import SimpleNamespace

import pytest

from instar.edits.versions import Versions


def _program(number):
    return SimpleNamespace(number=number)


@pytest.fixture
def versions():
    found = Versions(_program(1))
    found.add(10, _program(2), oldest=0)
    found.add(20, _program(3), oldest=0)
    return found


@pytest.mark.parametrize(("frame", "number"), [(0, 1), (9, 1), (10, 2), (19, 2), (20, 3), (99, 3)])
def test_a_frame_has_the_program_that_ran_in_it(versions, frame, number):
    assert versions.at(frame).number == number


def test_an_edit_after_a_rollback_drops_the_later_ones(versions):
    versions.add(15, _program(4), oldest=0)
    assert [versions.at(frame).number for frame in (9, 14, 15, 25)] == [1, 2, 4, 4]


def test_what_no_rollback_can_reach_is_dropped(versions):
    versions.add(30, _program(4), oldest=12)
    assert len(versions) == 3
    assert versions.at(12).number == 2


def test_it_can_begin_anew(versions):
    versions.begin_with(7, _program(5))
    assert len(versions) == 1
    assert versions.at(7).number == 5
