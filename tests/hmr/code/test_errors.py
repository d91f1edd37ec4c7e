from __future__ import annotations

from pathlib import Path

from instar.hmr.code.errors import GOES_ON, EditError, excerpt


def test_message_has_place_excerpt_advice_and_what_was_kept() -> None:
    error = EditError("bad", path=Path("/s/flock.py"), line=3, excerpt=excerpt(3, "x = ("), advice="Close it.")
    error.kept = GOES_ON
    assert str(error).split("\n") == ["/s/flock.py:3: bad", "     3 | x = (", "Close it.", GOES_ON]


def test_message_without_a_place() -> None:
    assert str(EditError("bad")) == "bad"
    assert str(EditError("bad", path=Path("f.py"))) == "f.py: bad"


def test_caret_stands_under_its_column_also_after_tabs() -> None:
    assert excerpt(1, "\tx = )", 5, 6).split("\n") == ["     1 | \tx = )", "       | \t    ^"]
    assert excerpt(12, "abc", 1, 3).endswith("|  ^^")
    assert excerpt(1, "ab", 5).endswith("|      ^")
