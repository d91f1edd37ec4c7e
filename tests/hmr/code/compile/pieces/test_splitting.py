from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.hmr.code.compile.pieces.splitting import FIRST, LAST, role_of, split


@given(st.text(alphabet="ad@ \n\\'\"#=:\f(", max_size=60))
def test_pieces_are_the_text(text: str) -> None:
    assert "".join(split(text)) == text


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("x = 1\ny = 2\n", 2),
        ("# a comment\n\nx = 1\ny = 2", 2),
        ('"""Doc.\n\nmore\n"""\nx = 1\n', 2),
        ('"""Doc."""\nfrom __future__ import annotations\nx = 1\n', 2),
        ("if x:\n    y\nelif z:\n    y\nelse:\n    y\nend = 1\n", 2),
        ("try:\n    x\nexcept E:\n    y\nfinally:\n    z\nfine = 1\n", 2),
        ("@one\n@two(\n  1\n)\ndef f(): pass\nx = 1\n", 2),
        ("x = 1 + \\\ny\nz = 1\n", 2),
        ("x = [\n  1,\n]\ny = 2\n", 2),
    ],
)
def test_statements_are_pieces(text: str, count: int) -> None:
    assert len(split(text)) == count


def test_roles() -> None:
    assert [role_of(index, 3) for index in range(3)] == [FIRST, 0, LAST]
    assert role_of(0, 1) == FIRST | LAST
