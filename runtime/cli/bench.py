"""`instar bench`: measure what Instar promises about time on this machine."""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from typing import Any


def bench(args: argparse.Namespace) -> int:
    """Run one benchmark and print its figures."""
    figures = import_module(f"instar.bench.{args.what}").measure()
    sys.stdout.write((json.dumps(figures, indent=2) if args.json else _table(args.what, figures)) + "\n")
    return 0


def _table(what: str, figures: dict[str, Any]) -> str:
    lines = [f"instar bench {what}"]
    for key, value in figures.items():
        if isinstance(value, list):
            lines += ["  " + "  ".join(f"{name} {_short(cell)}" for name, cell in row.items()) for row in value]
        elif isinstance(value, dict):
            lines.append(f"  {key:18} " + "  ".join(f"{name} {_short(cell)}" for name, cell in value.items()))
        else:
            lines.append(f"  {key:18} {_short(value)}")
    return "\n".join(lines)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
