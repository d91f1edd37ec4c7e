"""Saved worlds come back with their code, seed and parameters."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from instar.faults import WorldError
from instar.hmr.state import Checkpoint, CheckpointError, MigrationError, StateManager
from instar.runner import Runtime
from instar.saves import AUTOSAVE
from instar.world import World

MOVER = """\
from instar import Agents, Param, f32

class Boids(Agents, capacity=1000):
    x: f32
    vx: f32

speed = Param(1.0, min=0.0, max=9.0)

def setup(boids, rng):
    boids.spawn(5, x=range(5), vx=rng.random(5))

def update(boids, dt, rng, frame):
    boids.x += speed * boids.vx * dt + rng.random(len(boids))
    if frame % 3 == 0:
        boids.despawn(frame % len(boids))
        boids.spawn(2, vx=rng.random(2))
"""


def steps(world: World, count: int) -> int:
    for _ in range(count):
        world.step()
    return world.state.crc


def test_a_loaded_world_goes_on_as_the_saved_one_would_have(scene, tmp_path):
    folder = scene("seed = 5\n", mover=MOVER)
    world = World.open(folder, seed=11, fps=30, params={"mover": {"speed": 2.5}})
    steps(world, 7)
    world.params["mover"].speed = 3.5
    world.save(tmp_path / "world.instar")
    loaded = World.load(tmp_path / "world.instar")
    assert (loaded.frame, loaded.frames, loaded.seed, loaded.fps) == (7, range(7, 8), 11, 30)
    assert loaded.params["mover"].speed == 3.5
    assert loaded.state.crc == world.state.crc
    assert steps(loaded, 9) == steps(world, 9)


def test_a_world_returns_to_its_checkpoint(scene):
    world = World.open(scene(mover=MOVER))
    steps(world, 4)
    checkpoint = world.checkpoint()
    expected = steps(world, 5)
    world.params["mover"].speed = 9.0
    steps(world, 2)
    world.restore(checkpoint)
    assert world.frame == 4
    assert world.params["mover"].speed == 1.0
    assert not world.program.params["mover"]["speed"].given
    assert steps(world, 5) == expected


def test_a_world_s_checkpoint_brings_back_the_code_that_ran(scene):
    folder = scene(mover=MOVER)
    world = World.open(folder)
    checkpoint = world.checkpoint()
    old = world.program
    edited = MOVER.replace("vx: f32", "vx: f32\n    age: f32").encode()
    world.swap(world.codebase.build(old, {folder / "mover.py": edited}))
    world.step()
    assert "age" in world["boids"].schema.fields
    world.restore(checkpoint)
    assert world.program is old
    assert "age" not in world["boids"].schema.fields
    world.step()


def test_tables_take_the_schemas_of_the_code_as_it_is_now(scene, tmp_path):
    folder = scene(mover=MOVER)
    world = World.open(folder)
    steps(world, 2)
    world.save(tmp_path / "world.instar")
    (folder / "mover.py").write_text(MOVER.replace("x: f32\n    vx", "x: f64\n    vx").replace("f32", "f32, f64", 1))
    loaded = World.load(tmp_path / "world.instar")
    assert loaded["boids"].x.dtype == "f8"
    assert loaded["boids"].x.tolist() == world["boids"].x.tolist()
    (folder / "mover.py").write_text(MOVER.replace("vx: f32", "vx: u8").replace("f32", "f32, u8", 1))
    with pytest.raises(MigrationError, match=r"(?s)mover\.py:3: .*boids\.vx: f32 → u8"):
        World.load(tmp_path / "world.instar")


def test_what_a_person_changed_in_the_scene_file_since_wins(scene, tmp_path):
    folder = scene("seed = 5\nfps = 30\n[params.mover]\nspeed = 2.0\n", mover=MOVER)
    World.open(folder).save(tmp_path / "world.instar")
    assert World.load(tmp_path / "world.instar").params["mover"].speed == 2.0
    scene("seed = 6\nfps = 50\n[params.mover]\nspeed = 4.0\n", mover=MOVER)
    loaded = World.load(tmp_path / "world.instar")
    assert (loaded.seed, loaded.fps, loaded.params["mover"].speed) == (6, 50, 4.0)
    asked = World.load(tmp_path / "world.instar", seed=1, fps=20, params={"mover": {"speed": 5.0}})
    assert (asked.seed, asked.fps, asked.params["mover"].speed) == (1, 20, 5.0)


def test_a_value_that_is_not_allowed_any_more_is_said(scene, tmp_path):
    folder = scene(mover=MOVER)
    world = World.open(folder, params={"mover": {"speed": 8.0}})
    world.save(tmp_path / "world.instar")
    (folder / "mover.py").write_text(MOVER.replace("max=9.0", "max=2.0"))
    with pytest.warns(UserWarning, match=r"mover\.speed = 8\.0 of the saved world is not allowed any more"):
        loaded = World.load(tmp_path / "world.instar")
    assert loaded.params["mover"].speed == 1.0


def test_a_scene_that_moved(scene, tmp_path):
    folder = scene(mover=MOVER)
    World.open(folder).save(tmp_path / "world.instar")
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(
        CheckpointError, match=r"belongs to the scene .*scene, which cannot be opened.*World\.load\(file, scene="
    ):
        World.load(tmp_path / "world.instar")
    assert World.load(tmp_path / "world.instar", tmp_path / "elsewhere").frame == 0


def test_a_packaged_scene_is_known_by_its_name(tmp_path):
    world = World.open("tutorial")
    checkpoint = world.checkpoint()
    assert checkpoint.meta["world"]["scene"] == "tutorial"
    world.save(tmp_path / "world.instar")
    assert World.load(tmp_path / "world.instar").scene == world.scene


def test_a_scene_that_would_see_no_agent_is_refused(scene, tmp_path):
    World.open(scene(mover=MOVER)).save(tmp_path / "world.instar")
    with pytest.raises(CheckpointError, match=r"world\.instar holds .*tutorial has sparks: no agent would be seen"):
        World.load(tmp_path / "world.instar", "tutorial")
    world = World.open("tutorial")
    before = world.state.crc
    with pytest.raises(CheckpointError, match="no agent would be seen"):
        world.restore(Checkpoint.read(tmp_path / "world.instar"))
    assert world.state.crc == before


def test_tables_without_a_world(scene, tmp_path):
    StateManager().save(tmp_path / "tables.instar")
    with pytest.raises(CheckpointError, match=r"no scene that they belong to.*StateManager\.load"):
        World.load(tmp_path / "tables.instar")


@pytest.mark.parametrize("verb", ["checkpoint()", "save('x')", "restore(None)"])
def test_not_inside_a_hook(scene, verb):
    world = World.open(scene(mover=MOVER + f"\ndef validate(world):\n    world.{verb}\n", other=f"def update(world):\n    world.{verb}\n"))  # fmt: skip
    with pytest.raises(Exception, match="cannot be called inside a hook") as caught:
        world.step()
    assert isinstance(caught.value.__cause__, WorldError)


def test_a_run_that_was_saved_is_resumed(scene, clock):
    folder = scene("fps = 50\n", mover=MOVER)
    first = Runtime(folder, clock=clock, autosave=0.5)
    report = first.run(60)
    assert report["resumed"] is None
    assert report["autosave"]["frame"] == 60
    assert report["autosave"]["path"] == str(folder / AUTOSAVE)
    assert first.run(10)["autosave"]["frame"] == 70
    second = Runtime(folder, clock=clock, resume=True)
    assert second.resumed == 70
    report = second.run(30)
    assert (report["frame"], report["frames"], report["resumed"], report["autosave"]) == (100, 30, 70, None)
    assert report["crc"] == Runtime(folder, clock=clock).run(100)["crc"]


def test_a_run_that_starts_anew_keeps_the_save_of_an_earlier_one(scene, clock):
    folder = scene(mover=MOVER)
    Runtime(folder, clock=clock, autosave=0.5).run(frames=90)
    second = Runtime(folder, clock=clock, autosave=0.5)
    assert second.set_aside == folder / ".instar" / "autosave.previous.instar"
    second.run(frames=3)
    assert Checkpoint.read(second.set_aside).frame == 90
    assert Checkpoint.read(folder / ".instar" / "autosave.instar").frame == 3
    assert Runtime(folder, clock=clock, autosave=0.5, resume=True).set_aside is None


def test_nothing_to_resume_starts_anew(scene, clock):
    runtime = Runtime(scene(mover=MOVER), clock=clock, resume=True)
    assert runtime.resumed is None
    assert runtime.run(3)["frame"] == 3


def instar(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "instar", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_damaged_autosave_is_not_run(scene):
    folder = scene(mover=MOVER)
    assert instar("run", folder, "--headless", "--frames", 5, "--autosave", "1s").returncode == 0
    torn = bytearray((folder / AUTOSAVE).read_bytes())
    torn[300] ^= 1
    (folder / AUTOSAVE).write_bytes(torn)
    done = instar("run", folder, "--headless", "--frames", 5, "--resume")
    assert done.returncode == 1
    assert "autosave.instar is damaged: its header does not fit its checksum" in done.stderr


def frame_of(line: str) -> int:
    return int(line.split()[1])


def test_killed_runs_go_on_where_they_were_saved(scene):
    """Each life ends by kill -9 as soon as it has said a few frames; what was saved is whole and the frame it says it is."""
    folder = scene(
        "fps = 200\n", mover=MOVER.replace("    boids.x +=", "    print('frame', frame, flush=True)\n    boids.x +=")
    )
    last = -1
    for life in range(6):
        command = [sys.executable, "-m", "instar", "run", str(folder), "--headless", "--autosave", "20ms", "--resume"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            said = (line for line in process.stderr if re.fullmatch(r"frame \d+\n", line))
            for _ in range(12 + life):
                last = frame_of(next(said))
            process.kill()
            last = max([last, *map(frame_of, said)])
        if (folder / AUTOSAVE).exists():
            saved = World.load(folder / AUTOSAVE)
            assert saved.frame <= last + 1
            assert saved.state.crc == steps(World.open(folder), saved.frame)
    report = json.loads(instar("run", folder, "--headless", "--frames", 2, "--resume", "--json").stdout)
    assert report["resumed"] > 0
    assert report["frame"] == report["resumed"] + 2


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "5s"])
def test_an_autosave_takes_seconds(scene, seconds):
    with pytest.raises(WorldError, match="is no number of seconds"):
        Runtime(scene(mover=MOVER), autosave=seconds)
