from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from instar.departures import SWEEP_FRAMES, SWEEP_SLACK_NS, Departures
from instar.edits.probation import FRAMES
from instar.runner import Runtime
from instar.world import World

HOME = "said = []\n"
FLOCK = """\
from instar import Agents, f32
import home

class Boids(Agents, capacity=100):
    x: f32

def update(boids):
    boids.x += 1

def dispose(boids, frame, world, params):
    home.said.append(("{name}", frame, len(boids), world.frame, VERSION))
    boids.x[:] = 7

VERSION = "{name}"
"""
SLACK = 10**9


class Lived:
    """A world whose edits are swapped in by hand."""

    def __init__(self, folder: Path) -> None:
        self.world = World.open(folder)
        self.told: list[str] = []
        self.departures = Departures(self.world, self.told.append)
        self.departures.maintain(SLACK)

    @property
    def said(self) -> Any:
        return self.world.program.modules["home"].module.__dict__["said"]

    def edit(self, text: str, name: str = "flock") -> None:
        path = self.world.scene.folder / f"{name}.py"
        self.world.swap(self.world.codebase.build(self.world.program, {path: text.encode()}))

    def step(self, frames: int) -> None:
        for _ in range(frames):
            self.world.step()
            self.departures.maintain(SLACK)


@pytest.fixture
def lived(scene: Callable[..., Path]) -> Lived:
    return Lived(scene(flock=FLOCK.format(name="one"), home=HOME))


def test_a_version_is_disposed_of_when_it_cannot_come_back(lived: Lived) -> None:
    lived.world["boids"].spawn(3)
    lived.step(2)
    lived.edit(FLOCK.format(name="two"))
    lived.step(FRAMES)
    assert lived.said == []
    lived.step(1)
    frame = 2 + FRAMES + 1
    assert lived.said == [("one", frame, 3, frame, "one")]
    assert lived.world["boids"].x.tolist() == [frame] * 3
    lived.step(FRAMES)
    assert len(lived.said) == 1
    assert lived.told == []


def test_one_that_came_back_is_not(lived: Lived) -> None:
    lived.step(2)
    lived.edit(FLOCK.format(name="two"))
    lived.step(3)
    lived.world.rollback(1)
    lived.step(FRAMES + 3)
    assert [name for name, *_ in lived.said] == ["two"]


def test_the_same_content_again_is_another_version(lived: Lived) -> None:
    for name in ("two", "one", "two"):
        lived.edit(FLOCK.format(name=name))
        lived.step(FRAMES + 1)
    assert [name for name, *_ in lived.said] == ["one", "two", "one"]


def test_a_module_without_a_change_is_not(lived: Lived) -> None:
    lived.edit(HOME + "x = 1\n", "home")
    lived.edit(HOME + "def dispose(): 1 / 0\n", "home")
    lived.step(FRAMES + 1)
    assert lived.told == []
    lived.edit(HOME, "home")
    lived.step(FRAMES + 1)
    (text,) = lived.told
    assert "home.dispose: ZeroDivisionError" in text
    assert "Nothing else has changed" in text


@pytest.mark.parametrize("what", ["raise ValueError('no')", "import sys; sys.exit(1)"])
def test_what_it_raises_is_told(lived: Lived, what: str) -> None:
    lived.edit(f"def dispose():\n    {what}\n")
    lived.step(1)
    lived.edit("x = 1\n")
    lived.step(FRAMES + 1)
    (text,) = [told for told in lived.told if "was not called" not in told]
    assert text.startswith(f"{lived.world.scene.folder / 'flock.py'}:2: flock.dispose: ")
    assert lived.world.resting == {}


def test_one_that_asks_for_a_table_that_is_gone_is_told_of(lived: Lived) -> None:
    lived.edit("x = 1\n")
    lived.step(FRAMES + 1)
    assert lived.told == ["flock.dispose was not called: the table 'boids' that it asks for is gone"]


def test_what_runs_is_disposed_of_at_the_end(lived: Lived) -> None:
    lived.edit(FLOCK.format(name="two"))
    lived.step(1)
    lived.edit(FLOCK.format(name="three"))
    lived.departures.finish()
    assert [name for name, *_ in lived.said] == ["two", "three"] or [name for name, *_ in lived.said] == [
        "one",
        "two",
        "three",
    ]
    lived.departures.finish()
    assert len(lived.said) <= 3


def test_versions_are_freed_one_a_frame_until_none_is_left(lived: Lived) -> None:
    for number in range(12):
        lived.edit(f"x = {number}\n")
        lived.step(1)
    freed = []
    for frame in range(3 * SWEEP_FRAMES):
        lived.step(1)
        freed += [frame] * lived.departures.freed
    assert freed == list(range(freed[0], freed[0] + 5))  # eight programs stay loaded, for a rollback


def test_nothing_is_freed_in_a_frame_without_slack(lived: Lived) -> None:
    for number in range(12):
        lived.edit(f"x = {number}\n")
        lived.world.step()
        lived.departures.maintain(0)
    for _ in range(2 * SWEEP_FRAMES):
        lived.world.step()
        lived.departures.maintain(SWEEP_SLACK_NS - 1)
        assert not lived.departures.freed
    lived.step(1)
    assert lived.departures.freed


def test_a_leak_is_told_once(lived: Lived) -> None:
    text = "import home\ndef f(): pass\nhome.said.append(f)\n"
    lived.edit(text)
    lived.step(1)
    for number in range(12):
        lived.edit(f"x = {number}\n")
        lived.step(1)
    lived.step(SWEEP_FRAMES * 5)
    (leak,) = [told for told in lived.told if "stays in memory" in told]
    assert "held by home.said, which leads to" in leak
    assert list(lived.departures.leaks) == [leak]


def test_a_run_ends_with_dispose_and_reports_leaks(scene: Callable[..., Path], clock: Any) -> None:
    runtime = Runtime(scene(flock=FLOCK.format(name="one"), home=HOME), clock=clock)
    assert runtime.run(frames=3)["leaks"] == []
    said = runtime.world.program.modules["home"].module.__dict__["said"]
    assert [name for name, *_ in said] == ["one"]
