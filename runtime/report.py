"""The report of a run: one plain document for `--json`, for views and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from instar.edits.receipt import Receipt
from instar.loop.deadlines import Deadlines
from instar.loop.timing.meter import Meter
from instar.loop.timing.timing import Timing
from instar.world import World

_MS = 1e6
_US = 1e3


def report(
    world: World,
    timing: Timing,
    deadlines: Deadlines,
    receipts: Sequence[Receipt],
    errors: Sequence[str],
    *,
    fps: float,
    frames: int,
    seconds: float,
    newest: int | None = None,
) -> dict[str, Any]:
    """The document of a run so far.

    Args:
        world: The world.
        timing: What its frames cost.
        deadlines: Its deadlines.
        receipts: Its edits, oldest first.
        errors: What is wrong now.
        fps: The frames per second aimed at.
        frames: Frames committed in this run.
        seconds: How long the run has lasted.
        newest: How many of the edits and late frames are told, the newest; all that are kept, if None.
    """
    meter = timing.meter
    return {
        "scene": world.scene.folder.name,
        "title": world.scene.title,
        "paths": [str(world.scene.folder)],
        "frame": world.frame,
        "frames": frames,
        "fps": fps,
        "seconds": round(seconds, 6),
        "missed": meter.missed,
        "missed_by_edits": meter.missed_by_edits,
        "late": timing.late.document() if newest is None else timing.late.document(newest),
        "dropped": deadlines.dropped,
        "deadline_error_us": _deadline_error(meter),
        "phases_ms": {phase: series.summary(_MS) for phase, series in meter.phases.items()},
        "modules": _modules(world, meter),
        "agents": {name: len(table) for name, table in world.tables.items()},
        "edit_count": len(receipts),
        "edits": [receipt.document() for receipt in (receipts if newest is None else receipts[-newest:])],
        "errors": list(errors),
        "crc": f"{world.state.crc:016x}",
        "operations": {name: _operation(measured) for name, measured in world.state.metrics.items()},
        "history": {"frames": len(world.frames), "bytes": world.state.history_bytes},
    }


def _deadline_error(meter: Meter) -> dict[str, float]:
    series = meter.deadline_error
    found = {"p50": series.percentile(50), "p99": series.percentile(99), "max": series.max()}
    return {key: round(value / _US, 3) for key, value in found.items()}


def _operation(measured: Mapping[str, Any]) -> dict[str, Any]:
    """Count, ms and bytes of one of the state manager's operations."""
    ms = {key: round(1e3 * seconds, 4) for key, seconds in measured["seconds"].items()}
    return {"count": measured["count"], "ms": ms, "bytes": measured["bytes"]}


def _modules(world: World, meter: Meter) -> dict[str, Any]:
    return {
        name: {
            "version": version.version,
            "state": _state(world, name),
            "ms": meter.modules[name].summary(_MS),
        }
        for name, version in world.program.modules.items()
    }


def _state(world: World, module: str) -> str:
    if module in world.resting:
        return "quarantined"
    return "probation" if module in world.verdicts.modules else "live"
