from __future__ import annotations

import json

from instar.edits.receipt import Receipt
from instar.hmr.state import Step
from instar.native import InstarError
from instar.scene.changes import Setting


def test_a_receipt_tells_when_what_and_how_much(edits):
    steps = [
        Step("boids: added energy (f32, default 0.0)", "boids", "energy", 1000),
        Step("boids: parked age", "boids", "age", 1000),
        Step("hawks: parked with 7 rows", "hawks", None, 7),
        Setting("fps is now 30, was 60"),
    ]
    known = {"compiled_ns": 2_000_000, "predicted": "temp file", "saved_ns": 800_000}
    receipt = Receipt.of(edits.ready(**known), 42, 5_500_000, 5_600_000, steps, version=3)
    assert (receipt.verdict, receipt.frame, receipt.version) == ("live", 42, 3)
    assert (receipt.event_to_ready_ms, receipt.ready_to_swap_ms, receipt.swap_ms) == (2.5, 2.0, 0.1)
    assert (receipt.event_to_compiled_ms, receipt.trial_ms, receipt.imports) == (1.0, 0.4, {"colorsys": 1.5})
    assert (receipt.predicted, receipt.saved_ms) == ("temp file", 0.8)
    assert receipt.digests == {"flock.py": "0123456789ab"}
    assert receipt.columns == ("boids.energy", "boids.age")
    assert receipt.rows == 1007
    assert receipt.migrated == tuple(map(str, steps[:3]))
    assert receipt.settings == ("fps is now 30, was 60",)
    assert (
        "flock.py: live at frame 42 as version 3 (2.5 ms to ready, temp file, swap 0.10 ms); boids: added energy"
        in str(receipt)
    )
    assert "1,007 agents touched" in str(receipt)


def test_the_keys_that_stay_are_in_its_document(edits):
    document = Receipt.of(edits.ready(), 42, 5_500_000, 5_600_000).document()
    frozen = {"files", "verdict", "frame", "event_to_ready_ms", "ready_to_swap_ms", "swap_ms", "migrated", "error"}
    assert frozen <= document.keys()
    assert json.loads(json.dumps(document)) == document


def test_a_rejection_says_why(edits):
    receipt = Receipt.of(edits.rejected(InstarError("flock.py:3: no")), 42, 5, 6, error=InstarError("flock.py:3: no"))
    assert (receipt.verdict, receipt.error, receipt.digests) == (
        "rejected",
        "flock.py:3: no",
        {"flock.py": "0123456789ab"},
    )
    assert str(receipt) == "flock.py: rejected\nflock.py:3: no"


def test_what_was_rolled_back_keeps_what_was_known_of_it(edits):
    live = Receipt.of(edits.ready(), 42, 5_500_000, 5_600_000, version=3)
    back = live.roll_back(InstarError("x is not finite"), 50)
    assert (back.verdict, back.error, back.rolled_back_frame, back.frame) == ("rolled_back", "x is not finite", 50, 42)
    assert back.digests == live.digests
    assert live.verdict == "live"
    assert str(back) == "flock.py: rolled back\nx is not finite"
