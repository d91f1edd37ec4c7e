"""`instar bench state`: what each operation of the state manager costs, beside memcpy and NumPy in the same run."""

from __future__ import annotations

from typing import Any

from instar.bench.state.commits import commit_rows
from instar.bench.state.compression import compression_rows
from instar.bench.state.operations import operation_rows
from instar.bench.state.rates import validate_rows
from instar.native import isa


def measure() -> dict[str, Any]:
    """Every row of the benchmark."""
    return {
        "isa": isa(),
        "operations": operation_rows(),
        "rows": commit_rows(),
        "validate": validate_rows(),
        "compression": compression_rows(),
    }
