from __future__ import annotations

import io
import os
from typing import Any

from instar.view.lines import LineView, status


def lines(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def test_a_state_is_one_plain_line(snapshot: Any) -> None:
    state = snapshot(fps_now=60.0)
    assert status(state) == (
        "frame 12345  60.0 fps  deadline p99 31 µs  update 4.0 ms  prey 9874  hunters 211  edits 1"
    )
    late = snapshot(missed=3, dropped=2, errors=["a", "b"], state="ended")
    assert status(late).endswith("  edits 1  missed 3  dropped 2  errors 2  ended")
    late["late"] = {"causes": {"update": 2, "garbage": 1}, "newest": []}
    assert "  missed 3 (update 2, garbage 1)  dropped 2  " in status(late)


def test_a_state_with_the_least_keys_is_a_line_too() -> None:
    assert status({"frame": 3}) == "frame 3  0.0 fps  edits 0"


def test_messages_states_and_errors_are_written_without_control_codes(snapshot: Any) -> None:
    stream = io.StringIO()
    view = LineView(stream)
    view.message("\x1b[31mred\x1b[0m\x1b[2J\nline two\n")
    view.publish(snapshot(errors=["prey.py:3: \x1b[1mbad\x1b[0m\n  x = 1 / 0"]))
    view.close(snapshot(errors=[]))
    assert lines(stream)[:4] == ["red", "line two", "prey.py:3: bad", "  x = 1 / 0"]
    assert all(char.isprintable() or char == "\n" for char in stream.getvalue())


def test_an_error_is_written_in_full_once_until_it_is_mended(snapshot: Any) -> None:
    stream = io.StringIO()
    view = LineView(stream)
    broken, mended = snapshot(errors=["prey.py:3: bad"]), snapshot()
    for state in (broken, broken, mended, broken):
        view.publish(state)
    view.close(broken)
    assert lines(stream).count("prey.py:3: bad") == 2


def test_an_error_that_a_message_just_held_is_not_repeated(snapshot: Any) -> None:
    stream = io.StringIO()
    view = LineView(stream)
    view.message("rejected: prey.py:3: bad")
    view.publish(snapshot(errors=["prey.py:3: bad"]))
    view.close(snapshot(errors=["prey.py:3: bad"]))
    assert sum("prey.py:3: bad" in line for line in lines(stream)) == 1


def test_a_run_that_never_had_a_state_ends_without_a_line() -> None:
    stream = io.StringIO()
    view = LineView(stream)
    view.close({})
    view.close({})
    assert stream.getvalue() == ""


def test_what_the_stream_cannot_encode_is_escaped(snapshot: Any) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "ascii")
    view = LineView(stream)
    view.message("café")
    view.close(snapshot())
    assert raw.getvalue().startswith(b"caf\\xe9\n")
    assert b"31 \\xb5s" in raw.getvalue()


def test_a_reader_that_went_away_or_a_closed_stream_does_not_end_the_run(snapshot: Any) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with io.TextIOWrapper(io.FileIO(writing, "w"), write_through=True) as stream:
        view = LineView(stream)
        view.message("nobody")
        view.close(snapshot())
    closed = io.StringIO()
    closed.close()
    LineView(closed).close(snapshot())


def test_released_is_quiet_and_needs_no_terminal(snapshot: Any) -> None:
    stream = io.StringIO()
    view = LineView(stream)
    view.message("before")
    with view.released():
        assert stream.getvalue() == "before\n"
    view.close({})
    assert view.canvas() is None
