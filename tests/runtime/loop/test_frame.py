"""The frame that hooks get: a number, and spans."""

from __future__ import annotations

import json
import pickle

import pytest

from instar.loop.frame import Frame
from instar.native import Spans
from instar.world import World

FLOCK = """\
from instar import Agents, f32

class Boids(Agents):
    x: f32

seen = []

def update(boids, frame):
    seen.append(frame)
    with frame.span("path-finding"):
        with frame.span("edges"):
            pass

def look(frame):
    pass
"""


def test_it_is_the_number():
    frame = Frame.of(7, Spans())
    assert (frame, frame + 1, f"{frame:03}", json.dumps([frame]), {7: "a"}[frame]) == (7, 8, "007", "[7]", "a")
    assert type(frame + 1) is int
    assert pickle.loads(pickle.dumps(frame)) == 7
    with pytest.raises(TypeError):
        frame.span(3)  # type: ignore[arg-type]


def test_it_is_persisted_as_a_number(scene):
    kept = "from instar import persist\nlast = persist('last', [])\ndef update(frame):\n    last.value.append(frame)\n"
    world = World.open(scene(keeper=kept))
    world.step()
    world.step()
    world.step()
    world.rollback(2)
    assert world.persisted["keeper.last"] == [0, 1]
    assert {type(one) for one in world.persisted["keeper.last"]} == {int}


def test_spans_of_hooks_are_recorded_inside_the_hook(scene):
    world = World.open(scene(flock=FLOCK))
    world.step()
    world.step()
    seen = world.program.modules["flock"].module.seen
    assert seen == [0, 1]
    told = world.spans.since()
    names = world.spans.names
    assert [(names[name], depth, frame) for _, _, frame, name, depth in told.tolist()] == [
        ("edges", 2, 0),
        ("path-finding", 1, 0),
        ("flock.update", 0, 0),
        ("edges", 2, 1),
        ("path-finding", 1, 1),
        ("flock.update", 0, 1),
    ]
