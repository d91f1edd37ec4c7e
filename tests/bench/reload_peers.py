"""Instar beside other tools that reload Python code, in the same run: how fast, and what goes wrong.

    python -m pip install "instar[bench]" && python tests/bench/reload_peers.py --json

Each tool reloads the same 300 lines in a 60 Hz loop in a process of its own, with its defaults.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import random
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent / "peers"))

from correctness import CHECKS
from peer import INSTAR, Peer, running

DISTRIBUTIONS = {
    INSTAR: "instar",
    "jurigged": "jurigged",
    "IPython autoreload": "ipython",
    "watchdog + importlib.reload": "watchdog",
    "hmr": "hmr",
}
PATIENCE_S = 2.0


def main() -> int:
    """Compares as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--saves", type=int, default=100, help="saves that are timed for each tool")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    args = parser.parse_args()
    found = compare(args.saves)
    sys.stdout.write((json.dumps(found, indent=2) if args.json else table(found)) + "\n")
    return 0


def compare(saves: int) -> dict[str, Any]:
    """The figures of all tools that there are, and why the others are missing."""
    tools: dict[str, Any] = {}
    for tool, distribution in DISTRIBUTIONS.items():
        reason = _missing(tool, distribution)
        if reason:
            tools[tool] = {"missing": reason}
            continue
        tools[tool] = {"version": importlib.metadata.version(distribution), **measure(tool, saves)}
    ours, theirs = tools[INSTAR]["visible_ms"], tools["jurigged"].get("visible_ms")
    return {
        "python": platform.python_version(),
        "saves": saves,
        "tools": tools,
        "faster_than_jurigged": round(theirs["p50"] / ours["p50"], 2) if ours and theirs else None,
    }


def measure(tool: str, saves: int) -> dict[str, Any]:
    """One tool: its times, and each check in a loop of its own."""
    with running(tool) as peer:
        times, unseen = _times(peer, saves)
    checks: dict[str, Any] = {}
    for name, check in CHECKS.items():
        with running(tool) as peer:
            right, seen = check(peer)
        checks[name] = {"right": right, "seen": seen}
    return {"visible_ms": times, "unseen": unseen, "checks": checks}


def _times(peer: Peer, saves: int) -> tuple[dict[str, float] | None, int]:
    """From a save in place to the first call of the new code, in ms; and how many were not seen."""
    moments = random.Random(3)
    found = []
    for tag in range(100_001, 100_001 + saves):
        time.sleep(moments.uniform(0.03, 0.06))
        (peer.folder / "edited.py").write_text(peer.text(tag), encoding="utf-8")
        saved = time.monotonic_ns()
        seen = peer.wait_for((tag, tag), PATIENCE_S)
        if seen is not None:
            found.append((seen - saved) / 1e6)
    if not found:
        return None, saves
    spread = {f"p{part}": round(float(np.percentile(found, part)), 2) for part in (50, 99)}
    return {**spread, "max": round(max(found), 2)}, saves - len(found)


def _missing(tool: str, distribution: str) -> str | None:
    """Why a tool is not compared."""
    if tool == "hmr" and sys.version_info < (3, 12):
        return f"needs Python 3.12, this is {platform.python_version()}"
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return 'not installed: pip install "instar[bench]"'
    return "no loop has been written for it" if tool == "hmr" else None


def table(found: dict[str, Any]) -> str:
    """The figures for people, as Markdown."""
    tools = {name: one for name, one in found["tools"].items() if "missing" not in one}
    lines = [
        f"| Python {found['python']} | " + " | ".join(f"{name} {one['version']}" for name, one in tools.items()) + " |",
        "| --- |" + " --- |" * len(tools),
        "| save → first call, ms, p50 / p99 | " + " | ".join(_shown(one) for one in tools.values()) + " |",
    ]
    for name in CHECKS:
        cells = [
            f"{'right' if one['checks'][name]['right'] else 'WRONG'}: {one['checks'][name]['seen']}"
            for one in tools.values()
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    missing = [f"{name}: {one['missing']}." for name, one in found["tools"].items() if "missing" in one]
    faster = (
        f"Instar is {found['faster_than_jurigged']} × as fast as jurigged." if found["faster_than_jurigged"] else ""
    )
    return "\n".join([*lines, "", *missing, faster])


def _shown(one: dict[str, Any]) -> str:
    times = one["visible_ms"]
    if times is None:
        return f"none of {one['unseen']} seen"
    unseen = f", {one['unseen']} not seen" if one["unseen"] else ""
    return f"{times['p50']} / {times['p99']}{unseen}"


if __name__ == "__main__":
    sys.exit(main())
