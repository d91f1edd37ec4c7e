"""`instar bench`: measure what Instar promises about time on this machine."""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from typing import Any


def bench(args: argparse.Namespace) -> int:
    """Run one benchmark and print its figures."""
    benchmark = import_module(f"instar.bench.{args.what}")
    figures = benchmark.measure()
    table = getattr(benchmark, "table", lambda found: _table(args.what, found))
    sys.stdout.write((json.dumps(figures, indent=2) if args.json else table(figures)) + "\n")
    return 0


def _table(what: str, figures: dict[str, Any]) -> str:
    lines = [f"instar bench {what}"]
    for key, value in figures.items():
        if isinstance(value, list):
            lines += ["", key, *_aligned(value)]
        elif isinstance(value, dict):
            lines.append(f"  {key:18} " + "  ".join(f"{name} {_short(cell)}" for name, cell in value.items()))
        else:
            lines.append(f"  {key:18} {_short(value)}")
    return "\n".join(lines)


def _aligned(rows: list[dict[str, Any]]) -> list[str]:
    """Rows below one another, under the names of all their cells."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *([_short(row.get(name, "")) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
