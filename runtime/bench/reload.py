"""`instar bench reload`: real saves of a real file, seen by a real process.

A child runs a scene; this process saves its module again and again, at random moments of a frame and in the ways editors
save, and waits until the new version's `update` has said its tag. Times are CLOCK_MONOTONIC, which processes share.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

SAVES = 200
LINES = 300
PATIENCE_S = 5.0

_SCENE = """\
title = "Bench: reload"
modules = ["edited"]
"""
_HEAD = """\
import os
import time

from instar import Agents, f32

TAG = {tag}
_pipe = int(os.environ["INSTAR_BENCH_PIPE"])
_told = False


class Boids(Agents):
    x: f32
    vx: f32


def setup(boids):
    boids.spawn(10_000, vx=1)


def update(boids, dt):
    global _told
    if not _told:
        _told = True
        os.write(_pipe, b"%d %d\\n" % (TAG if TAG == LAST else -1, time.monotonic_ns()))
    boids.x += boids.vx * dt


"""
_FILLER = """\
def filler_{n}(boids, dt):
    for row in range(len(boids)):
        boids.x[row] += {n} * dt
    return boids

"""


@dataclass
class _Saves:
    """When each save was done and when its version was first called, in monotonic ns."""

    saved: list[int] = field(default_factory=list)
    visible: list[int] = field(default_factory=list)
    torn: int = 0
    stale: int = 0


def source(tag: int, lines: int) -> str:
    """A module of about so many lines; its last line must agree with its first for the file to be whole."""
    head = _HEAD.format(tag=tag)
    per_filler = _FILLER.count("\n")
    fillers = max(0, (lines - head.count("\n") - 1) // per_filler)
    return head + "".join(_FILLER.format(n=n) for n in range(fillers)) + f"LAST = {tag}\n"


def save_in_place(path: Path, text: str) -> int:
    """Truncate and write in two halves, as an editor with a small buffer does; returns the time of the save."""
    data = text.encode()
    with path.open("wb", buffering=0) as file:
        file.write(data[: len(data) // 2])
        file.write(data[len(data) // 2 :])
        return time.monotonic_ns()


def save_by_rename(path: Path, text: str) -> int:
    """Write a temporary file beside it and rename that over it."""
    beside = path.with_name(path.name + ".tmp")
    beside.write_text(text, encoding="utf-8")
    now = time.monotonic_ns()
    beside.replace(path)
    return now


WAYS: Sequence[Callable[[Path, str], int]] = (save_in_place, save_by_rename)


def measure(saves: int = SAVES, lines: int = LINES) -> dict[str, Any]:
    """Save a module again and again; how long until its code is ready, and until it runs."""
    with tempfile.TemporaryDirectory(prefix="instar-bench-") as folder:
        scene = Path(folder)
        (scene / "scene.toml").write_text(_SCENE, encoding="utf-8")
        (scene / "edited.py").write_text(source(0, lines), encoding="utf-8")
        with _running(scene) as (process, said):
            found = _save_all(scene / "edited.py", saves, lines, said)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=30)
    if process.returncode != 0:
        raise RuntimeError(f"the scene under test failed: {errors.decode()}")
    return _figures(found, json.loads(output), saves, lines)


@contextmanager
def _running(scene: Path) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], tuple[int, int] | None]]]:
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "instar", "run", str(scene), "--headless", "--json"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        pass_fds=[writing], env={**os.environ, "INSTAR_BENCH_PIPE": str(writing)},
    )  # fmt: skip
    os.close(writing)
    try:
        yield process, lambda: _said(reading)
    finally:
        process.kill()
        process.wait()
        os.close(reading)


def _said(pipe: int) -> tuple[int, int] | None:
    """The next version that spoke, and when; None if none does for too long."""
    if not select.select([pipe], [], [], PATIENCE_S)[0]:
        return None
    tag, when = os.read(pipe, 64).split(b"\n")[0].split()
    return int(tag), int(when)


def _save_all(path: Path, saves: int, lines: int, said: Callable[[], tuple[int, int] | None]) -> _Saves:
    found = _Saves()
    moments = random.Random(3)
    if said() is None:
        raise RuntimeError("the scene under test did not start")
    for tag in range(1, saves + 1):
        time.sleep(moments.uniform(0.03, 0.06))
        saved = WAYS[tag % len(WAYS)](path, source(tag, lines))
        answer = said()
        if answer is None or answer[0] not in (tag, -1):
            found.stale += 1
        elif answer[0] == -1:
            found.torn += 1
        else:
            found.saved.append(saved)
            found.visible.append(answer[1])
    return found


def _figures(found: _Saves, report: dict[str, Any], saves: int, lines: int) -> dict[str, Any]:
    live = [receipt for receipt in report["edits"] if receipt["verdict"] == "live"]
    ready_at = [receipt["event_ns"] + receipt["event_to_ready_ms"] * 1e6 for receipt in live]
    rejected = len(report["edits"]) - len(live)
    ready = np.array(ready_at[-len(found.saved) :]) - np.array(found.saved)
    return {
        "lines": lines,
        "saves": saves,
        "ready_ms": _spread(ready / 1e6),
        "event_to_ready_ms": _spread(np.array([receipt["event_to_ready_ms"] for receipt in live])),
        "visible_ms": _spread((np.array(found.visible) - np.array(found.saved)) / 1e6),
        "swap_ms": _spread(np.array([receipt["swap_ms"] for receipt in live])),
        "missed": report["missed"],
        "missed_by_edits": report["missed_by_edits"],
        "frames": report["frames"],
        "torn": found.torn + rejected,
        "stale": found.stale,
    }


def _spread(values: Any) -> dict[str, float]:
    return {
        "p50": round(float(np.percentile(values, 50)), 3),
        "p99": round(float(np.percentile(values, 99)), 3),
        "max": round(float(np.max(values)), 3),
    }
