"""An edit of scene.toml in a world that lives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instar.faults import HookFault
from instar.native import InstarError
from instar.runner import Runtime
from instar.world import World

FLOCK = """\
from instar import Agents, Param, f32

class Boids(Agents, capacity=1000):
    x: f32

cohesion = Param(0.5, min=0.0, max=1.0)
weight = Param(1)

def setup(boids):
    boids.spawn(5)

def update(boids):
    boids.x += cohesion
"""
HAWKS = """\
from instar import Agents, f32

class Hawks(Agents, capacity=1000):
    x: f32

def setup(hawks):
    hawks.spawn(3, x=7)

def update(hawks):
    hawks.x += 1
"""


def rewrite(folder: Path, text: str) -> None:
    (folder / "scene.toml").write_text(text)


@pytest.fixture
def world(scene) -> World:
    return World.open(scene(flock=FLOCK))


def edit(world: World, text: str):
    rewrite(world.scene.folder, text)
    return world.reload("scene.toml")


def test_what_the_file_says_of_params_takes_effect(world):
    receipt = edit(world, 'modules = ["flock"]\n[params.flock]\ncohesion = 0.25\n')
    assert (receipt.verdict, receipt.files, receipt.version) == ("live", ("scene.toml",), 2)
    assert receipt.settings == ("params.flock.cohesion is now 0.25",)
    assert world.params["flock"].cohesion == 0.25
    world.step()
    assert world["boids"].x.tolist() == [0.25] * 5
    assert edit(world, 'modules = ["flock"]\n').settings == ("params.flock.cohesion is left out now, was 0.25",)
    assert world.params["flock"].cohesion == 0.5


def test_the_newest_word_on_a_param_wins(world):
    text = 'modules = ["flock"]\n[params.flock]\ncohesion = {}\n'
    edit(world, text.format(0.25))
    world.params["flock"].cohesion = 0.75
    edit(world, text.format(0.25) + "weight = 3\n")
    assert (world.params["flock"].cohesion, world.params["flock"].weight) == (0.75, 3)
    edit(world, text.format(0.125))
    assert world.params["flock"].cohesion == 0.125
    world.params["flock"].cohesion = 0.75
    edit(world, 'modules = ["flock"]\n')
    assert (world.params["flock"].cohesion, world.params["flock"].weight) == (0.75, 1)


def test_values_given_for_the_run_stand_above_the_file(scene):
    folder = scene(flock=FLOCK)
    world = World.open(folder, fps=50, params={"flock": {"cohesion": 1.0}})
    receipt = edit(world, 'fps = 30\nmodules = ["flock"]\n[params.flock]\ncohesion = 0.25\n')
    assert world.params["flock"].cohesion == 1.0
    assert (world.fps, world.dt) == (50, 0.02)
    assert receipt.settings == (
        "fps is now 30, was 60: not followed, as 50 was given for this run",
        "params.flock.cohesion is now 0.25: not followed, as 1.0 was given for this run",
    )


def test_space_keeps_its_identity_and_changes_its_size(world):
    space = world.space
    receipt = edit(world, 'modules = ["flock"]\n[space]\nkind = "box"\nwidth = 30\n')
    assert world.space is space
    assert (space.kind, space.width, space.height) == ("box", 30.0, 100.0)
    assert receipt.settings == ("space is now a box of 30 × 100, was a torus of 100 × 100",)


def test_pace_title_preset_budgets_and_memory_follow(world):
    receipt = edit(
        world,
        'title = "Birds"\nfps = 30\npreset = "perf"\nmemory = "64MB"\nmodules = ["flock"]\n[budget]\nupdate = 3\n',
    )
    assert (world.scene.title, world.scene.preset, world.scene.budget) == ("Birds", "perf", {"update": 3.0})
    assert (world.fps, world.dt) == (30, 1 / 30)
    assert world.state.memory_summary()["limit"] == 64_000_000
    assert receipt.settings == (
        "title is now 'Birds', was 'scene'",
        "preset is now 'perf', was 'balanced'",
        "fps is now 30, was 60",
        "memory is now limited to 64.0 MB, was without limit",
        "budget.update is now 3.0",
    )
    assert edit(world, 'modules = ["flock"]\n').verdict == "live"
    assert world.state.memory_summary()["limit"] is None
    world["boids"].spawn(10)
    world.commit()


def test_what_needs_a_new_start_is_said_and_changes_nothing(world):
    receipt = edit(world, 'seed = 9\nthreads = 2\nmodules = ["flock"]\n')
    assert world.seed == 0
    assert receipt.settings == (
        "seed = 9 counts from the next start on: a world that runs keeps its own; it was 0",
        "threads = 2 counts from the next start on: a world that runs keeps its own; it was 1",
    )


def test_a_module_joins_is_set_up_leaves_and_comes_back_with_its_agents(world):
    world.step()
    (world.scene.folder / "hawks.py").write_text(HAWKS)
    receipt = edit(world, 'modules = ["flock", "hawks"]\n')
    assert receipt.files == ("hawks.py", "scene.toml")
    assert receipt.settings == ("added hawks", "setup of hawks spawned 3 hawks")
    assert world["hawks"].x.tolist() == [7] * 3
    assert world.frame == 1
    world.step()
    assert world["hawks"].x.tolist() == [8] * 3
    receipt = edit(world, 'modules = ["flock"]\n')
    assert receipt.settings == ("removed hawks",)
    assert receipt.migrated == ("hawks: parked with 3 rows",)
    assert "hawks" not in world.tables
    world.step()
    receipt = edit(world, 'modules = ["flock", "hawks"]\n')
    assert receipt.settings == ("added hawks",)
    assert receipt.migrated == ("hawks: brought back with 3 rows",)
    assert world["hawks"].x.tolist() == [8] * 3
    world.step()
    assert world["hawks"].x.tolist() == [9] * 3


def test_a_module_whose_setup_was_rolled_back_is_set_up_again(world):
    world.step()
    (world.scene.folder / "hawks.py").write_text(HAWKS)
    edit(world, 'modules = ["flock", "hawks"]\n')
    world.step()
    world.rollback(0)
    assert "hawks" not in world.tables
    assert world.scene.modules == ("flock",)
    world.redo(2)
    assert world.scene.modules == ("flock", "hawks")
    assert world["hawks"].x.tolist() == [8] * 3
    world.rollback(0)
    world.step()
    assert edit(world, 'modules = ["hawks", "flock"]\n').settings[-1] == "setup of hawks spawned 3 hawks"
    assert world["hawks"].x.tolist() == [7] * 3


def test_the_code_of_a_future_that_was_given_up_is_given_up_with_it(world):
    world.step()
    edit(world, 'title = "Two"\nmodules = ["flock"]\n')
    world.rollback(0)
    for _ in range(3):
        world.step()
    world.rollback(2)
    assert world.scene.title == "scene"


def test_modules_update_in_the_order_of_the_file(scene):
    shared = "from instar import Agents, i32\nclass Log(Agents):\n    last: i32\ndef setup(log): log.spawn(1)\n"
    world = World.open(
        scene(
            first=shared + "def update(log): log.last = 1\n",
            second="def update(log): log.last = 2\n",
        )
    )
    world.step()
    assert world["log"].last[0] == 2
    assert edit(world, 'modules = ["second", "first"]\n').settings == ("modules update in the order second, first",)
    world.step()
    assert world["log"].last[0] == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('modules = ["flock"\n', r"scene\.toml:1:\d+: not TOML|scene\.toml:2:1: not TOML"),
        ('modules = ["flock"]\nfsp = 30\n', r"scene\.toml:2: fsp: unknown key\. Did you mean 'fps'\?"),
        ('modules = ["flock", "hawk"]\n', r"scene\.toml:1: modules\[1\]: there is no hawk\.py in the scene"),
        (
            'modules = ["flock"]\n[params.flock]\ncohesion = 7\n',
            r"scene\.toml:3: params\.flock\.cohesion: .*7 is not allowed",
        ),
        ('modules = ["flock"]\n[params.flock]\ncohesoin = 1\n', r"scene\.toml:3: .*did you mean cohesion\?"),
        ('modules = ["flock", "broken"]\n', r"broken\.py:1: SyntaxError"),
        ('modules = ["flock", "fails"]\n', r"fails\.py:2: fails\.setup: ZeroDivisionError"),
    ],
)
def test_an_invalid_file_changes_nothing_and_says_why(world, text, problem):
    (world.scene.folder / "broken.py").write_text("def (\n")
    (world.scene.folder / "fails.py").write_text("def setup(world):\n    world['boids'].spawn(2); 1 / 0\n")
    world.step()
    before = world.state.crc, world.program, world.scene
    receipt = edit(world, text)
    assert receipt.verdict == "rejected"
    assert receipt.version == 1
    assert re.search(problem, receipt.error), receipt.error
    assert "mend" in receipt.error.lower()
    assert (world.state.crc, world.program, world.scene) == before
    world.step()
    assert edit(world, 'modules = ["flock"]\nfps = 30\n').verdict == "live"


def test_a_setup_that_raises_leaves_no_table_behind(world):
    (world.scene.folder / "hawks.py").write_text(HAWKS.replace("x=7)", "x=7)\n    raise ValueError('no'"))
    receipt = edit(world, 'modules = ["flock", "hawks"]\n')
    assert receipt.verdict == "rejected"
    assert "hawks" not in world.tables
    assert world.resting == {}
    (world.scene.folder / "hawks.py").write_text(HAWKS)
    assert edit(world, 'modules = ["flock", "hawks"]\n').verdict == "live"
    assert world["hawks"].x.tolist() == [7] * 3


def test_a_module_that_rests_is_tried_again_after_an_edit_of_the_scene(scene):
    world = World.open(scene("[params.flock]\nweight = 0\n", flock=FLOCK + "    1 / weight\n"))
    with pytest.raises(HookFault, match="ZeroDivisionError"):
        world.step()
    assert "flock" in world.resting
    edit(world, 'modules = ["flock"]\n[params.flock]\nweight = 2\n')
    assert world.resting == {}
    world.step()


def test_an_edit_of_the_file_that_has_a_hook_fail_is_undone_like_one_of_code(scene):
    world = World.open(scene(flock=FLOCK + "    1 / weight\n"))
    world.params["flock"].weight = 5
    edit(world, 'title = "Two"\nmodules = ["flock"]\n[params.flock]\nweight = 0\n')
    with pytest.raises(InstarError, match="ZeroDivisionError"):
        world.step()
    assert (world.scene.title, world.params["flock"].weight, world.resting) == ("scene", 5, {})
    world.step()


def test_a_rollback_across_an_edit_restores_what_the_file_said_then(world):
    text = 'title = "{}"\nfps = {}\nmodules = ["flock"]\n[space]\nwidth = {}\n[params.flock]\ncohesion = {}\n'
    world.step()
    world.params["flock"].cohesion = 0.375
    edit(world, text.format("Two", 30, 50, 0.25))
    world.step()
    world.rollback(0)
    assert (world.scene.title, world.fps, world.space.width) == ("scene", 60, 100.0)
    assert world.params["flock"].cohesion == 0.375
    world.redo(2)
    assert (world.scene.title, world.fps, world.space.width) == ("Two", 30, 50.0)
    assert world.params["flock"].cohesion == 0.25


def test_a_file_that_says_the_same_is_an_edit_that_changes_nothing(world):
    receipt = edit(world, '# birds\nmodules = ["flock"]\n')
    assert (receipt.verdict, receipt.settings, receipt.migrated) == ("live", (), ())
    assert world.reload().version == 2
    assert world.reload().files == ("flock.py", "scene.toml")


def test_a_module_whose_file_is_gone_goes_on_through_edits_of_the_scene(world):
    (world.scene.folder / "flock.py").unlink()
    assert edit(world, 'title = "Two"\nmodules = ["flock"]\n').verdict == "live"
    world.step()


def test_capacity_is_raised_by_an_edit_of_the_class(world):
    path = world.scene.folder / "flock.py"
    path.write_text(FLOCK.replace("capacity=1000", "capacity=5000"))
    receipt = world.reload("flock.py")
    assert receipt.migrated == ("boids: capacity 1000 → 5000",)
    assert (receipt.rows, receipt.columns) == (5, ())
    world["boids"].spawn(3000)


MODULES = ("flock", "hawks", "other")
INVALID = ('modules = ["nobody"]\n', "fps = 0\n", "[[", 'modules = ["flock"]\n[params.flock]\nstop = 1\n')


class Oracle:
    """What a world with the modules `MODULES` should be, each with one table of 3 rows and one Param."""

    def __init__(self) -> None:
        self.modules = ["flock"]
        self.file: dict[str, float] = {}
        self.step_of = {"flock": 1.0}
        self.x = {"flock": 7.0}

    def edit(self, modules: list[str], file: dict[str, float]) -> None:
        for name in self.modules:
            if name not in modules and self.step_of[name] == self.file.get(name):
                self.step_of[name] = 1.0  # the file's value goes with the file's line; one that was set comes back
        for name in modules:
            self.x.setdefault(name, 7.0)
            if name not in self.modules:
                self.step_of[name] = file.get(name, self.step_of.get(name, 1.0))
            elif name in file and file[name] != self.file.get(name):
                self.step_of[name] = file[name]
            elif name not in file and self.step_of[name] == self.file.get(name):
                self.step_of[name] = 1.0
        self.modules, self.file = modules, file

    def step(self) -> None:
        for name in self.modules:
            self.x[name] += self.step_of[name]

    def agrees_with(self, world: World) -> None:
        assert list(world.program.modules) == self.modules
        assert set(world.tables) == set(self.modules)
        for name in self.modules:
            assert world.params[name].step == self.step_of[name]
            assert world[name].x.tolist() == [self.x[name]] * 3


def write_modules(folder: Path) -> None:
    declares_step = "from instar import Param\nstep = Param(1.0)\nclass"
    for name in MODULES:
        text = HAWKS.replace("Hawks", name.title()).replace("hawks", name).replace("class", declares_step)
        (folder / f"{name}.py").write_text(text.replace("+= 1", "+= step"))
    rewrite(folder, 'modules = ["flock"]\n')


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_sequences_of_edits_are_what_an_oracle_says(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("scene")
    write_modules(folder)
    world, oracle = World.open(folder), Oracle()
    values = st.integers(1, 9).map(float)
    for _ in range(data.draw(st.integers(1, 12))):
        action = data.draw(st.sampled_from(["edit", "edit", "edit", "set", "step", "invalid"]))
        if action == "edit":
            modules = data.draw(st.lists(st.sampled_from(MODULES), min_size=1, unique=True))
            file = data.draw(st.dictionaries(st.sampled_from(modules), values))
            sections = [f"[params.{name}]\nstep = {value}\n" for name, value in file.items()]
            rewrite(folder, "".join([f"modules = {modules}\n", *sections]))
            assert world.reload("scene.toml").verdict == "live"
            oracle.edit(modules, file)
        elif action == "set":
            name = data.draw(st.sampled_from(oracle.modules))
            world.params[name].step = oracle.step_of[name] = data.draw(values)
        elif action == "step":
            world.step()
            oracle.step()
        else:
            rewrite(folder, data.draw(st.sampled_from(INVALID)))
            assert world.reload("scene.toml").verdict == "rejected"
        oracle.agrees_with(world)


def test_a_run_keeps_the_pace_that_the_file_asks_for_from_the_next_deadline_on(scene, clock):
    folder = scene("fps = 50\n", flock=FLOCK)
    runtime = Runtime(folder, clock=clock)

    def edit_in_frame(world):
        if world.frame < 3:
            runtime.post(edit_in_frame)
        else:
            program = world.codebase.build(world.program, {folder / "scene.toml": b'fps = 25\nmodules = ["flock"]\n'})
            world.swap(program)

    runtime.post(edit_in_frame)
    report = runtime.run(6)
    steps = [round((b - a) / 1e6) for a, b in zip(clock.slept, clock.slept[1:], strict=False)]
    assert steps == [20, 20, 40, 40, 40]
    assert (report["fps"], report["budget_ms"], report["missed"]) == (25, 40.0, 0)
    assert runtime.world.dt == 1 / 25
