"""How fast committed bytes are verified, on one thread."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from instar.bench.state.commits import SIZES
from instar.bench.state.timing import median, rounds_for
from instar.native import crc64


def validate_rows() -> list[dict[str, Any]]:
    """The checksum of so many bytes, beside awscrt's of the same bytes where it is installed."""
    return [_row(size) for size in SIZES]


def _row(size: int) -> dict[str, Any]:
    data = np.random.default_rng(1).integers(0, 255, size, np.uint8)
    row = {"bytes": size, "gb_per_s": _gb_per_s(size, lambda: crc64(data))}
    if find_spec("awscrt") is not None:
        peer = import_module("awscrt.checksums").crc64nvme
        whole = data.tobytes()
        row["awscrt_gb_per_s"] = _gb_per_s(size, lambda: peer(whole))
    return row


def _gb_per_s(size: int, action: Callable[[], object]) -> float:
    return round(size / median(action, lambda: None, rounds_for(size)) / 1e9, 3)
