"""Keys: told one at a time, left alone while somebody else reads, and never by a process in the background."""

from __future__ import annotations

import os
import queue
import threading
import tty
from collections.abc import Iterator
from typing import Any

import pytest

from instar.view.terminal import keys as module
from instar.view.terminal.keys import Keys

PATIENCE = 10.0


@pytest.fixture
def told() -> queue.SimpleQueue[str]:
    return queue.SimpleQueue()


@pytest.fixture
def keys(terminal: Any, told: queue.SimpleQueue[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Keys]:
    monkeypatch.setattr(module, "_in_front", lambda _: True)
    tty.setcbreak(terminal.fd)
    made = Keys(terminal.fd, told.put)
    yield made
    made.close()


def test_keys_are_told_in_order(keys: Keys, terminal: Any, told: queue.SimpleQueue[str]) -> None:
    terminal.type(" .é")
    assert [told.get(timeout=PATIENCE) for _ in range(3)] == [" ", ".", "é"]


def test_cursor_keys_are_no_characters(keys: Keys, terminal: Any, told: queue.SimpleQueue[str]) -> None:
    terminal.type("\x1b[A")
    terminal.type("\x1bOP")
    while told.empty():
        terminal.type("q")
    assert told.get(timeout=PATIENCE) == "q"


def test_they_are_left_alone_where_somebody_else_reads(keys: Keys, terminal: Any, told: queue.SimpleQueue[str]) -> None:
    terminal.type("a")
    assert told.get(timeout=PATIENCE) == "a"
    with keys.left_alone():
        terminal.type("b")
        assert os.read(terminal.fd, 1) == b"b"
    terminal.type("c")
    assert told.get(timeout=PATIENCE) == "c"
    assert told.empty()


def test_a_process_in_the_background_reads_nothing(
    terminal: Any, told: queue.SimpleQueue[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()

    def behind(_: int) -> bool:
        asked.set()
        return False

    monkeypatch.setattr(module, "_in_front", behind)
    tty.setcbreak(terminal.fd)
    keys = Keys(terminal.fd, told.put)
    terminal.type("x")
    assert asked.wait(PATIENCE)
    keys.close()
    keys.close()
    assert told.empty()
    assert os.read(terminal.fd, 1) == b"x"
