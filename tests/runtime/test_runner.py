from __future__ import annotations

import math
import os
import signal
import threading

import pytest

from instar.edits.receipt import Receipt
from instar.faults import HookFault
from instar.hmr.code import Edit, EditPipeline
from instar.runner import SHOWN, Runtime

SCENE = """\
from instar import Agents, f32

class Boids(Agents, capacity=1000):
    x: f32

def setup(boids):
    boids.spawn(5)

def update(boids):
    boids.x += 1
"""


class Recorder:
    """A view that keeps what it is shown."""

    interval = 1.0

    def __init__(self):
        self.snapshots = []
        self.messages = []
        self.heard = threading.Condition()

    def canvas(self, aspect=1.0):
        return (10, 4)

    def listen(self, told):
        self.told = told

    def publish(self, snapshot):
        self.snapshots.append(snapshot)

    def message(self, text):
        self.messages.append(text)

    def released(self):
        raise AssertionError("nobody is at a breakpoint")

    def close(self, snapshot):
        raise AssertionError("who made the view closes it")


def test_a_run_commits_the_frames_asked_for_on_their_deadlines(scene, clock):
    report = Runtime(scene("fps = 50\n", mover=SCENE), clock=clock).run(100)
    assert (report["frames"], report["frame"], report["fps"]) == (100, 100, 50)
    assert report["agents"] == {"boids": 5}
    assert (report["missed"], report["missed_by_edits"], report["dropped"]) == (0, 0, 0)
    assert report["seconds"] == pytest.approx(2.0, abs=1e-3)
    steps = {b - a for a, b in zip(clock.slept, clock.slept[1:], strict=False)}
    assert steps == {20_000_000}
    assert report["operations"]["commit"]["count"] == report["frames"]
    assert set(report["operations"]["commit"]["ms"]) == {"p50", "p99"}
    assert set(report["phases_ms"]) == {"boundary", "input", "update", "commit", "publish", "maintain", "pace"}
    assert report["modules"]["mover"]["state"] == "live"
    assert len(report["crc"]) == 16


def test_a_late_frame_is_counted_and_caught_up(scene, clock):
    runtime = Runtime(scene("fps = 50\n", mover=SCENE), clock=clock)
    runtime.post(lambda world: clock.advance(55))
    report = runtime.run(10)
    assert report["missed"] == 2
    assert report["missed_by_edits"] == 0
    assert report["dropped"] == 0
    assert report["seconds"] == pytest.approx(0.2, abs=1e-3)


def test_the_rest_of_a_long_stall_is_dropped_and_counted(scene, clock):
    runtime = Runtime(scene("fps = 50\n", mover=SCENE), clock=clock)
    runtime.post(lambda world: clock.advance(2_000))
    report = runtime.run(10)
    assert report["missed"] == 1
    assert report["dropped"] >= 98


def test_the_time_a_process_was_stopped_for_counts_for_nothing(scene, clock):
    def stop_and_go_on(world):
        clock.advance(2_000)
        os.kill(os.getpid(), signal.SIGCONT)

    runtime = Runtime(scene("fps = 50\n", mover=SCENE), clock=clock)
    runtime.post(stop_and_go_on)
    report = runtime.run(10)
    assert (report["missed"], report["dropped"]) == (0, 0)
    assert report["deadline_error_us"]["max"] < 1_000
    assert report["phases_ms"]["input"]["max"] < 1_000


def test_a_fault_voids_its_frame_and_the_next_deadline_runs_it_again(scene, clock):
    view = Recorder()
    failing = "def update(frame):\n    if frame == 3:\n        raise RuntimeError('no threes')\n"
    report = Runtime(scene(mover=SCENE, failing=failing), clock=clock, view=view).run(10)
    assert report["frames"] == 10
    assert len(clock.slept) == 11
    assert report["modules"]["failing"]["state"] == "quarantined"
    assert report["modules"]["mover"]["state"] == "live"
    assert "no threes" in report["errors"][0]
    assert any("no threes" in message for message in view.messages)


def test_a_quarter_of_the_slack_goes_to_the_memory_of_the_world(scene, clock, monkeypatch):
    runtime = Runtime(scene("fps = 50\n", mover=SCENE), clock=clock)
    spent = []
    monkeypatch.setattr(runtime.world.state, "maintain", spent.append)
    runtime.run(3)
    assert spent == pytest.approx([0.005] * 3, abs=1e-4)
    runtime.post(lambda world: clock.advance(17))
    runtime.run(1)
    assert len(spent) == 3


def test_commands_run_in_the_input_phase_with_the_world(scene, clock):
    runtime = Runtime(scene(mover=SCENE), clock=clock)
    runtime.post(lambda world: world["boids"].spawn(3))
    assert runtime.run(2)["agents"] == {"boids": 8}


def test_breaches_of_budgets_are_counted_by_phase_and_module(scene, clock):
    folder = scene("fps = 50\n[budget]\ninput = 3.0\nmover = 0.0000001\n", mover=SCENE)
    runtime = Runtime(folder, clock=clock)
    runtime.post(lambda world: clock.advance(5))
    breaches = runtime.run(10)["breaches"]
    assert breaches["input"]["count"] == 1
    assert breaches["input"]["worst_frame"] == 0
    assert 5 <= breaches["input"]["worst_ms"] < 6
    assert breaches["mover"]["count"] == 10
    assert breaches.keys() == {"input", "mover"}


def test_a_paused_run_takes_edits_and_steps_frame_by_frame(scene, clock):
    runtime = Runtime(scene("fps = 50\n", mover=SCENE), clock=clock)
    seen = []

    def look(world):
        seen.append((runtime.snapshot()["state"], world.frame))
        commands = {2: runtime.playback.pause, 4: lambda: runtime.playback.step(2), 8: runtime.playback.resume}
        commands.get(len(seen), lambda: None)()
        runtime.post(look)

    runtime.post(look)
    report = runtime.run(6)
    assert seen[:9] == [
        ("running", 0),
        ("running", 1),
        ("paused", 1),
        ("paused", 1),
        ("paused", 2),
        ("paused", 3),
        ("paused", 3),
        ("paused", 3),
        ("running", 4),
    ]
    assert (report["frame"], report["missed"], report["state"]) == (6, 0, "ended")


def test_the_world_goes_at_the_speed_that_is_wanted(scene, clock):
    folder = scene("fps = 50\n", mover=SCENE)
    assert Runtime(folder, clock=clock, speed=4).run(100)["seconds"] == pytest.approx(0.5, abs=0.01)
    slow = Runtime(folder, clock=clock, speed=0.25)
    assert (slow.world.dt, slow.run(10)["speed"]) == (0.02, 0.25)
    fast = Runtime(folder, clock=clock, speed=math.inf).run(1000)
    assert fast["seconds"] < 0.5
    assert (fast["missed"], fast["dropped"], fast["speed"]) == (0, 0, "max")


def test_a_snapshot_tells_of_the_newest_edits_and_how_many_there_were(scene, clock):
    runtime = Runtime(scene(mover=SCENE), clock=clock)
    for number in range(SHOWN + 3):
        runtime.receipts.append(Receipt((f"{number}.py",), "live", 0, 1.0, 1.0, 1.0))
    snapshot = runtime.snapshot()
    assert snapshot["edit_count"] == len(runtime.report()["edits"]) == SHOWN + 3
    assert [edit["files"] for edit in snapshot["edits"]] == [[f"{number}.py"] for number in range(3, SHOWN + 3)]


def test_views_get_snapshots_at_their_interval_with_a_picture(scene, clock):
    view = Recorder()
    Runtime(scene("fps = 50\n", mover=SCENE.replace("x: f32", "x: f32\n    y: f32")), clock=clock, view=view).run(150)
    assert len(view.snapshots) == 3
    assert len(view.snapshots[0]["braille"]) == 4
    assert view.snapshots[0]["budget_ms"] == 20
    assert view.snapshots[0]["state"] == "running"


def test_a_setup_that_raises_ends_the_run_with_its_fault(scene, clock):
    with pytest.raises(HookFault, match="did not start"):
        Runtime(scene(mover="def setup():\n    1 / 0\n" + SCENE.replace("def setup", "def other")), clock=clock).run(3)


def test_a_second_run_goes_on_where_the_first_ended(scene, clock):
    runtime = Runtime(scene(mover=SCENE), clock=clock)
    runtime.run(5)
    runtime.world.step()
    report = runtime.run(4)
    assert (report["frame"], report["frames"], report["agents"]) == (10, 4, {"boids": 5})
    assert runtime.world["boids"].x.tolist() == [10] * 5


def test_a_run_can_be_stopped(scene, clock):
    runtime = Runtime(scene(mover=SCENE), clock=clock)
    runtime.post(lambda world: runtime.stop())
    assert runtime.run()["frames"] == 1
    assert runtime.run(3)["frames"] == 3


def test_a_hook_can_end_the_run(scene, clock):
    view = Recorder()
    quitter = "import sys\ndef update(frame):\n    if frame == 4:\n        sys.exit('enough')\n"
    report = Runtime(scene(mover=SCENE, quitter=quitter), clock=clock, view=view).run()
    assert report["frames"] == 4
    assert any("enough" in message for message in view.messages)


def test_a_frame_that_a_swap_makes_late_is_missed_by_the_edit(scene, clock, monkeypatch):
    folder = scene("fps = 50\n[budget]\nboundary = 3.0\n", mover=SCENE)
    runtime = Runtime(folder, clock=clock)
    world = runtime.world
    swap = world.swap
    changed = (SCENE + "# edited\n").encode()
    edit = Edit(
        ("mover.py",), {}, world.program, world.codebase.build(world.program, {folder / "mover.py": changed}), 0, 0, {}
    )
    waiting = [edit]
    monkeypatch.setattr(EditPipeline, "take", lambda pipeline: waiting.pop() if waiting else None)
    monkeypatch.setattr(world, "swap", lambda program: (clock.advance(30), swap(program))[1])
    report = runtime.run(10)
    assert (report["missed"], report["missed_by_edits"]) == (1, 1)
    assert [receipt["verdict"] for receipt in report["edits"]] == ["live"]
    assert report["edits"][0]["swap_ms"] >= 30


GROWING = """\
from instar import Agents, f32

class Boids(Agents):
    x: f32

def setup(boids):
    boids.spawn(1000)

def update(boids, frame):
    boids.x[:] = frame
    boids.spawn(2000)
"""


def test_a_memory_limit_cuts_the_history_then_stops_the_module_that_grows(scene, clock):
    view = Recorder()
    runtime = Runtime(scene('memory = "3MB"\n', mover=GROWING), view=view, clock=clock)
    runtime.run(40)
    said = [text for text in view.messages if text.startswith("memory: the history is cut to")]
    assert len(said) == 1
    assert "all may take 3.0 MB" in said[0]
    report = runtime.report()
    assert report["modules"]["mover"]["state"] == "quarantined"
    assert "MemoryLimitError: boids cannot spawn 2,000 rows" in report["errors"][0]
    memory = report["memory"]
    assert memory["total"] <= memory["limit"] == 3_000_000
    assert memory["tables"]["boids"]["live"] >= 4 * len(runtime.world["boids"])
    assert memory["notice"] == said[0] or "history is cut" in memory["notice"]
    assert "tables" not in view.snapshots[-1]["memory"]
    assert view.snapshots[-1]["memory"]["purposes"]["live"] > 0


def test_a_command_that_posts_itself_again_is_called_once_a_frame(scene, clock):
    runtime = Runtime(scene(mover=SCENE), clock=clock)
    frames = []

    def again(world):
        frames.append(world.frame)
        runtime.post(again)

    runtime.post(again)
    runtime.run(5)
    assert frames == [0, 1, 2, 3, 4]
