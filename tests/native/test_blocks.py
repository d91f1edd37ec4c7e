"""Shuffles equal their definition, are undone exactly, and say what they cannot do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.native import CHUNK_BYTES, ELEMENT_BYTES, Column, InstarError, Shuffler, all_zero, chunk_crcs, crc64

MOST = 5000
Bytes = npt.NDArray[np.uint8]


def bytes_by_definition(data: Bytes, size: int) -> Bytes:
    head = len(data) // size * size
    return np.concatenate([data[:head].reshape(-1, size).T.ravel(), data[head:]])


def bits_by_definition(data: Bytes, size: int) -> Bytes:
    head = len(data) // (8 * size) * 8 * size
    bits = np.unpackbits(data[:head].reshape(-1, size), axis=1, bitorder="little")
    return np.concatenate([np.packbits(bits.T.ravel(), bitorder="little"), data[head:]])


@pytest.mark.parametrize("size", ELEMENT_BYTES)
@given(st.binary(max_size=MOST) | st.integers(0, MOST).map(lambda n: np.random.default_rng(n).bytes(n)))
def test_equal_their_definition_and_are_undone(size: int, data: bytes) -> None:
    shuffler, given_bytes = Shuffler(MOST), np.frombuffer(data, np.uint8)
    for there, back, expected in (
        (shuffler.shuffle, shuffler.unshuffle, bytes_by_definition(given_bytes, size)),
        (shuffler.bit_shuffle, shuffler.bit_unshuffle, bits_by_definition(given_bytes, size)),
    ):
        out, again = bytearray(len(data)), bytearray(len(data))
        there(data, out, size)
        back(out, again, size)
        assert out == expected.tobytes()
        assert again == data


def test_leave_the_rest_of_the_room_alone() -> None:
    out = bytearray(b"\xff" * 40)
    Shuffler(MOST).shuffle(bytes(range(33)), out, 4)
    assert out[33:] == b"\xff" * 7


@pytest.mark.parametrize("name", ["shuffle", "unshuffle", "bit_shuffle", "bit_unshuffle"])
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda run: run(b"abc", bytearray(3), 3), "elements of 3 bytes"),
        (lambda run: run(b"abc", bytearray(2), 1), "3 bytes do not fit into 2"),
        (lambda run: run(bytes(MOST + 1), bytearray(MOST + 1), 1), "do not fit into 5,000"),
        (lambda run: run(b"abcd", bytes(4), 4), "out must be writable contiguous bytes, got bytes"),
        (lambda run: run("abcd", bytearray(4), 4), "data must be contiguous bytes, got str"),
        (lambda run: run(room := bytearray(4), memoryview(room)[0:], 4), "overlap"),
    ],
)
def test_say_what_they_cannot_do(name: str, call: Callable[..., None], message: str) -> None:
    with pytest.raises(InstarError, match=message):
        call(getattr(Shuffler(MOST), name))


@given(st.integers(0, 5 * CHUNK_BYTES))
def test_chunk_crcs_are_those_of_a_column(size: int) -> None:
    data = np.random.default_rng(size).bytes(size)
    filled = data + bytes(-size % CHUNK_BYTES)
    expected = [crc64(filled[start : start + CHUNK_BYTES]) for start in range(0, size, CHUNK_BYTES)]
    assert chunk_crcs(data).tolist() == expected
    column = Column(6 * CHUNK_BYTES)
    column.load(data)
    assert column.chunk_crcs() == chunk_crcs(data)


@given(st.integers(0, 300), st.integers(0, 299))
def test_all_zero(count: int, place: int) -> None:
    data = bytearray(count)
    assert all_zero(data)
    if place < count:
        data[place] = 1
        assert not all_zero(data)
