from __future__ import annotations

import asyncio
import importlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import instar
from instar.edits.runs import ReloadError
from instar.runner import Runtime
from instar.world import World

FLOCK = """\
from instar import Agents, f32

class Boids(Agents, capacity=1000):
    x: f32

def setup(boids):
    boids.spawn(5)

def update(boids):
    boids.x += 1
"""
FASTER = FLOCK.replace("+= 1", "+= 2")
PATIENCE = 20.0


class Running:
    """A runtime in a thread, as in a notebook."""

    def __init__(self, folder: Path, **options) -> None:
        self.runtime = Runtime(folder, **options)
        self.report: dict = {}
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        self.report = self.runtime.run()

    def stop(self) -> dict:
        self.runtime.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        return self.report


@pytest.fixture
def run(scene) -> Iterator:
    begun: list[Running] = []

    def begin(**modules: str) -> Running:
        begun.append(Running(scene(**(modules or {"flock": FLOCK}))))
        return begun[-1]

    yield begin
    for one in begun:
        one.stop()


def test_a_file_is_swapped_in_and_its_receipt_returned(run):
    running = run()
    folder = running.runtime.world.scene.folder
    (folder / "flock.py").write_text(FASTER)
    receipt = instar.reload(folder / "flock.py")
    assert (receipt.verdict, receipt.files, receipt.version) == ("live", ("flock.py",), 2)
    assert running.runtime.receipts == [receipt]
    report = running.stop()
    assert report["edits"] == [receipt.document()]


def test_a_mistake_is_returned_not_raised(run):
    running = run()
    (running.runtime.world.scene.folder / "flock.py").write_text("def (\n")
    receipt = instar.reload("flock.py")
    assert receipt.verdict == "rejected"
    assert "flock.py:1: SyntaxError" in receipt.error
    (running.runtime.world.scene.folder / "flock.py").write_text(FASTER)
    assert instar.reload("flock.py").verdict == "live"
    report = running.stop()
    assert [edit["verdict"] for edit in report["edits"]] == ["rejected", "live"]
    assert report["agents"] == {"boids": 5}


def test_what_was_rejected_is_tried_again(run, tmp_path, monkeypatch):
    running = run()
    monkeypatch.syspath_prepend(tmp_path)
    (running.runtime.world.scene.folder / "flock.py").write_text("import instar_test_installed_later\n" + FASTER)
    receipt = instar.reload("flock.py")
    assert "No module named 'instar_test_installed_later'" in receipt.error
    (tmp_path / "instar_test_installed_later.py").write_text("")
    importlib.invalidate_caches()
    assert instar.reload("flock.py").verdict == "live"


@pytest.mark.parametrize("path", [None, "flock.py", "folder", "scene.toml"])
def test_what_runs_already_is_no_edit(run, path):
    running = run()
    receipt = instar.reload(running.runtime.world.scene.folder if path == "folder" else path)
    assert (receipt.verdict, receipt.version, receipt.number) == ("live", 1, 0)
    assert running.runtime.receipts == []


def test_the_whole_scene_is_read(run):
    running = run()
    folder = running.runtime.world.scene.folder
    (folder / "hawks.py").write_text(FLOCK.replace("Boids", "Hawks").replace("boids", "hawks"))
    (folder / "scene.toml").write_text('modules = ["flock", "hawks"]\n')
    assert instar.reload(folder).verdict == "live"
    assert instar.reload(folder).verdict == "live"
    assert running.stop()["agents"] == {"boids": 5, "hawks": 5}


def test_what_cannot_be_reloaded_is_said(run, tmp_path):
    with pytest.raises(ReloadError, match=r"no Runtime in this process has nowhere\.py: nothing was reloaded"):
        instar.reload("nowhere.py")
    running = run()
    folder = running.runtime.world.scene.folder
    assert instar.reload().number == 0
    with pytest.raises(ReloadError, match=r"process has .*elsewhere\.py: nothing was reloaded \(there are .*scene\)"):
        instar.reload(tmp_path / "elsewhere.py")
    (folder / "notes.py").write_text("x = 1\n")
    with pytest.raises(ReloadError, match=r"notes\.py: nothing in the scene imports it"):
        instar.reload("notes.py")
    (folder / "flock.py").write_text("")
    with pytest.raises(ReloadError, match=r"flock\.py is empty: what runs goes on"):
        instar.reload("flock.py")
    with pytest.raises(ReloadError, match="a Runtime runs this world"):
        running.runtime.world.reload()


def test_the_frames_thread_cannot_wait_for_itself(run):
    running = run()
    found = []
    done = threading.Event()

    def command(world):
        try:
            instar.reload()
        except ReloadError as error:
            found.append(str(error))
        done.set()

    running.runtime.post(command)
    assert done.wait(PATIENCE)
    assert "cannot be called from the thread that runs the frames" in found[0]


def test_who_waits_when_the_run_ends_is_told(run):
    running = run()
    world = running.runtime.world
    (world.scene.folder / "flock.py").write_text("import time\nwhile True: time.sleep(0.01)\n")
    running.runtime.post(lambda world: running.runtime.stop())
    with pytest.raises(ReloadError, match=r"the run ended|does not run"):
        instar.reload("flock.py")


def test_it_works_beside_an_event_loop(run):
    running = run()
    folder = running.runtime.world.scene.folder

    async def cell():
        (folder / "flock.py").write_text(FASTER)
        return await asyncio.to_thread(instar.reload, "flock.py"), instar.reload("flock.py")

    first, second = asyncio.run(cell())
    assert first == second
    assert first.verdict == "live"


def test_other_threads_keep_their_own_breakpoints(run, monkeypatch):
    stopped = []
    monkeypatch.setattr(sys, "breakpointhook", lambda: stopped.append(threading.get_ident()))
    run()
    breakpoint()
    assert stopped == [threading.get_ident()]


def test_on_edit_hears_each_receipt_on_the_thread_of_the_frames(run):
    running = run()
    heard = []

    @running.runtime.on_edit
    def note(receipt):
        heard.append((threading.get_ident(), receipt))

    @running.runtime.on_edit
    def broken(receipt):
        raise ValueError("no")

    folder = running.runtime.world.scene.folder
    for text in (FASTER, FLOCK):
        (folder / "flock.py").write_text(text)
        instar.reload("flock.py")
    running.stop()
    assert heard == [(running.thread.ident, receipt) for receipt in running.runtime.receipts]


def test_a_notebook_edits_runs_stops_and_runs_again(scene):
    """Cells executed one after the other in one namespace, the run in a thread, as a person would write them."""
    folder = scene(flock=FLOCK)
    cells = [
        "import threading, instar\nfrom pathlib import Path",
        "runtime = instar.Runtime(FOLDER)",
        "heard = []\n@runtime.on_edit\ndef note(receipt):\n    heard.append(receipt)",
        "thread = threading.Thread(target=runtime.run, daemon=True)\nthread.start()",
        "Path(FOLDER, 'flock.py').write_text(FASTER)\nfirst = instar.reload('flock.py')",
        "while not heard: pass",
        "@runtime.on_edit\ndef note(receipt):\n    heard.append(receipt.verdict)",
        "Path(FOLDER, 'flock.py').write_text('boom =')\nsecond = instar.reload('flock.py')",
        "runtime.stop()\nthread.join(20)\nassert not thread.is_alive()",
        "runtime.world.step()\nPath(FOLDER, 'flock.py').write_text(FLOCK)\nthird = runtime.world.reload()",
        "report = runtime.run(frames=2)",
    ]
    scope = {"FOLDER": str(folder), "FLOCK": FLOCK, "FASTER": FASTER, "__name__": "__main__"}
    for cell in cells:
        exec(cell, scope)
    assert [scope[name].verdict for name in ("first", "second", "third")] == ["live", "rejected", "live"]
    assert scope["heard"][0] == scope["first"]
    assert scope["heard"][1:2] == ["rejected"]
    assert scope["report"]["frames"] == 2
    assert scope["report"]["agents"] == {"boids": 5}


def test_a_world_without_a_clock_swaps_between_steps(scene):
    world = World.open(scene(flock=FLOCK))
    world.step()
    (world.scene.folder / "flock.py").write_text(FASTER)
    receipt = world.reload("flock.py")
    assert (receipt.verdict, receipt.frame, receipt.version) == ("live", 1, 2)
    world.step()
    assert world["boids"].x.tolist() == [3] * 5
    (world.scene.folder / "flock.py").write_text(FASTER.replace("x: f32", "y: f32"))
    receipt = world.reload()
    assert "AttributeError" not in receipt.document()["migrated"]
    (world.scene.folder / "flock.py").write_text("import nonsense_that_is_not\n")
    receipt = world.reload(world.scene.folder)
    assert receipt.verdict == "rejected"
    assert "flock.py:1" in receipt.error
    with pytest.raises(ReloadError, match="is no file of the scene"):
        world.reload("/nowhere/flock.py")
