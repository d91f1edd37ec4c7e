from __future__ import annotations

import io
from typing import Any

import pytest

from instar.view import terminal as terminal_view
from instar.view.choice import choose
from instar.view.lines import LineView
from instar.view.terminal import TerminalView


def test_a_terminal_gets_the_panel(terminal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    view = choose(terminal.stream)
    view.close({})
    assert isinstance(view, TerminalView)


@pytest.mark.parametrize("kind", ["", "dumb", "unknown"])
def test_a_terminal_that_can_do_nothing_gets_lines(terminal: Any, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setenv("TERM", kind)
    view = choose(terminal.stream)
    view.close({})
    assert isinstance(view, LineView)


def test_headless_and_everything_that_is_no_terminal_gets_lines(terminal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for view in (choose(terminal.stream, headless=True), choose(io.StringIO())):
        view.close({})
        assert isinstance(view, LineView)


def test_when_the_panel_cannot_start_there_are_lines_that_say_so(
    terminal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(stream: object) -> TerminalView:
        raise OSError(11, "too many processes")

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(terminal_view, "TerminalView", refuse)
    view = choose(terminal.stream)
    view.close({})
    terminal.wait_for_text("the live view cannot start (too many processes)")
