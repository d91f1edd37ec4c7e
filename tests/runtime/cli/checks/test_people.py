from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from instar.cli.checks import people


def stderr(monkeypatch: pytest.MonkeyPatch, *, encoding: str = "utf-8", columns: int = 100) -> None:
    """A terminal in place of standard error."""
    stream = SimpleNamespace(isatty=lambda: True, fileno=lambda: 2, encoding=encoding)
    monkeypatch.setattr(people, "sys", SimpleNamespace(stderr=stream))
    monkeypatch.setattr(people.os, "get_terminal_size", lambda _: os.terminal_size((columns, 30)))
    monkeypatch.setenv("TERM", "xterm-256color")


def test_a_good_terminal_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr(monkeypatch)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLORTERM", "truecolor")
    (check,) = people.terminal()
    assert check.verdict == "ok"
    assert check.found.startswith("xterm-256color, 100 ")
    assert check.found.endswith("truecolor, UTF-8")


def test_a_terminal_that_cannot_show_the_panel_comes_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr(monkeypatch, encoding="latin-1")
    assert [check.verdict for check in people.terminal()] == ["warn"]
    stderr(monkeypatch, columns=40)
    assert [check.verdict for check in people.terminal()] == ["warn"]
    stderr(monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    assert [check.verdict for check in people.terminal()] == ["warn"]


def test_missing_extras_come_with_the_line_that_gets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "find_spec", lambda name: None if name == "awscrt" else name)
    bench, *others = people.extras()
    assert (bench.verdict, bench.found) == ("warn", "missing: awscrt")
    assert "pip install 'instar[bench]'" in bench.advice
    assert all(check.verdict == "ok" for check in others)
