"""The terminal, and what else can be installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec

from instar.cli.checks.check import Check

_EXTRAS = {
    "bench": (("awscrt",), "comparisons in instar bench"),
    "test": (("pytest", "hypothesis", "pyte"), "the tests"),
    "dev": (("ruff", "mypy", "importlinter"), "work on Instar itself"),
}


def terminal() -> Iterator[Check]:
    """Whether `instar run` can show its live view here."""
    if not sys.stderr.isatty():
        yield Check("terminal", "ok", "standard error is no terminal: a run is shown as one line a second")
        return
    size = os.get_terminal_size(sys.stderr.fileno())
    kind = os.environ.get("TERM", "dumb")
    utf8 = (sys.stderr.encoding or "").lower().replace("-", "") == "utf8"
    colours = "no colour (NO_COLOR)" if os.environ.get("NO_COLOR") else os.environ.get("COLORTERM", "colour")
    shown = f"{kind}, {size.columns} × {size.lines}, {colours}, {'UTF-8' if utf8 else sys.stderr.encoding}"
    if not utf8 or kind in {"", "dumb", "unknown"}:
        yield Check("terminal", "warn", shown, "A run is shown as plain lines; for the live view: export LANG=C.UTF-8")
    elif size.columns < 60 or size.lines < 16:
        yield Check("terminal", "warn", shown, "60 columns and 16 lines show the live view whole.")
    else:
        yield Check("terminal", "ok", shown)


def extras() -> Iterator[Check]:
    """Which optional packages are installed."""
    for extra, (modules, purpose) in _EXTRAS.items():
        missing = [module for module in modules if find_spec(module) is None]
        if missing:
            advice = f"For {purpose}: pip install 'instar[{extra}]'"
            yield Check(f"extra {extra}", "warn", f"missing: {', '.join(missing)}", advice)
        else:
            yield Check(f"extra {extra}", "ok", f"{', '.join(modules)}, for {purpose}")
