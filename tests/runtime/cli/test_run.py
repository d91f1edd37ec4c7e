from __future__ import annotations

import pytest

from instar.cli.errors import UsageError
from instar.cli.run import parse_settings


def test_settings_are_values_by_module_and_parameter():
    given = ["flock.cohesion=0.05", "flock.count=10", "birds.hawks.fast=true", "a.name = big fish", "a.eq=x=y"]
    assert parse_settings(given) == {
        "flock": {"cohesion": 0.05, "count": 10},
        "birds.hawks": {"fast": True},
        "a": {"name": "big fish", "eq": "x=y"},
    }


@pytest.mark.parametrize("setting", ["cohesion=1", "flock.cohesion", "=1", ".x=1", "flock.=1"])
def test_other_forms_say_which_one_is_right(setting):
    with pytest.raises(UsageError, match=r"write --set module\.param=value"):
        parse_settings([setting])
