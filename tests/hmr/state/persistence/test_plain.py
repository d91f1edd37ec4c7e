from __future__ import annotations

import enum
import math
import os
import struct
import subprocess
import sys
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from instar.hmr.state.persistence.plain import MOST_BYTES, MOST_DEPTH, NotPlain, NotTold, decode, encode, is_frozen

from .conftest import PLAIN, same


class Surface:
    pass


class Point(NamedTuple):
    x: int


class Level(enum.IntEnum):
    ONE = 1


GOLDEN = {
    "00": None,
    "01": False,
    "02": True,
    "030100": 0,
    "030180": -128,
    "03028000": 128,
    "0301ff": -1,
    "04000000000000f87f": math.nan,
    "040000000000000080": -0.0,
    "04000000000000f07f": math.inf,
    "0503c3a961": "éa",
    "0503eda080": "\ud800",
    "060200ff": b"\0\xff",
    "0702" + "030101" + "00": [1, None],
    "0801" + "0700": ([],),
    "0902" + "050162" + "030101" + "050161" + "030102": {"b": 1, "a": 2},
    "0a02" + "030101" + "050161": {"a", 1},
    "06" + "ac02" + "61" * 300: b"a" * 300,
}


@pytest.mark.parametrize(("told", "value"), GOLDEN.items())
def test_the_form_of_each_type_never_changes(told: str, value: Any) -> None:
    assert encode(value).hex() == told
    assert same(decode(bytes.fromhex(told)), value)


@given(PLAIN)
@example([struct.unpack("<d", b"\x01\0\0\0\0\0\xf4\xff")[0]])
@example({math.nan: 1, (math.nan,): 2})
@example({1: "a", 2: [{"b": {1, 2.5, ()}}]})
def test_what_is_told_is_read(value: Any) -> None:
    told = encode(value)
    read = decode(told)
    assert same(read, value)
    assert encode(read) == told


@given(PLAIN)
def test_what_is_frozen_has_no_part_that_can_change(value: Any) -> None:
    def parts(one: Any) -> Any:
        yield one
        for part in one if isinstance(one, tuple) else ():
            yield from parts(part)

    assert is_frozen(value) == (not any(isinstance(part, list | dict | set) for part in parts(value)))


@given(st.binary(max_size=60))
@example(b"\x07\xff\xff\xff\xff\x0f")
@example(b"\x09\x02\x00\x00\x00\x00")
@example(b"\x0a\x02\x02\x01")
@example(b"\x0a\x02\x01\x01")
@example(b"\x0a\x02\x03\x01\x01\x02")
@example(b"\x0a\x01\x07\x00")
@example(b"\x09\x01\x09\x00\x00")
@example(b"\x05\x80\x00")
@example(b"\x05\x02\xc3\x28")
@example(b"\x03\x02\x01\x00")
@example(b"\x03\x00")
@example(b"\x04\x00")
@example(b"\x00\x00")
@example(b"\x0b\x00")
@example(b"")
@example(b"\x07\x01" * 100 + b"\x00")
@example(b"\x06" + b"\x80" * 9 + b"\x01")
def test_bytes_of_a_stranger_are_a_value_or_refused(data: bytes) -> None:
    try:
        value = decode(data)
    except NotTold:
        pass
    else:
        assert encode(value) == data


@given(PLAIN, st.data())
def test_a_changed_byte_is_another_value_or_refused(value: Any, data: st.DataObject) -> None:
    told = bytearray(encode(value))
    at = data.draw(st.integers(0, len(told) - 1))
    told[at] ^= data.draw(st.integers(1, 255))
    try:
        read = decode(bytes(told))
    except NotTold:
        return
    assert encode(read) == told


def test_bytes_longer_than_any_value_are_not_read() -> None:
    with pytest.raises(NotTold, match="more than any value"):
        decode(b"\x06" + bytes(MOST_BYTES + 4))


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (Surface(), " is a Surface"),
        ({"ship": [1, 2, Surface()]}, "['ship'][2] is a Surface"),
        ([(0, {3: Surface})], "[0][1][3] is a type"),
        ({(1, Level.ONE): 2}, " key (1, <Level.ONE: 1>)[1] is a Level, not a plain int: write int(…)"),
        ([Point(1)], "[0] is a Point, not a plain tuple"),
        ([np.float64(2)], "[0] is a float64, not a plain float: write float(…)"),
        (np.int64(2), " is an int64: write int(…)"),
        (np.zeros(2), " is a ndarray: write ….tolist()"),
        ({frozenset()}, " element frozenset() is a frozenset"),
        (1j, " is a complex"),
        (bytearray(), " is a bytearray"),
        (CYCLE, f" is nested more than {MOST_DEPTH} deep, or contains itself"),
        (b"a" * MOST_BYTES, f" takes {MOST_BYTES + 4:,} bytes, and at most {MOST_BYTES:,} can be persisted"),
        ({10**5000: Surface}, "[<int>] is a type"),
    ],
)
def test_what_is_no_plain_data_is_named_with_its_place(value: Any, says: str) -> None:
    with pytest.raises(NotPlain) as refused:
        encode(value)
    assert str(refused.value).startswith(says)


def test_the_deepest_and_the_largest_are_told() -> None:
    deep: Any = 1
    for _ in range(MOST_DEPTH):
        deep = [deep]
    assert same(decode(encode(deep)), deep)
    with pytest.raises(NotPlain):
        encode([deep])
    large = b"a" * (MOST_BYTES - 4)
    assert decode(encode(large)) == large


def test_sets_are_told_alike_by_every_process() -> None:
    code = (
        "from instar.hmr.state.persistence.plain import encode\n"
        "print(encode({'a', 'b', 'c', ('d', 1), None, 2.5, -3}).hex())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert told == {encode({"a", "b", "c", ("d", 1), None, 2.5, -3}).hex() + "\n"}
