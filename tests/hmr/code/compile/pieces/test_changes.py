from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.hmr.code.compile.pieces.changes import changes
from instar.hmr.code.compile.pieces.splitting import split

LINES = st.lists(
    st.sampled_from(("a = 1", "b = 2", "def f():", "    return 1", "@one", "else:", "", "# c", "'''", "x\\"))
)


def applied(pieces: list[str], text: str) -> list[str]:
    found: list[str] = []
    done = 0
    for change in changes(pieces, text):
        assert done <= change.first <= change.last
        found += [*pieces[done : change.first], *change.pieces]
        done = change.last
    return found + pieces[done:]


@given(LINES, LINES, st.booleans())
def test_changes_make_one_text_of_another(old: list[str], new: list[str], ends: bool) -> None:
    text = "\n".join(new) + "\n" * ends
    assert "".join(applied(split("\n".join(old)), text)) == text


def text_of(*names: str) -> str:
    return "".join(f"def {name}():\n    return {name}\n\n" for name in names)


@pytest.mark.parametrize(
    ("new", "found"),
    [
        (text_of("a", "b", "c"), []),
        (text_of("a", "x", "c"), [(1, 2, 1)]),
        (text_of("a", "b", "x"), [(2, 3, 1)]),
        (text_of("x", "b", "y"), [(0, 1, 1), (2, 3, 1)]),
        (text_of("a", "x", "b", "c"), [(1, 1, 1)]),
        (text_of("a", "c"), [(1, 2, 0)]),
        (text_of("b", "c"), [(0, 1, 0)]),
        (text_of("a", "b", "c", "x"), [(2, 3, 2)]),
        (text_of("a", "b", "c").replace("def b", "@one\ndef b"), [(0, 2, 2)]),
        (text_of("a", "b", "c").replace("    return a\n", "    return a\n    # more\n"), [(0, 1, 1)]),
    ],
)
def test_what_stays_is_found_again(new: str, found: list[tuple[int, int, int]]) -> None:
    pieces = split(text_of("a", "b", "c"))
    assert [(one.first, one.last, len(one.pieces)) for one in changes(pieces, new)] == found


def test_many_changes_become_one() -> None:
    names = [f"f{number}" for number in range(100)]
    found = list(changes(split(text_of(*names)), text_of(*(name.replace("f", "g") for name in names[::3]))))
    assert len(found) <= 9
    assert found[-1].last == 100
