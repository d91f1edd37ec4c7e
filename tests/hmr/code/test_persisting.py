from __future__ import annotations

from typing import Any

import pytest

from instar import persist
from instar.hmr.code import Codebase, EditError, Program, adopt
from instar.hmr.state import PersistError, StateManager

from .conftest import Scene

GAME = """\
from instar import Param, persist

points = Param(3, min=0, max=9)
score = persist("score", 0)
bag = persist("bag", {"keys": []})
start = persist("start", points)

def add():
    score.value += 1
    bag.value["keys"].append(score.value)
"""


class World:
    """What a world does with programs."""

    def __init__(self, scene: Scene, *modules: str) -> None:
        self.codebase: Codebase = scene.codebase(*modules)
        self.state = StateManager()
        self.program: Program = self.codebase.load()
        self.steps = adopt(self.state.persisted, self.program.persisted, {})

    def edit(self, **files: str) -> list[str]:
        root = self.codebase.root
        program = self.codebase.build(
            self.program, {root / f"{name}.py": text.encode() for name, text in files.items()}
        )
        steps = adopt(self.state.persisted, program.persisted, self.program.persisted)
        self.codebase.retire(self.program, program)
        self.program = program
        return steps

    def __getattr__(self, name: str) -> Any:
        return self.program.modules[name].module


def test_values_begin_with_their_defaults(scene: Scene) -> None:
    scene.write("game.py", GAME)
    world = World(scene, "game")
    assert dict(world.state.persisted) == {"game.score": 0, "game.bag": {"keys": []}, "game.start": 3}
    assert world.steps[0] == "game.score: persisted, begins with 0"
    assert world.state.uncommitted is None
    assert world.game.score.value == 0


def test_the_object_of_the_default_is_not_the_value(scene: Scene) -> None:
    scene.write("game.py", "from instar import persist\ngiven = []\nbag = persist('bag', given)\n")
    world = World(scene, "game")
    world.game.bag.value.append(1)
    assert world.game.given == []
    assert world.game.bag.value == [1]


def test_values_stay_through_edits_and_boxes_of_all_versions_see_them(scene: Scene) -> None:
    scene.write("game.py", GAME)
    world = World(scene, "game")
    old = world.game
    old.add()
    assert world.edit(game=GAME + "x = 1\n") == []
    world.game.add()
    assert old.score.value == world.game.score.value == 2
    assert old.bag.value is world.game.bag.value
    old.add()
    assert world.state.persisted["game.bag"] == {"keys": [1, 2, 3]}


def test_a_captured_box_stays_right(scene: Scene) -> None:
    text = "from instar import persist\nn = persist('n', 0)\ndef up(n=n):\n    n.value += 1\nkeep = [lambda: n.value]\n"
    scene.write("game.py", text)
    world = World(scene, "game")
    old = world.game
    old.up()
    world.edit(game=text + "x = 1\n")
    world.game.up()
    old.up()
    assert world.game.keep[0]() == old.keep[0]() == 3
    world.state.commit()
    world.game.up()
    world.state.rollback(1)
    assert old.keep[0]() == 3


def test_a_changed_default_does_not_touch_the_value(scene: Scene) -> None:
    scene.write("game.py", GAME)
    world = World(scene, "game")
    world.game.add()
    steps = world.edit(game=GAME.replace('"score", 0', '"score", 100'))
    assert steps == ["game.score: keeps 1; its default is now 100"]
    steps = world.edit(game=GAME.replace('"score", 0', '"score", {}'))
    assert steps == ["game.score: keeps 1, of type int, while its default is now of type dict"]
    assert world.game.score.value == 1


def test_a_value_that_no_file_names_is_parked_and_comes_back(scene: Scene) -> None:
    scene.write("game.py", GAME)
    world = World(scene, "game")
    world.game.add()
    world.state.commit()
    less = (
        GAME.replace('score = persist("score", 0)\n', "")
        .replace("score.value += 1", "pass")
        .replace("score.value", "0")
    )
    assert world.edit(game=less) == ["game.score: parked with 1"]
    world.state.commit()
    assert world.edit(game=GAME) == ["game.score: brought back with 1"]
    assert world.game.score.value == 1


def test_two_files_may_use_one_name_and_helpers_may_persist(scene: Scene) -> None:
    scene.write("game.py", "import sub.deep\nfrom instar import persist\nn = persist('n', 1)\n")
    scene.write("other.py", "from sub.deep import n as deep\nfrom instar import persist\nn = persist('n', 2)\n")
    scene.write("sub/__init__.py", "")
    scene.write("sub/deep.py", "from instar import persist\nn = persist('n', 3)\n")
    world = World(scene, "game", "other")
    assert dict(world.state.persisted) == {"game.n": 1, "other.n": 2, "sub.deep.n": 3}
    world.other.deep.value = 4
    assert world.game.sub.deep.n.value == 4


def test_a_program_of_a_frame_before_a_value_has_none(scene: Scene) -> None:
    scene.write("game.py", "x = 1\n")
    world = World(scene, "game")
    world.state.commit()
    world.edit(game=GAME)
    box = world.game.score
    world.state.rollback(0)
    with pytest.raises(PersistError, match=r"game\.py:4: score\.value is asked for where the world has none"):
        box.value  # noqa: B018 - it raises


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("persist('a', 1)\npersist('a', 1)\n", "persist('a', …) is there twice, on line 2 too"),
        ("persist('a.b', 1)\n", "'a.b' is no name"),
        ("def f():\n    persist('a', 1)\nf()\n", "must stand at the top level"),
        ("a = persist('a', {'ship': [1, object()]})\n", "a.value['ship'][1] is an object"),
        (
            "a = persist('a', 1)\nb = a.value\n",
            "a.value is asked for where the world has none: while the file is imported",
        ),
        (
            "a = persist('a', 1)\na.value = 2\n",
            "a.value is asked for where the world has none: while the file is imported",
        ),
    ],
)
def test_calls_that_cannot_be_are_refused(scene: Scene, text: str, problem: str) -> None:
    scene.write("game.py", "from instar import persist\n" + text)
    with pytest.raises(EditError) as refused:
        scene.load("game")
    assert problem in refused.value.problem
    assert (refused.value.path, refused.value.line in (2, 3)) == (scene.root / "game.py", True)


def test_an_edit_that_is_refused_leaves_values_alone(scene: Scene) -> None:
    scene.write("game.py", GAME)
    world = World(scene, "game")
    world.game.add()
    with pytest.raises(EditError, match="while the file is imported"):
        world.edit(game=GAME + "score.value = 7\n")
    assert world.game.score.value == 1
    assert dict(world.state.persisted) == {"game.score": 1, "game.bag": {"keys": [1]}, "game.start": 3}


def test_a_call_in_a_hook_is_refused(scene: Scene) -> None:
    scene.write("game.py", "from instar import persist\ndef update():\n    persist('a', 1)\n")
    world = World(scene, "game")
    with pytest.raises(EditError, match="top level"):
        world.game.update()


def test_outside_of_a_scene_it_is_a_box_on_its_own() -> None:
    box = persist("score", [1])
    box.value.append(2)
    assert box.value == [1, 2]
    with pytest.raises(PersistError, match=r"test_persisting\.py:\d+: score\.value\[0\] is an object"):
        box.value = [object()]  # type: ignore[list-item]
    assert repr(box) == "<persisted score: [1, 2]>"
