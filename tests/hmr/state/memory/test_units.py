from __future__ import annotations

import pytest

from instar.hmr.state.memory.units import parse_size, shown_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2GB", 2 * 10**9),
        ("1.5 MiB", 3 << 19),
        ("512 KB", 512_000),
        (" 7B ", 7),
        ("1GiB", 1 << 30),
        ("2", None),
        ("2gb", None),
        ("-2GB", None),
        ("2GBs", None),
        ("", None),
        ("1e3MB", None),
    ],
)
def test_sizes_are_a_number_and_a_unit(text, size):
    assert parse_size(text) == size


def test_sizes_for_people():
    assert [shown_size(size) for size in (0, 999, 1000, 12_345_678, 2.5e12)] == [
        "0 B", "999 B", "1.0 KB", "12.3 MB", "2500.0 GB",
    ]  # fmt: skip
