"""The scenes under test: what is saved in them, and how."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

SCENE = """\
title = "Bench: reload"
modules = ["edited"]
"""
AGENTS = 10_000
_HEAD = """\
import os
import time

from instar import Agents, f32, field

TAG = {tag}
_pipe = int(os.environ.get("INSTAR_BENCH_PIPE", "-1"))


class Boids(Agents):
    x: f32
    vx: f32
{fields}

def setup(boids):
    boids.spawn({agents})
    boids.vx = 1


def update(boids, dt):
    if os.environ.get("INSTAR_BENCH_RUNS") != str(TAG):
        os.environ["INSTAR_BENCH_RUNS"] = str(TAG)
        os.write(_pipe, b"%d %d\\n" % (TAG if TAG == globals().get("LAST") else -1, time.monotonic_ns()))
{work}

"""
_MOVE = "    boids.x += boids.vx * dt\n"
_REST = "    boids.x[0] += dt\n"
_FILLER = """\
def filler_{n}(boids, dt):
    for row in range(len(boids)):
        boids.x[row] += {n} * dt
    return boids

"""


def source(tag: int, lines: int, agents: int = AGENTS, fields: Sequence[str] = ()) -> str:
    """A module of about so many lines; its last line must agree with its first for the file to be whole.

    Args:
        tag: Names the version.
        lines: How long it is.
        agents: How many it spawns; more than 10,000 of them rest.
        fields: Declarations of fields besides its own two.
    """
    declared = "".join(f"    {field}\n" for field in fields)
    head = _HEAD.format(tag=tag, fields=declared, agents=agents, work=_MOVE if agents <= AGENTS else _REST)
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


def moments(seed: int = 3) -> Callable[[], None]:
    """Returns what waits until a random moment of one of the next frames."""
    drawn = random.Random(seed)
    return lambda: time.sleep(drawn.uniform(0.03, 0.06))
