from __future__ import annotations

import threading

from instar.loop.outbox import Outbox

PATIENCE = 10.0


class Reader:
    """A reader that begins to read when told to."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.ready = threading.Event()
        self.called = threading.Event()

    def __call__(self, item: str) -> None:
        self.called.set()
        assert self.ready.wait(PATIENCE)
        self.read.append(item)


def test_everything_put_arrives_in_order_and_what_replaces_arrives_last() -> None:
    reader = Reader()
    outbox = Outbox(reader)
    outbox.put("a")
    assert reader.called.wait(PATIENCE)
    for number in range(100):
        outbox.replace(f"state {number}")
    outbox.put("b")
    reader.ready.set()
    assert outbox.flush(PATIENCE)
    outbox.replace("state 100")
    assert outbox.flush(PATIENCE)
    outbox.close()
    assert reader.read == ["a", "state 99", "b", "state 100"]


def test_flush_says_when_the_reader_does_not_read() -> None:
    reader = Reader()
    outbox = Outbox(reader)
    outbox.put("a")
    assert not outbox.flush(0.01)
    reader.ready.set()
    assert outbox.flush(PATIENCE)
    outbox.close()


def test_a_broken_reader_is_written_to_once_and_nobody_waits_for_it() -> None:
    tried: list[str] = []

    def broken(item: str) -> None:
        tried.append(item)
        raise BrokenPipeError

    outbox = Outbox(broken)
    outbox.put("a")
    outbox.put("b")
    assert outbox.flush(PATIENCE)
    outbox.close()
    assert tried == ["a"]
