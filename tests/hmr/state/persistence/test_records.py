from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from instar.hmr.state.persistence.plain import NotTold
from instar.hmr.state.persistence.records import fits, lay_out, parse, write

KEYS = st.text(st.characters(), min_size=1, max_size=20)
VALUES = st.dictionaries(KEYS, st.binary(max_size=200), max_size=6)


@given(VALUES, st.integers(0, 300))
def test_what_is_laid_out_is_parsed(values: Mapping[str, bytes], behind: int) -> None:
    data, slots = lay_out(values)
    assert parse(data + bytes(behind)) == (values, slots)
    assert all(data[slots[key].value_at :].startswith(value) for key, value in values.items())


@given(VALUES.filter(bool), st.data())
def test_a_value_that_fits_is_written_in_place_and_looks_as_if_laid_out(
    values: dict[str, bytes], draw: st.DataObject
) -> None:
    data, slots = lay_out(values)
    live = bytearray(data)
    key = draw.draw(st.sampled_from(sorted(values)))
    value = draw.draw(st.binary(max_size=200))
    changed, moved = lay_out({**values, key: value})
    assert fits(slots[key], value) == (slots == moved)
    if fits(slots[key], value):
        write(memoryview(live), slots[key], value, len(values[key]))
        assert live == changed


@given(st.binary(max_size=200))
@example(b"\1" + bytes(80))
def test_bytes_of_a_stranger_are_records_or_refused(data: bytes) -> None:
    try:
        values, _ = parse(data)
    except NotTold:
        pass
    else:
        assert lay_out(values)[0] == data.rstrip(b"\0").ljust(len(lay_out(values)[0]), b"\0")


@given(VALUES.filter(bool), st.data())
def test_a_changed_byte_never_makes_records_out_of_their_form(values: Mapping[str, bytes], draw: st.DataObject) -> None:
    data = bytearray(lay_out(values)[0])
    data[draw.draw(st.integers(0, len(data) - 1))] ^= draw.draw(st.integers(1, 255))
    try:
        read, _ = parse(bytes(data))
    except NotTold:
        return
    assert lay_out(read)[0] == data


def test_records_out_of_order_are_refused() -> None:
    one, two = lay_out({"a": b"1"})[0], lay_out({"b": b"2"})[0]
    parse(one + two)
    for wrong in (two + one, one + one, one + bytes(64) + two):
        with pytest.raises(NotTold):
            parse(wrong)
