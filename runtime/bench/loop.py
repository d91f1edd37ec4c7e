"""`instar bench loop`: the frame loop's pacing with 4 ms of work in every frame."""

from __future__ import annotations

import gc
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from instar.loop.clock import SystemClock
from instar.runner import Runtime

FRAMES = 1800
WORK_MS = 4.0

_SCENE = """\
title = "Bench: pacing"
modules = ["work"]
"""
_MODULE = f"""\
import time
from instar import Agents, f32

class Agent(Agents):
    x: f32

def setup(agent):
    agent.spawn(1000)

def update(agent):
    until = time.perf_counter() + {WORK_MS / 1e3}
    while time.perf_counter() < until:
        pass
"""


class MeteredClock(SystemClock):
    """The machine's clock, which also counts the CPU time that pacing takes."""

    def __init__(self) -> None:
        super().__init__()
        self.cpu_ns = 0

    def sleep_until(self, deadline: int) -> None:
        """Sleep and spin as ever; count the CPU time."""
        began = time.thread_time_ns()
        super().sleep_until(deadline)
        self.cpu_ns += time.thread_time_ns() - began


class GcWatch:
    """The longest collection while the context lasts, in ns."""

    def __init__(self) -> None:
        self.worst_ns = 0
        self._began = 0

    def __enter__(self) -> GcWatch:
        gc.callbacks.append(self._note)
        return self

    def __exit__(self, *exc: object) -> None:
        gc.callbacks.remove(self._note)

    def reset(self) -> None:
        """Forget the collections so far, such as the full one before the first frame."""
        self.worst_ns = 0

    def _note(self, phase: str, _info: dict[str, int]) -> None:
        now = time.perf_counter_ns()
        if phase == "start":
            self._began = now
        else:
            self.worst_ns = max(self.worst_ns, now - self._began)


def measure(frames: int = FRAMES) -> dict[str, Any]:
    """Run a scene with 4 ms of work per frame in real time and see how well it keeps its deadlines."""
    with tempfile.TemporaryDirectory(prefix="instar-bench-") as folder:
        scene = Path(folder)
        (scene / "scene.toml").write_text(_SCENE, encoding="utf-8")
        (scene / "work.py").write_text(_MODULE, encoding="utf-8")
        clock = MeteredClock()
        runtime = Runtime(scene, clock=clock)
        memory_at_start: list[float] = []
        with GcWatch() as watch:
            runtime.post(lambda _world: watch.reset())
            runtime.post(lambda _world: memory_at_start.append(_peak_mb()))
            report = runtime.run(frames)
    return {
        "frames": report["frames"],
        "work_ms": WORK_MS,
        "missed": report["missed"],
        "deadline_error_us": report["deadline_error_us"],
        "pacing_cpu": round(clock.cpu_ns / 1e9 / report["seconds"], 5),
        "drift_us": round((report["seconds"] - report["frames"] / report["fps"]) * 1e6, 1),
        "worst_gc_ms": round(watch.worst_ns / 1e6, 4),
        "heap_growth_mb": round(_peak_mb() - memory_at_start[0], 3),
    }


def _peak_mb() -> float:
    """The largest resident memory so far; Linux counts KiB, macOS bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
