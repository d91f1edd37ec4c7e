"""The figures of a storm."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from contents import MEMORY_MB, ROWS
from driver import Driver

MOST_KEPT_PROGRAMS = 64
"""So many versions of the world can be gone back to."""
MOST_GROWTH = {"resident": MEMORY_MB * 10**6 + 32 * 10**6, "threads": 4, "descriptors": 6}
"""From the first saves to the end, the world's memory included."""
HUNG_MS = 900
"""A frame as late as that was one in which a hook hung until it was interrupted."""
PROMISES = ("torn", "stale", "lost", "void", "untold", "fault", "crash", "leaked")


def figures(
    driver: Driver,
    args: argparse.Namespace,
    seconds: float,
    held: Sequence[Mapping[str, Any]],
    status: int,
    report: Mapping[str, Any],
    logs: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """All that a storm has found, as one document."""
    oracle, tally = driver.oracle, driver.tally
    if report:
        _check_report(driver, status, report, timed=not args.untimed)
    last = held[-1] if held else {}
    _check_held(driver, held)
    counts = oracle.counts()
    live = [edit for edit in report.get("edits", ()) if edit["verdict"] == "live"]
    return {
        "seed": args.seed,
        "saves": tally.saves,
        "steps": sum(tally.steps.values()),
        "seconds": round(seconds, 1),
        "frames": oracle.frames,
        **{kind: counts.get(kind, 0) for kind in PROMISES},
        "missed_by_edits": _missed(report) if report else None,
        "late": report.get("late"),
        "leaks": report.get("leaks"),
        "missed": report.get("missed"),
        "rejections": tally.rejections,
        "visible_ms": _spread([ms for _, ms in tally.visible_ms]),
        "visible_ms_by_lines": {
            name: _spread([ms for lines, ms in tally.visible_ms if low < lines <= high])
            for name, low, high in (("up to 400", 0, 400), ("400 to 1500", 400, 1500), ("1500 to 5000", 1500, 5000))
        },
        "ready_ms": _spread([edit["event_to_ready_ms"] for edit in live]),
        "swap_ms": _spread([edit["swap_ms"] for edit in live]),
        "predicted": sum(bool(edit.get("predicted")) for edit in live),
        "versions": {key: last.get(key) for key in ("born", "alive", "kept")} | {"listed": len(last.get("listed", ()))},
        "resident_mb": [round(one.get("resident", 0) / 1e6, 1) for one in held],
        "threads": [one.get("threads") for one in held],
        "descriptors": [one.get("descriptors") for one in held],
        "kinds": dict(tally.steps),
        "ways": dict(tally.ways),
        "exit_status": status,
        "defects": [asdict(defect) for defect in oracle.defects],
        "logs": list(logs)[:10],
    }


def _missed(report: Mapping[str, Any]) -> int:
    """Frames late because of edits, without those in which a hook hung until it was interrupted, as it was told to."""
    hung = [late for late in report["late"]["newest"] if late["by_edit"] and late["late_ms"] > HUNG_MS]
    return int(report["missed_by_edits"]) - len(hung)


def _check_report(driver: Driver, status: int, report: Mapping[str, Any], *, timed: bool) -> None:
    if status != 0:
        driver._defect("crash", f"exit status {status}, with all files mended")
    if timed and (missed := _missed(report)):
        driver._defect("missed", f"{missed} frames were late because of edits")
    if report["errors"]:
        driver._defect("stale", f"all files are mended, and yet: {report['errors']}"[:1000])
    if set(report["agents"].values()) != {ROWS}:
        driver._defect("lost", f"agents: {report['agents']}")


def _check_held(driver: Driver, held: Sequence[Mapping[str, Any]]) -> None:
    """What a process holds does not grow with the saves; the world's memory, history and all, has its own limit."""
    if not held or not all(held):
        return
    early, last = held[0], held[-1]
    files = sum(file.endswith(".py") for file in driver.oracle.seen)
    if len(last["listed"]) > files:
        driver._defect(
            "leaked", f"{len(last['listed'])} modules in sys.modules for {files} files: {last['listed']}"[:600]
        )
    if last["kept"] > MOST_KEPT_PROGRAMS * files:
        driver._defect("leaked", f"{last['kept']} versions of files are held: {last['names'][:20]}")
    for what, most in MOST_GROWTH.items():
        if last[what] > early[what] + most:
            driver._defect("leaked", f"{what}: {early[what]} after the first saves, {last[what]} in the end")


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    found = {f"p{part}": round(float(np.percentile(values, part)), 2) for part in (50, 99)}
    return {"count": len(values), **found, "max": round(max(values), 2)}


def table(found: Mapping[str, Any]) -> str:
    """The figures for people."""
    lines = [
        f"{found['saves']} saves in {found['steps']} steps, {found['frames']} frames, {found['seconds']} s, seed {found['seed']}",
        "  "
        + ", ".join(f"{found[kind]} {kind}" for kind in PROMISES)
        + f", {found['missed_by_edits']} missed by edits",
        f"  save → visible: {found['visible_ms']}",
        *(f"    {name} lines: {spread}" for name, spread in found["visible_ms_by_lines"].items()),
        f"  event → ready: {found['ready_ms']}; swap: {found['swap_ms']}; predicted: {found['predicted']}",
        f"  versions: {found['versions']}; resident MB: {found['resident_mb']}; rejections: {found['rejections']}",
        f"  steps: {found['kinds']}",
        f"  ways: {found['ways']}",
    ]
    lines += [f"  step {one['step']}: {one['kind']}: {one['what']}" for one in found["defects"]]
    return "\n".join(lines)
