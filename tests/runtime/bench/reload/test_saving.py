from __future__ import annotations

import pytest

from instar.bench.reload.saving import Saves, receipts_of, spread, times
from instar.hmr.code.compile.source import digest_of


def receipt(text: str, verdict: str = "live", event_ns: int = 0) -> dict:
    digests = {"edited.py": digest_of(text.encode())}
    return {"digests": digests, "verdict": verdict, "event_ns": event_ns, "event_to_ready_ms": 2.0, "swap_ms": 0.5}


def test_receipts_are_those_of_the_saves_in_their_order():
    first, found = (Saves(digests=[digest_of(text.encode()) for text in texts]) for texts in ("a", "ba"))
    receipts = [receipt("a"), receipt("x"), receipt("b", "rejected"), receipt("b"), receipt("a")]
    assert receipts_of(receipts, first, found) == [[receipts[0]], [receipts[3], receipts[4]]]


def test_a_version_without_a_receipt_is_told():
    with pytest.raises(RuntimeError, match="no receipt"):
        receipts_of([receipt("a")], Saves(digests=["b"]))


def test_times_are_counted_from_the_save():
    found = Saves(saved=[1_000_000], visible=[9_000_000], digests=[digest_of(b"a")])
    measured = times(found, [receipt("a", event_ns=1_500_000)])
    assert measured["ready_ms"]["p50"] == 2.5
    assert measured["visible_ms"]["max"] == 8.0
    assert measured["swap_ms"]["p99"] == 0.5


def test_a_spread_is_median_and_worst():
    assert spread([1, 2, 3]) == {"p50": 2.0, "p99": 2.98, "max": 3.0}
