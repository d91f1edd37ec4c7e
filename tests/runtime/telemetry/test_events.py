"""Events: delivered between frames to those who listen to a run or to all, and logged at once."""

from __future__ import annotations

import json

import pytest

import instar
from instar.faults import WorldError
from instar.runner import Runtime
from instar.telemetry import events as module
from instar.telemetry.events import EVENTS, Events, on, on_edit
from instar.telemetry.listeners import Listeners
from instar.telemetry.log import EventLog
from instar.testing import flip_bit

FLOCK = """\
from instar import Agents, f32

class Boids(Agents, capacity=1000):
    x: f32

def setup(boids):
    boids.spawn(5)

def update(boids, frame):
    if frame == 3:
        1 / 0
"""


@pytest.fixture(autouse=True)
def _nobody_listens(monkeypatch):
    monkeypatch.setattr(module.everywhere, "_listeners", {name: Listeners(name) for name in EVENTS})


def test_what_was_posted_is_delivered_in_order_to_those_of_the_run_then_of_all(receipt, told):
    events, heard = Events(), []
    events.on("edit", lambda one: heard.append(("run", one)))
    on("edit", lambda one: heard.append(("all", one)))
    events.post("edit", receipt)
    events.post("late", receipt)
    assert heard == []
    events.deliver(told.append)
    events.deliver(told.append)
    assert heard == [("run", receipt), ("all", receipt)]


def test_on_is_a_decorator_too(receipt, told):
    heard = []

    @instar.on("late")
    def note(late):
        heard.append(late)

    assert on_edit(note) is note
    events = Events()
    events.post("late", receipt)
    events.post("edit", receipt)
    events.post("fault", receipt)
    events.deliver(told.append)
    assert heard == [receipt, receipt]


@pytest.mark.parametrize("listen", [lambda event: on(event, print), on, lambda event: Events().on(event, print)])
def test_an_event_that_is_none_is_refused_with_the_nearest(listen):
    with pytest.raises(
        WorldError, match=r"there is no event 'lat'\. Did you mean 'late'\? Events: edit, late, fault, repair"
    ):
        listen("lat")


def test_each_event_is_a_line_of_the_log_at_once(receipt, told, log_file):
    events = Events()
    with EventLog(log_file, "/scenes/flock", told.append) as events.log:
        events.post("edit", receipt)
    (line,) = map(json.loads, log_file.read_text().splitlines())
    assert line.items() >= {"event": "edit", "scene": "/scenes/flock", **receipt.document()}.items()


def test_a_run_tells_of_faults_late_frames_and_repairs(scene, clock, log_file):
    runtime = Runtime(scene("fps = 50\n", flock=FLOCK), clock=clock, log=log_file)
    heard = []
    for event in EVENTS:
        runtime.on(event, lambda what, event=event: heard.append((event, type(what).__name__)))

    def disturb(world):
        if world.frame == 2:
            clock.advance(50)
            flip_bit(world.state, "boids", "x", byte=1, bit=3, where="committed")

    runtime.post(disturb)
    for _ in range(5):
        runtime.post(lambda world: runtime.post(disturb))
    runtime.run(2)
    runtime.post(disturb)
    runtime.run(320)
    assert ("late", "LateFrame") in heard
    assert ("fault", "HookFault") in heard
    assert ("repair", "Fault") in heard
    lines = [json.loads(line) for line in log_file.read_text().splitlines()]
    assert [(line["event"]) for line in lines] == [event for event, _ in heard]
    fault = next(line for line in lines if line["event"] == "fault")
    assert (fault["module"], fault["hook"], fault["frame"], fault["line"]) == ("flock", "update", 3, 11)
    assert "ZeroDivisionError" in fault["error"]
