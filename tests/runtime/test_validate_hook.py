from __future__ import annotations

import pytest

from instar import World
from instar.faults import HookFault
from instar.hmr.state import DamageError
from instar.runner import Runtime
from instar.testing import flip_bit

SCENE = """\
from instar import Agents, f32, field, i32

class Boids(Agents, capacity=1000):
    x: f32 = field(0, max=1000, finite=True)
    seen: i32

def setup(boids):
    boids.spawn(5)

def validate(boids, frame):
    boids.seen[:] += 1
    assert boids.x[0] < 600, "too far"

def update(boids):
    boids.x += 1
"""


def steps(world, count):
    for _ in range(count):
        world.step()


def test_it_is_called_every_300_frames_after_the_updates(scene):
    world = World.open(scene(mover=SCENE))
    world.step()
    assert [call.hook.name for call in world.last_calls] == ["update", "validate"]
    for _ in range(300):
        world.step()
    assert world["boids"].seen[0] == 2


def test_one_that_raises_voids_the_frame_and_its_module_rests(scene):
    world = World.open(scene(mover=SCENE))
    with pytest.raises(HookFault, match=r"mover\.py:12: mover\.validate: AssertionError: too far"):
        steps(world, 700)
    assert world.frame == 600
    assert world["boids"].x[0] == 600
    assert list(world.resting) == ["mover"]
    world.step()
    assert world["boids"].x[0] == 600


def test_every_says_otherwise(scene):
    source = SCENE.replace("def validate", "@every(frames=2)\ndef validate").replace("import A", "import every, A")
    world = World.open(scene(mover=source))
    for _ in range(10):
        world.step()
    assert world["boids"].seen[0] == 5


def test_validating_a_world_calls_it_too(scene):
    world = World.open(scene(mover=SCENE.replace("boids.seen[:] += 1", "pass")))
    for _ in range(3):
        world.step()
    assert world.validate().faults == []
    world["boids"].x[0] = 700
    world["boids"].x[1] = 2_000
    world.commit()
    bounds, hook = world.validate().faults
    assert (bounds.kind, bounds.rows) == ("bounds", (1,))
    assert (hook.kind, hook.table, hook.frame) == ("hook", "mover", 4)
    assert "mover.py:12: mover.validate: AssertionError: too far" in hook.what
    assert world.resting == {}


def test_a_run_validates_in_its_slack_and_says_so(scene, clock):
    report = Runtime(scene(mover=SCENE), clock=clock).run(400)["validation"]
    assert report["runs"] >= 1
    assert (report["found"], report["faults"]) == (0, [])


def test_a_run_mends_what_has_flipped(scene, clock):
    runtime = Runtime(scene(mover=SCENE), clock=clock)
    runtime.run(300)
    flip_bit(runtime.world, "boids", "id", byte=3, bit=0)
    report = runtime.run(290)["validation"]
    (fault,) = report["faults"]
    assert (fault["kind"], fault["table"], fault["column"]) == ("crc", "boids", "id")
    assert fault["mended"]
    assert runtime.world.state.validate(repair=True).faults == []


def test_a_run_stops_when_something_is_lost(scene, clock):
    runtime = Runtime(scene(mover=SCENE), clock=clock)
    runtime.run(300)
    runtime.world.state._history.reset(runtime.world.frame)
    for byte in (1, 7, 14):
        flip_bit(runtime.world, "boids", "id", byte=byte, bit=0)
        flip_bit(runtime.world, "boids", "id", byte=byte + 1, bit=0, where="live")
    with pytest.raises(DamageError, match=r"boids\.id"):
        runtime.run(290)


def test_what_a_hook_writes_while_people_look_is_dropped(scene):
    world = World.open(scene(mover=SCENE))
    world.step()
    before = world.state.crc
    world.validate()
    assert world.state.uncommitted is None
    assert world["boids"].seen[0] == 1
    world["boids"].x[0] = 7
    world.validate()
    assert world["boids"].x[0] == 7, "what a person wrote waits to be committed"
    world.rollback(1)
    assert world.state.crc == before
