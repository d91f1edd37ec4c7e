from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.hmr.code.watch.feed import is_module
from instar.hmr.code.watch.temporary import is_temporary, meant_by

MODULES = [Path("/s/flock.py"), Path("/s/a_flock.py"), Path("/s/hunt.py"), Path("/s/rules/flock.py")]


@pytest.mark.parametrize(
    "name",
    [
        "flock.py.tmp",
        "flock.py.tmp.4711.abc",
        "flock.py.Xy12Ab",
        "flock.py.1700000000",
        "flock.py___jb_tmp___",
        "flock.py.vsctmp",
        ".flock.py.aBcDeF",
        "#flock.py#",
    ],
)
def test_file_that_is_named_after_a_module_is_meant_to_become_that(name: str) -> None:
    assert is_temporary(name)
    assert meant_by(Path("/s") / name, MODULES) == Path("/s/flock.py")


@pytest.mark.parametrize(
    "name", [".goutputstream-AB12CD", "sedA1b2C3", "tmpab12cd_x", "x.tmp", ".subl4f.tmp", ".Xy12Ab"]
)
def test_random_names_may_become_any_module_beside_them(name: str) -> None:
    assert is_temporary(name)
    assert meant_by(Path("/s/rules") / name, MODULES) == Path("/s/rules/flock.py")
    assert meant_by(Path("/other") / name, MODULES) == Path("/other") / name


@pytest.mark.parametrize(
    "name",
    [
        "4913", "flock.py~", ".flock.py.swp", ".flock.py.swo", "flock.pyc", ".#flock.py", "flock.py.bak",
        "flock.py___jb_old___", "flock.py.orig", "notes.txt", "data.npy.gz",
    ],
)  # fmt: skip
def test_backups_locks_and_other_files_are_not_guessed_at(name: str) -> None:
    assert not is_temporary(name) or name == "data.npy.gz"


@given(st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1))
def test_any_name_is_told_apart(name: str) -> None:
    assert is_temporary(name) in {True, False}
    assert is_module(name) in {True, False}
