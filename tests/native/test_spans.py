"""Spans: what is recorded is what happened, in order, nested, and as long as it is kept."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.native import InstarError, Span, Spans

NAMES = ["update", "path-finding", "Suche"]

works = st.recursive(
    st.builds(list), lambda inner: st.lists(st.tuples(st.sampled_from(NAMES), inner), max_size=4), max_leaves=12
)


def carry_out(spans: Spans, work, depth, ended):
    for name, inner in work:
        with spans.span(name):
            carry_out(spans, inner, depth + 1, ended)
        ended.append((name, depth))


@given(frames=st.lists(works, max_size=4), capacity=st.sampled_from([2, 8, 64]))
def test_what_ended_is_told_in_order_with_depth_and_frame(frames, capacity):
    spans = Spans(capacity)
    wanted = []
    for number, work in enumerate(frames):
        spans.begin_frame(number)
        ended: list[tuple[str, int]] = []
        carry_out(spans, work, 0, ended)
        wanted += [(name, depth, number) for name, depth in ended]
    told = spans.since()
    assert spans.recorded == len(wanted)
    assert [(spans.names[name], depth, frame) for _, _, frame, name, depth in told.tolist()] == wanted[-capacity:]
    assert (told["begin_ns"] <= told["end_ns"]).all()


def test_times_are_those_of_the_monotonic_clock():
    spans = Spans()
    spans.begin_frame(0)
    before = time.monotonic_ns()
    with spans.span("outer"), spans.span("inner"):
        while time.monotonic_ns() < before + 2_000_000:
            pass
    after = time.monotonic_ns()
    spans.begin_frame(1)
    inner, outer = spans.since()
    assert (
        before - 50_000
        <= outer["begin_ns"]
        <= inner["begin_ns"]
        <= inner["end_ns"]
        <= outer["end_ns"]
        <= after + 50_000
    )
    assert inner["end_ns"] - inner["begin_ns"] >= 1_900_000


def test_only_what_is_new_is_told():
    spans = Spans(4)
    spans.begin_frame(7)
    span = spans.span("a")
    assert spans.span("a") is span
    for _ in range(3):
        with span:
            pass
    assert len(spans.since(2)) == 1
    assert len(spans.since(3)) == len(spans.since(9)) == 0
    for _ in range(4):
        with span:
            pass
    assert len(spans.since(2)) == 4


def test_a_span_ends_where_its_body_raises():
    spans = Spans()
    spans.begin_frame(0)
    with pytest.raises(ZeroDivisionError), spans.span("outer"), spans.span("inner"):
        raise ZeroDivisionError
    assert spans.since()["depth"].tolist() == [1, 0]


def test_what_did_not_end_with_its_frame_is_dropped():
    spans = Spans()
    spans.begin_frame(0)
    left = spans.span("left")
    left.__enter__()
    spans.begin_frame(1)
    with spans.span("whole"):
        pass
    left.__exit__(None, None, None)
    assert [spans.names[name] for name in spans.since()["name"]] == ["whole"]
    assert spans.since()["depth"].tolist() == [0]


def test_deeper_than_can_be_kept_is_counted_but_not_recorded():
    spans = Spans()
    spans.begin_frame(0)
    span = spans.span("down")
    for _ in range(70):
        span.__enter__()
    for _ in range(70):
        span.__exit__(None, None, None)
    assert spans.since()["depth"].tolist() == list(range(63, -1, -1))


def test_other_threads_record_nothing():
    spans = Spans()
    spans.begin_frame(0)

    def work():
        with spans.span("elsewhere"):
            pass

    with spans.span("here"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert [spans.names[name] for name in spans.since()["name"]] == ["here"]


def test_wrong_uses_are_refused():
    with pytest.raises(InstarError, match="a ring of 3 spans cannot be made"):
        Spans(3)
    with pytest.raises(InstarError, match=r"made by Spans\.span"):
        Span()
    with pytest.raises(TypeError):
        Spans().span(None)  # type: ignore[arg-type]
