from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from instar.view.terminal.wire import Unpacker, pack

values = st.recursive(st.none() | st.integers() | st.text() | st.booleans(), lambda inner: st.lists(inner, max_size=3))
messages = st.lists(st.dictionaries(st.text(max_size=5), values, max_size=3), max_size=5)


@given(messages, st.integers(1, 9))
def test_messages_arrive_whole_in_whatever_pieces_the_bytes_come(sent: list[dict[str, Any]], size: int) -> None:
    data = b"".join(map(pack, sent))
    unpacker = Unpacker()
    received = [message for start in range(0, len(data), size) for message in unpacker.feed(data[start : start + size])]
    assert received == sent


def test_what_json_has_no_word_for_is_sent_as_text() -> None:
    assert list(Unpacker().feed(pack({"path": Path("a/b")}))) == [{"path": "a/b"}]
