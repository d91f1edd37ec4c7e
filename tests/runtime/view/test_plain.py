from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.view.plain import plain

HARMLESS_CONTROLS = {"\t", "\n"}


@pytest.mark.parametrize(
    ("text", "bare", "coloured"),
    [
        ("a\tb\r\nc\n", "a\tb\nc\n", "a\tb\nc\n"),
        ("\x1b[1;31mred\x1b[0m", "red", "\x1b[1;31mred\x1b[0m"),
        ("a\x1b[2Jb\x1b[10;3Hc", "abc", "abc"),
        ("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b", "ab", "ab"),
        ("\x1bcreset\x1b(B", "reset", "reset"),
        ("\x1b[?25lhidden\x1b", "hidden", "hidden"),
        ("bell\x07 back\x08 \x9b31m", "bell back 31m", "bell back 31m"),
    ],
)
def test_only_text_and_at_most_colour_is_left(text: str, bare: str, coloured: str) -> None:
    assert plain(text) == bare
    assert plain(text, colours=True) == coloured


@given(st.text(st.sampled_from("\x1b[]()?;0123mHJK\x07\\abc\n\t\r\x9b\x00PX^_")))
def test_no_control_character_is_ever_left(text: str) -> None:
    assert all(char.isprintable() or char in HARMLESS_CONTROLS for char in plain(text))
