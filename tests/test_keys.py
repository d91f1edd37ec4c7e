"""Keys at a real terminal: a run is paused, stepped, hurried and ended."""

from __future__ import annotations

import json

from .test_breakpoint import PATIENCE, AtTerminal

MODULE = """\
from instar import Agents, f32

class Boids(Agents):
    x: f32

def setup(boids):
    boids.spawn(3)

def update(boids, frame):
    print("frame", int(frame), flush=True)
"""


def test_a_person_pauses_steps_hurries_and_ends_a_run(tmp_path):
    (tmp_path / "scene.toml").write_text('modules = ["counter"]\n', encoding="utf-8")
    (tmp_path / "counter.py").write_text(MODULE, encoding="utf-8")
    running = AtTerminal(tmp_path, in_front=True)
    try:
        running.wait_for("space pause")
        running.press(" ")
        running.wait_for("paused")
        running.press(".")
        running.wait_for("frame ")
        running.press("+")
        running.wait_for("× 2")
        running.press(" ")
        running.wait_for("running")
        running.press("q")
        assert running.process.stdout is not None
        report = json.loads(running.process.stdout.read())
        assert running.process.wait(PATIENCE) == 0
        assert (report["state"], report["speed"]) == ("ended", 2)
    finally:
        running.close()
