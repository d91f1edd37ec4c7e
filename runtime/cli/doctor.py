"""`instar doctor`: what this machine offers, what is missing, and how to get it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable

from instar.cli.checks import ALL, Check

_SIGNS = {"ok": ("✓", "ok"), "warn": ("!", "!"), "broken": ("✗", "X")}
_COLOURS = {"ok": "32", "warn": "33", "broken": "1;31"}


def doctor(args: argparse.Namespace) -> int:
    """Prints a verdict for each check; 1 if something that Instar needs is broken."""
    found = [check for examine in ALL for check in examine()]
    broken = any(check.verdict == "broken" for check in found)
    if args.json:
        document = {"ok": not broken, "checks": [check._asdict() for check in found]}
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\n".join(_lines(found)) + "\n")
    return int(broken)


def _lines(found: Iterable[Check]) -> Iterable[str]:
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    rich = encoding == "utf8"
    colours = sys.stdout.isatty()
    for check in found:
        sign = _SIGNS[check.verdict][0 if rich else 1]
        if colours:
            sign = f"\x1b[{_COLOURS[check.verdict]}m{sign}\x1b[0m"
        yield f"{sign} {check.name:<18} {check.found}".encode(encoding, "replace").decode(encoding)
        if check.advice:
            yield f"  {'':<18} {check.advice}".encode(encoding, "replace").decode(encoding)
