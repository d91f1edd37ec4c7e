from __future__ import annotations

import pytest

from instar.faults import HookFault, StopRequested, WorldError
from instar.hmr.state import MigrationError
from instar.native import InstarError
from instar.world import World

MOVER = """\
from instar import Agents, Param, f32

class Boids(Agents, capacity=1000):
    x: f32
    vx: f32

speed = Param(1.0, min=0.0, max=9.0)

def setup(boids, rng):
    boids.spawn(5, x=range(5), vx=rng.random(5))

def update(boids, dt, rng):
    boids.x += speed * boids.vx * dt + rng.random(len(boids))
"""

FAILING = """\
def update(boids, frame):
    boids.x = -1
    boids.spawn(3)
    if frame == 2:
        raise ValueError("three is a crowd")
"""


def table(world, name="boids"):
    return {field: getattr(world[name], field).tolist() for field in ("id", *world[name].schema.fields)}


def test_setup_makes_frame_0_and_steps_commit_the_next(scene):
    world = World.open(scene(mover=MOVER))
    assert world.frame == 0
    assert len(world["boids"]) == 5
    assert world.step().frame == world.frame == 1
    world.rollback(0)
    assert world["boids"].x.tolist() == [0, 1, 2, 3, 4]


def test_a_rewound_frame_draws_the_same_numbers(scene):
    world = World.open(scene(mover=MOVER))
    seen = [table(world)]
    for _ in range(5):
        world.step()
        seen.append(table(world))
    world.rollback(2)
    for frame in range(3, 6):
        world.step()
        assert table(world) == seen[frame]


def test_seeds_make_worlds(scene):
    folder = scene("seed = 3\n", mover=MOVER)
    assert table(World.open(folder)) == table(World.open(folder, seed=3))
    assert table(World.open(folder)) != table(World.open(folder, seed=4))


def test_a_hook_that_raises_voids_its_frame_and_rests(scene):
    world = World.open(scene(mover=MOVER, failing=FAILING))
    world.step()
    world.step()
    before = table(world)
    with pytest.raises(HookFault) as caught:
        world.step()
    fault = caught.value
    assert (fault.module, fault.hook, fault.frame, fault.line) == ("failing", "update", 2, 5)
    for part in ("failing.py:5", "three is a crowd", "raise ValueError", "Frame 2 is void", "until its next edit"):
        assert part in str(fault)
    assert table(world) == before
    assert world.frame == 2
    assert list(world.resting) == ["failing"]
    world.step()
    assert world.frame == 3
    assert len(world["boids"]) == len(before["id"])


def test_a_setup_that_raises_is_told_and_nothing_is_half_made(scene):
    world = World.open(scene(mover=MOVER, bad="def setup(boids):\n    boids.spawn(2)\n    1 / 0\n"), setup=False)
    with pytest.raises(HookFault, match=r"(?s)bad.py:3: bad.setup: ZeroDivisionError.*did not start"):
        world.setup()
    assert len(world["boids"]) == 0


def test_a_hook_may_end_the_run(scene):
    world = World.open(scene(mover=MOVER, quitter="import sys\ndef update(boids):\n    boids.x = 7\n    sys.exit()\n"))
    before = table(world)
    with pytest.raises(StopRequested, match=r"quitter\.update ended the run"):
        world.step()
    assert table(world) == before


@pytest.mark.parametrize("verb", ["step()", "commit()", "rollback(0)", "redo(0)", "setup()", "swap(None)"])
def test_frames_are_not_made_inside_hooks(scene, verb):
    world = World.open(scene(mover=MOVER, meddler=f"def update(world):\n    world.{verb}\n"))
    with pytest.raises(HookFault, match="cannot be called inside a hook"):
        world.step()
    assert world.step().frame == 1


@pytest.mark.parametrize(
    "numbers",
    [{"seed": -1}, {"seed": 2**64}, {"seed": "q"}, {"fps": 0}, {"fps": -5}, {"fps": float("nan")}, {"fps": "a"}],
)
def test_numbers_that_make_no_world(scene, numbers):
    with pytest.raises(WorldError, match="no world was opened"):
        World.open(scene(mover=MOVER), **numbers)


def test_an_unknown_table_lists_the_tables(scene):
    world = World.open(scene(mover=MOVER))
    with pytest.raises(KeyError, match=r"no table 'boid'; did you mean boids\? \(there are boids\)"):
        world["boid"]


def test_a_refused_migration_says_where_the_class_stands(scene):
    world = World.open(scene(mover=MOVER))
    with pytest.raises(MigrationError, match=r"(?s)mover\.py:3: .*boids\.x: f32 → u8"):
        edit_check(world, mover=MOVER.replace("x: f32\n", "x: u8\n").replace("import Agents", "import u8, Agents"))


def edit_check(world, **sources):
    changes = {world.scene.folder / f"{name}.py": source.encode() for name, source in sources.items()}
    world.check(world.codebase.build(world.program, changes))


def test_every_runs_a_hook_now_and_then(scene):
    world = World.open(
        scene(
            mover="from instar import Agents, every, i32\n\nclass Ticks(Agents):\n    n: i32\n\n"
            "def setup(ticks):\n    ticks.spawn(1)\n\n@every(frames=3)\ndef tick(ticks):\n    ticks.n += 1\n"
        )
    )
    counts = []
    for _ in range(7):
        world.step()
        counts.append(int(world["ticks"].n[0]))
    assert counts == [1, 1, 1, 2, 2, 2, 3]


def test_hooks_get_what_their_parameters_name(scene):
    world = World.open(
        scene(
            "fps = 50\n[space]\nwidth = 7.0\n",
            mover=MOVER,
            asker=(
                "seen = {}\n"
                "def update(world, dt, frame, *, space, params, boids, other=3):\n"
                "    seen.update(locals())\n"
                "from instar import Param\n"
                "depth = Param(2)\n"
            ),
        )
    )
    world.step()
    seen = world.program.modules["asker"].module.seen
    assert seen["world"] is world
    assert seen["dt"] == 1 / 50
    assert seen["frame"] == 0
    assert seen["space"].width == 7
    assert seen["params"].depth == 2
    assert seen["boids"] is world["boids"]
    assert seen["other"] == 3


def test_params_come_from_the_scene_and_the_caller_and_can_be_set(scene):
    folder = scene("[params.mover]\nspeed = 2.5\n", mover=MOVER)
    assert World.open(folder).program.modules["mover"].module.speed == 2.5
    world = World.open(folder, params={"mover": {"speed": 4}})
    params = world.params["mover"]
    assert params.speed == 4
    params.speed = 5
    assert world.program.modules["mover"].module.speed == 5
    with pytest.raises(InstarError):
        params.speed = 99
    with pytest.raises(AttributeError, match=r"has no Param 'sped'; did you mean speed\?"):
        params.sped  # noqa: B018
    with pytest.raises(InstarError, match="sped"):
        World.open(folder, params={"mover": {"sped": 4}})


def edit(world, **sources):
    """Swap in new sources, as a runtime does at a frame's boundary."""
    changes = {world.scene.folder / f"{name}.py": source.encode() for name, source in sources.items()}
    return world.swap(world.codebase.build(world.program, changes))


def test_an_edit_runs_new_code_over_the_same_agents(scene):
    world = World.open(scene(mover=MOVER))
    world.step()
    ids = world["boids"].id.tolist()
    steps = edit(
        world,
        mover=MOVER.replace("vx: f32", "vx: f32\n    energy: f32 = 2").replace(
            "boids.x +=", "boids.energy += 1; boids.x +="
        ),
    )
    assert steps == ["boids: added energy (f32, default 2.0)"]
    world.step()
    assert world["boids"].energy.tolist() == [3] * 5
    assert world["boids"].id.tolist() == ids


def test_an_edit_wakes_a_resting_module_and_only_that(scene):
    world = World.open(scene(mover=MOVER, failing=FAILING, other="def update():\n    1 / 0\n"))
    for _ in range(4):
        try:
            world.step()
        except HookFault:
            continue
    assert set(world.resting) == {"failing", "other"}
    edit(world, failing="def update(boids):\n    boids.x = 3\n")
    assert set(world.resting) == {"other"}
    world.step()
    assert set(world["boids"].x.tolist()) == {3.0}


def test_a_rollback_across_an_edit_brings_back_the_code_of_that_frame(scene):
    world = World.open(scene(mover=MOVER))
    first = world.program
    world.step()
    edit(
        world,
        mover=MOVER.replace("vx: f32", "vx: f32\n    energy: f32 = 2").replace(
            "boids.x +=", "boids.energy += 1; boids.x +="
        ),
    )
    second = world.program
    world.step()
    world.rollback(0)
    assert world.program is first
    world.step()
    world.rollback(0)
    edit(world, mover=MOVER.replace("vx: f32", "vx: f32\n    energy: f32 = 2"))
    assert world.program is not second
    assert world["boids"].energy.tolist() == [2] * 5


def test_edits_do_not_pile_up_once_no_rollback_can_reach_them(scene):
    world = World.open(scene(mover=MOVER))
    for n in range(30):
        edit(world, mover=MOVER + f"# {n}\n")
        world.step()
    held = len(world._versions)
    assert held <= len(world.frames) + 1


def test_a_step_that_is_interrupted_after_its_hooks_is_void(scene, monkeypatch):
    world = World.open(scene(mover=MOVER))
    world.step()
    before = world.state.crc

    def interrupt() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(world, "commit", interrupt)
        with pytest.raises(KeyboardInterrupt):
            world.step()
    world.save(world.scene.folder / "kept")  # which is refused where something is not committed
    assert (world.frame, world.state.crc) == (1, before)
