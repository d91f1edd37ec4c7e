from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.native import InstarError, crc64


def crc_by_definition(data: bytes) -> int:
    crc = 2**64 - 1
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x9A6C9329AC4BC9B5 if crc & 1 else 0)
    return crc ^ (2**64 - 1)


def test_check_value() -> None:
    assert crc64(b"123456789") == 0xAE8B14860A799888


def test_of_nothing() -> None:
    assert crc64(b"") == 0
    assert crc64(b"", 77) == 77


@given(st.binary(max_size=400))
def test_equals_its_definition(data: bytes) -> None:
    assert crc64(data) == crc_by_definition(data)


@given(st.integers(0, 2**32), st.integers(0, 50_000), st.lists(st.integers(0, 50_000), max_size=5))
def test_continues_over_splits(seed: int, size: int, splits: list[int]) -> None:
    data = np.random.default_rng(seed).bytes(size)
    bounds = sorted({0, size, *(split for split in splits if split < size)})
    crc = 0
    for begin, end in pairwise(bounds):
        crc = crc64(memoryview(data)[begin:end], crc)
    assert crc == crc64(data)


def test_counts_bytes_of_any_buffer() -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert crc64(values) == crc64(values.tobytes())


@pytest.mark.parametrize("source", ["text", 7, np.zeros(8)[::2]])
def test_refuses_what_is_no_bytes(source: object) -> None:
    with pytest.raises(InstarError, match="contiguous"):
        crc64(source)  # type: ignore[arg-type]


def test_refuses_a_crc_out_of_range() -> None:
    with pytest.raises(OverflowError):
        crc64(b"", -1)
