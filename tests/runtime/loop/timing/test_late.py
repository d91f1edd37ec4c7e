"""Late frames: the cause that is named is the one that was planted."""

from __future__ import annotations

import pytest

from instar.loop.timing.late import KEPT, LateFrame, LateFrames, Part
from instar.loop.timing.usage import Usage, UsageCounter

MS = 1_000_000
USUAL = {
    "boundary": 0.01 * MS,
    "update": 4.0 * MS,
    "commit": 0.5 * MS,
    "publish": 0.0,
    "maintain": 1.0 * MS,
    "pace": 9.0 * MS,
}
CALM = {"boundary": MS // 100, "input": 0, "update": 4 * MS, "commit": MS // 2, "publish": 0, "maintain": MS}


NOTHING = Usage(0, 0, 0)


def late(used=NOTHING, parts=(), follows=True, **phases):
    return LateFrame.of(
        3, 2 * MS, {**CALM, **phases}, USUAL, used, parts, period_ns=8 * MS, follows=follows, by_edit=False
    )


@pytest.mark.parametrize(
    ("phases", "cause"),
    [
        ({"boundary": 20 * MS}, "swap"),
        ({"input": 20 * MS}, "input"),
        ({"update": 20 * MS}, "update"),
        ({"commit": 20 * MS}, "commit"),
        ({"publish": 20 * MS}, "publish"),
        ({"maintain": 20 * MS}, "maintenance"),
        ({"update": 5 * MS, "commit": 12 * MS}, "commit"),
    ],
)
def test_the_phase_that_took_more_than_usual_is_the_cause(phases, cause):
    assert late(**phases).cause == cause


def test_a_frame_that_only_began_late_catches_up_or_was_woken_late():
    assert late(update=2 * MS).cause == "catching up"
    assert late(update=2 * MS, follows=False).cause == "woken late"
    assert late(update=7 * MS).cause == "update"


def test_a_collection_is_named():
    parts = (Part("maintain", 0, 20 * MS), Part("validation", 1, MS), Part("garbage", 1, 18 * MS))
    assert late(parts=parts, maintain=20 * MS).cause == "garbage"
    parts = (Part("maintain", 0, 20 * MS), Part("validation", 1, 18 * MS), Part("garbage", 1, MS))
    assert late(parts=parts, maintain=20 * MS).cause == "maintenance"


def test_what_the_system_did_comes_before_the_phase_it_did_it_in():
    assert late(Usage(14 * MS, 0, 0), update=20 * MS).cause == "preempted"
    assert late(Usage(3 * MS, 0, 0), update=20 * MS).cause == "update"
    assert late(Usage(0, 900, 9 * MS), commit=16 * MS).cause == "page faults"
    assert late(Usage(0, 900, 2 * MS), commit=16 * MS).cause == "commit"
    assert late(Usage(0, 3, 9 * MS), commit=16 * MS).cause == "commit"


def test_all_are_counted_and_the_newest_kept():
    frames = LateFrames()
    for number in range(KEPT + 5):
        frames.add(
            LateFrame.of(
                number,
                MS,
                {**CALM, "update": 20 * MS},
                USUAL,
                Usage(0, 0, 0),
                (),
                period_ns=8 * MS,
                follows=False,
                by_edit=True,
            )
        )
    told = frames.document()
    assert told["causes"] == {"update": KEPT + 5}
    assert [one["frame"] for one in told["newest"]] == list(range(5, KEPT + 5))
    assert [one["frame"] for one in frames.document(2)["newest"]] == [KEPT + 3, KEPT + 4]
    assert told["newest"][0] == {
        "frame": 5,
        "late_ms": 1.0,
        "cause": "update",
        "by_edit": True,
        "phases_ms": {"boundary": 0.01, "input": 0.0, "update": 20.0, "commit": 0.5, "publish": 0.0, "maintain": 1.0},
        "queued_ms": 0.0,
        "faults": 0,
        "spans": [],
    }


def test_the_counter_counts_page_faults_of_its_thread():
    counter = UsageCounter()
    before = counter.now()
    pages = bytearray(64 << 20)
    used = counter.now().since(before)
    assert used.faults >= len(pages) >> 21
    assert used.queued_ns >= 0
    counter.close()
    counter.close()
    assert counter.now().queued_ns == 0
