"""Persisted values in worlds: with frames, faults, edits, files."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from instar.faults import HookFault
from instar.hmr.state import UnknownValueError
from instar.world import World

GAME = """\
from instar import Agents, f32, persist

class Boids(Agents, capacity=100):
    x: f32

score = persist("score", 0)
bag = persist("bag", {"frames": []})

def setup(boids):
    boids.spawn(2)
    bag.value["name"] = "set up"

def update(frame):
    score.value += 1
    bag.value["frames"].append(frame)
"""


def edit(world: World, **files: str) -> list[str]:
    folder = world.scene.folder
    changes = {folder / f"{name}.py": text.encode() for name, text in files.items()}
    program = world.codebase.build(world.program, changes)
    return [] if program is world.program else world.swap(program)


def test_values_go_with_frames(scene):
    world = World.open(scene(game=GAME))
    assert dict(world.persisted) == {"game.score": 0, "game.bag": {"frames": [], "name": "set up"}}
    for _ in range(3):
        world.step()
    assert world.persisted["game.score"] == 3
    world.rollback(1)
    assert dict(world.persisted) == {"game.score": 1, "game.bag": {"frames": [0], "name": "set up"}}
    world.redo(3)
    assert world.persisted["game.bag"]["frames"] == [0, 1, 2]


def test_a_voided_frame_takes_its_values_back(scene):
    world = World.open(scene(game=GAME.replace("score.value += 1", "score.value += 1\n    1 // (2 - frame)")))
    for _ in range(2):
        world.step()
    with pytest.raises(HookFault, match="ZeroDivisionError"):
        world.step()
    assert dict(world.persisted) == {"game.score": 2, "game.bag": {"frames": [0, 1], "name": "set up"}}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("bag.value['ship'] = [1, 2, Boids]", r"game\.py:7: bag\.value\['ship'\]\[2\] is a type"),
        ("bag.value = Boids", r"game\.py:7: bag\.value is a type"),
        ("score.value = bag.value['x'] = {1: 'a' * 70_000}", "at most 65,536 can be persisted"),
    ],
)
def test_what_is_no_plain_data_voids_the_frame_of_the_hook_that_put_it_there(scene, line, says):
    other = "def update(boids):\n    boids.x += 1\n"
    failing = GAME.replace("    score.value += 1\n", f"    score.value += 1\n    if frame == 1:\n        {line}\n")
    world = World.open(scene(game=failing, other=other))
    world.step()
    with pytest.raises(HookFault, match=says) as fault:
        world.step()
    assert fault.value.module == "game"
    assert list(world.resting) == ["game"]
    assert dict(world.persisted) == {"game.score": 1, "game.bag": {"frames": [0], "name": "set up"}}
    world.step()
    assert world["boids"].x.tolist() == [2, 2]
    assert world.persisted["game.score"] == 1
    edit(world, game=GAME)
    world.step()
    assert world.persisted["game.score"] == 2


def test_programs_read_and_assign_values(scene):
    world = World.open(scene(game=GAME))
    world.persisted["game.score"] = 10
    world.step()
    assert world.program.modules["game"].module.score.value == 11
    world.rollback(0)
    assert world.persisted["game.score"] == 0
    with pytest.raises(UnknownValueError, match=r"did you mean game\.score\?"):
        world.persisted["game.scores"] = 1


def test_edits_keep_values_and_a_rollback_across_them_undoes_both(scene):
    world = World.open(scene(game=GAME))
    world.step()
    steps = edit(world, game=GAME.replace('"score", 0', '"score", 5') + 'more = persist("more", [1])\n')
    assert steps == ["game.score: keeps 1; its default is now 5", "game.more: persisted, begins with [1]"]
    world.step()
    steps = edit(world, game=GAME.replace('score = persist("score", 0)', "").replace("score.value += 1", ""))
    assert steps == ["game.score: parked with 2", "game.more: parked with [1]"]
    world.step()
    world.rollback(0)
    assert dict(world.persisted) == {"game.score": 0, "game.bag": {"frames": [], "name": "set up"}}
    world.step()
    assert world.persisted["game.score"] == 1


def test_code_that_is_loaded_again_for_an_old_frame_sees_the_values(scene):
    world = World.open(scene(game=GAME))
    for number in range(12):
        world.step()
        edit(world, game=GAME + f"x = {number}\n")
    world.rollback(1)
    world.step()
    assert world.persisted["game.score"] == 2
    assert world.program.modules["game"].module.score.value == 2


def test_files_and_checkpoints_hold_values(scene, tmp_path):
    folder = scene(game=GAME)
    world = World.open(folder)
    world.step()
    checkpoint = world.checkpoint()
    world.save(tmp_path / "world.instar")
    world.step()
    world.restore(checkpoint)
    assert world.persisted["game.score"] == 1
    other = World.load(tmp_path / "world.instar")
    assert dict(other.persisted) == dict(world.persisted)
    assert other.state.crc == world.state.crc
    other.step()
    world.step()
    assert other.state.crc == world.state.crc


def test_a_file_without_a_value_begins_it_with_its_default(scene, tmp_path):
    folder = scene(game=GAME)
    World.open(folder).save(tmp_path / "old.instar")
    (folder / "game.py").write_text(GAME + 'more = persist("more", 7)\n')
    world = World.load(tmp_path / "old.instar")
    assert world.persisted["game.more"] == 7
    world.step()
    world.rollback(0)
    assert world.persisted["game.more"] == 7


def test_a_param_whose_bounds_change_is_told_in_the_steps(scene):
    text = "from instar import Param\ncohesion = Param(0.05, max=1.0)\n"
    world = World.open(scene(game=text))
    world.params["game"].cohesion = 0.9
    steps = edit(world, game="from instar import Param\ncohesion = Param(0.03, max=0.2)\n")
    assert steps == ["cohesion was 0.9, which max=0.2 does not allow; now 0.03"]


def test_an_edit_that_is_undone_for_its_fault_leaves_the_values_there_were_alone(scene):
    world = World.open(scene(game=GAME))
    world.step()
    edit(
        world,
        game=GAME.replace("score.value += 1", "score.value += 1\n    bag.value['bad'] = more")
        + "more = object()\nn = persist('n', 1)\n",
    )
    with pytest.raises(HookFault, match=r"bag\.value\['bad'\] is an object"):
        world.step()
    assert world.persisted["game.bag"] == {"frames": [0], "name": "set up"}
    assert world.persisted["game.score"] == 1
    world.step()
    assert world.persisted["game.score"] == 2


VARIANTS = {
    "both": ('a = persist("a", 0)\nb = persist("b", [])\n', "a.value += 1; b.value.append(frame)"),
    "a": ('a = persist("a", 10)\n', "a.value += 2"),
    "b": ('b = persist("b", [1])\n', "b.value.append(-frame); b.value = b.value[-3:]"),
    "none": ("", "pass"),
    "c": ('c = persist("c", {"deep": {"n": 0}})\na = persist("a", 0)\n', "c.value['deep']['n'] += a.value"),
}


def program_of(variant: str) -> str:
    head, body = VARIANTS[variant]
    return f"from instar import persist\n{head}\ndef update(frame):\n    {body}\n"


class Edited(RuleBasedStateMachine):
    """A world and a copy of what it must be, frame by frame, while its code and its frames change."""

    folder: Path

    @initialize(variant=st.sampled_from(sorted(VARIANTS)))
    def open(self, variant: str) -> None:
        (self.folder / "scene.toml").write_text('modules = ["game"]\n')
        (self.folder / "game.py").write_text(program_of(variant))
        self.world = World.open(self.folder)
        self.live: dict[str, Any] = {}
        self.variant = variant
        self.begin()
        self.frames = {0: (copy.deepcopy(self.live), variant)}

    def begin(self) -> None:
        given: dict[str, Any] = {}
        exec(VARIANTS[self.variant][0], {"persist": given.__setitem__})
        for name, default in given.items():
            self.live.setdefault(name, copy.deepcopy(default))

    @rule()
    def step(self) -> None:
        boxes = {name: _Box(self.live, name) for name in self.live}
        exec(VARIANTS[self.variant][1], {**boxes, "frame": self.world.frame})
        frame = self.world.step().frame
        self.frames = {at: found for at, found in self.frames.items() if at < frame}
        self.frames[frame] = copy.deepcopy(self.live), self.variant
        self.same()

    @rule(variant=st.sampled_from(sorted(VARIANTS)))
    def edit(self, variant: str) -> None:
        edit(self.world, game=program_of(variant))
        if variant == self.variant:
            return
        self.variant = variant
        before = set(self.live)
        self.begin()
        frame = self.world.frame
        self.frames |= {at: (live, variant) for at, (live, _) in self.frames.items() if at > frame}
        self.frames[frame] = copy.deepcopy(self.live), variant
        if before != set(self.live):
            self.frames = {at: found for at, found in self.frames.items() if at <= frame}
        self.same()

    @rule(data=st.data())
    def travel(self, data: st.DataObject) -> None:
        frame = data.draw(st.sampled_from(sorted(self.frames)))
        (self.world.rollback if frame <= self.world.frame else self.world.redo)(frame)
        live, self.variant = self.frames[frame]
        self.live = copy.deepcopy(live)
        self.same()

    @precondition(lambda self: "b" in self.live and VARIANTS[self.variant][0].count('"b"'))
    @rule()
    def put_in_what_is_no_plain_data(self) -> None:
        self.world.verdicts.confirm()
        self.world.program.modules["game"].module.b.value.append(object())
        with pytest.raises(HookFault):
            self.world.step()
        self.world.resting.clear()
        self.live = copy.deepcopy(self.frames[self.world.frame][0])
        self.same()

    def same(self) -> None:
        assert dict(self.world.persisted) == {f"game.{name}": value for name, value in self.live.items()}


class _Box:
    def __init__(self, live: dict[str, Any], name: str) -> None:
        object.__setattr__(self, "_live", live)
        object.__setattr__(self, "_name", name)

    def __getattr__(self, _: str) -> Any:
        return self._live[self._name]

    def __setattr__(self, _: str, value: Any) -> None:
        self._live[self._name] = value


def test_values_under_random_frames_and_edits(tmp_path):
    class Here(Edited):
        folder = tmp_path

    Here.TestCase.settings = settings(
        max_examples=30,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )
    Here.TestCase().runTest()
