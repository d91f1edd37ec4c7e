from __future__ import annotations

import pyte
from hypothesis import given
from hypothesis import strategies as st

from instar.view.terminal.painter import Painter

WIDTH, ROWS = 20, 12

lines = st.lists(st.text("ab ", max_size=WIDTH - 1), max_size=5)


class Screen:
    """A terminal that shows what a painter writes."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDTH, ROWS)
        self.stream = pyte.Stream(self.screen)

    def shows(self) -> list[str]:
        shown = [line.rstrip() for line in self.screen.display]
        while shown and not shown[-1]:
            shown.pop()
        return shown


@given(st.lists(st.tuples(lines, lines), max_size=6))
def test_text_stays_above_and_only_the_last_panel_below(steps: list[tuple[list[str], list[str]]]) -> None:
    screen, painter = Screen(), Painter()
    above: list[str] = []
    scrolled = 0
    for texts, panel in steps:
        screen.stream.feed(painter.paint("".join(f"{text}\n" for text in texts), panel, WIDTH))
        above += texts
        scrolled = max(scrolled, len(above) + len(panel) + 1 - ROWS)
        expected = [line.rstrip() for line in (above + panel)[scrolled:]]
        while expected and not expected[-1]:
            expected.pop()
        assert screen.shows() == expected


def test_what_did_not_change_is_not_written_again() -> None:
    painter = Painter()
    painter.paint("", ["one", "two", "three"], WIDTH)
    assert painter.paint("", ["one", "two", "three"], WIDTH) == ""
    written = painter.paint("", ["one", "2", "three"], WIDTH)
    assert "2" in written
    assert "one" not in written
    assert "three" not in written


def test_lines_folded_by_a_narrower_terminal_are_painted_over() -> None:
    painter = Painter()
    painter.paint("", ["\x1b[1m" + "x" * 19 + "\x1b[0m", "y"], 20)
    assert "\x1b[3F" in painter.paint("", ["z"], 10)
    assert "z" in painter.paint("", ["z"], 20)


def test_a_panel_that_is_left_stays() -> None:
    screen, painter = Screen(), Painter()
    screen.stream.feed(painter.paint("", ["old"], WIDTH))
    painter.forget()
    screen.stream.feed(painter.paint("", ["new"], WIDTH))
    assert screen.shows() == ["old", "new"]
