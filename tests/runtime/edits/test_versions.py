from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from instar.edits import versions as module
from instar.edits.versions import Versions
from instar.hmr.state import FrameError
from instar.world import World


@dataclass(eq=False)
class Program:
    number: int
    sources: dict = field(default_factory=dict)


def never(base, contents):
    raise AssertionError("it is still loaded")


@pytest.fixture
def versions():
    found = Versions(Program(1), never)
    found.add(10, Program(2), oldest=0)
    found.add(20, Program(3), oldest=0)
    return found


@pytest.mark.parametrize(("frame", "number"), [(0, 1), (9, 1), (10, 2), (19, 2), (20, 3), (99, 3)])
def test_a_frame_has_the_program_that_ran_in_it(versions, frame, number):
    assert versions.at(frame).number == number


def test_an_edit_after_a_rollback_drops_the_later_ones(versions):
    versions.add(15, Program(4), oldest=0)
    assert [versions.at(frame).number for frame in (9, 14, 15, 25)] == [1, 2, 4, 4]


def test_what_no_rollback_can_reach_is_dropped(versions):
    versions.add(30, Program(4), oldest=12)
    assert len(versions) == 3
    assert versions.at(12).number == 2


def test_it_can_begin_anew(versions):
    versions.begin_with(7, Program(5))
    assert len(versions) == 1
    assert versions.at(7).number == 5


MOVER = """\
from instar import Agents, i32

class Boids(Agents, capacity=10):
    x: i32

def setup(boids):
    boids.spawn(3)

def update(boids):
    boids.x += STEP
"""


def edited(world, step):
    path = world.scene.folder / "mover.py"
    world.swap(world.codebase.build(world.program, {path: MOVER.replace("STEP", str(step)).encode()}))
    world.step()


def test_a_program_of_long_ago_is_loaded_again_when_its_frame_is_returned_to(scene, monkeypatch):
    monkeypatch.setattr(module, "MOST_LOADED", 2)
    world = World.open(scene(mover=MOVER.replace("STEP", "0")))
    for step in range(1, 8):
        edited(world, step)
    loaded = [one.program for one in world._versions._kept]
    assert [one is None for one in loaded] == [True] * 5 + [False] * 2
    world.rollback(3)
    assert (world.frame, world["boids"].x[0], world.program.number) == (3, 1 + 2 + 3, 5)
    world.step()
    assert world["boids"].x[0] == 1 + 2 + 3 + 4


def test_frames_whose_code_is_no_longer_kept_cannot_be_returned_to(scene, monkeypatch):
    monkeypatch.setattr(module, "MOST_KEPT", 3)
    world = World.open(scene(mover=MOVER.replace("STEP", "0")))
    for step in range(1, 8):
        edited(world, step)
    assert world.frames == range(4, 8)
    with pytest.raises(FrameError, match="the code that ran in it is not"):
        world.rollback(2)
    assert world.frame == 7
    world.rollback(4)
    assert world["boids"].x[0] == 1 + 2 + 3 + 4
