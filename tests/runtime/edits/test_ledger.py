from __future__ import annotations

import threading

from instar.edits.ledger import Ledger
from instar.edits.receipt import Receipt
from instar.telemetry.events import Events
from instar.telemetry.log import EventLog


def receipt_of(edits, frame=42):
    return Receipt.of(edits.ready(), frame, 5_500_000, 5_600_000)


def test_receipts_are_numbered_told_and_heard_between_frames(edits, told):
    events, heard = Events(), []
    ledger = Ledger(told.append, events)
    events.on("edit", heard.append)
    first, second = (ledger.note(receipt_of(edits, frame)) for frame in (1, 2))
    assert [one.number for one in ledger.receipts] == [1, 2]
    assert told == [str(first), str(second)]
    assert heard == []
    events.deliver(told.append)
    events.deliver(told.append)
    assert heard == [first, second]


def test_a_later_verdict_takes_the_first_ones_place(edits, told, log_file):
    events, heard = Events(), []
    ledger = Ledger(told.append, events)
    events.on("edit", heard.append)
    with EventLog(log_file, "flock", told.append) as ledger.log:
        live = ledger.note(receipt_of(edits))
        ledger.note(receipt_of(edits))
        back = ledger.roll_back(live, "x is not finite", 50)
    assert [one.verdict for one in ledger.receipts] == ["rolled_back", "live"]
    assert back.number == live.number
    events.deliver(told.append)
    assert [one.verdict for one in heard] == ["live", "live", "rolled_back"]
    assert len(log_file.read_text().splitlines()) == 3


def test_another_thread_can_wait_for_a_receipt(edits, told):
    ledger = Ledger(told.append, Events())
    found: list[Receipt | None] = []
    waiting = threading.Thread(
        target=lambda: found.append(
            ledger.wait_for(lambda: next((one for one in ledger.receipts if one.frame == 2), None), 10)
        )
    )
    waiting.start()
    for frame in (1, 2):
        ledger.note(receipt_of(edits, frame))
    waiting.join(10)
    assert [one.frame for one in found] == [2]


def test_waiting_ends(told):
    assert Ledger(told.append, Events()).wait_for(lambda: None, 0.0) is None
