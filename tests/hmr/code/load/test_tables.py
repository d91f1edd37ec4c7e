from __future__ import annotations

import pytest

from instar.hmr.code import LoadError

from ..conftest import Scene

BOIDS = "from instar import Agents, f32\n\nclass Boids(Agents, capacity=10):\n    x: f32\n"


def test_tables_belong_to_the_file_that_defines_them(scene: Scene) -> None:
    scene.write("flock.py", BOIDS)
    scene.write(
        "hunt.py", "from flock import Boids\nfrom instar import Agents, f32\nclass RedHawks(Agents):\n    y: f32\n"
    )
    program = scene.load("flock", "hunt")
    assert list(program.schemas) == ["boids", "red_hawks"]
    assert program.owners == {"boids": "flock", "red_hawks": "hunt"}
    assert list(program.modules["hunt"].schemas) == ["red_hawks"]
    assert program.schemas["boids"].capacity == 10


def test_table_in_a_helper_is_refused(scene: Scene) -> None:
    path = scene.write("kinds.py", BOIDS)
    scene.write("flock.py", "from kinds import Boids\n")
    with pytest.raises(LoadError, match=r"List it in scene\.toml: modules = \['flock', 'kinds'\]") as caught:
        scene.load()
    assert (caught.value.path, caught.value.line) == (path, 3)
    assert list(scene.load("flock", "kinds").schemas) == ["boids"]


def test_two_declarations_of_one_table_name_both_places(scene: Scene) -> None:
    first = scene.write("flock.py", BOIDS)
    second = scene.write("hunt.py", "\n" + BOIDS)
    with pytest.raises(LoadError, match="declared twice") as caught:
        scene.load("flock", "hunt")
    assert (caught.value.path, caught.value.line) == (second, 4)
    assert f"{first}:3" in str(caught.value)


def test_table_that_hooks_could_not_tell_from_something_else(scene: Scene) -> None:
    scene.write("flock.py", BOIDS.replace("Boids", "World"))
    with pytest.raises(LoadError, match="'world', which means something else"):
        scene.load()


def test_a_reference_to_a_table_that_is_not_there_names_those_there_are(scene: Scene) -> None:
    hawks = scene.write("hunt.py", "from instar import Agents, f32\nclass Hawks(Agents):\n    x: f32\n")
    prey = scene.write("flock.py", 'from instar import Agents, Ref\nclass Prey(Agents):\n    target: Ref["hawk"]\n')
    problem = r"target is Ref\[\"hawk\"\], but there is no table 'hawk'; did you mean hawks\? \(there are prey, hawks\)"
    with pytest.raises(LoadError, match=problem) as caught:
        scene.load("flock", "hunt")
    assert (caught.value.path, caught.value.line) == (prey, 2)
    scene.write("flock.py", prey.read_text().replace("hawk", "hawks"))
    assert scene.load("flock", "hunt").schemas["prey"].fields["target"].target == "hawks"
    hawks.write_text("")
    with pytest.raises(
        LoadError, match=r"no table 'hawks' \(there are prey\)(.|\n)*remove the field together with the class"
    ):
        scene.load("flock", "hunt")


def test_two_classes_of_one_name_in_a_file_are_refused_with_both_lines(scene: Scene) -> None:
    path = scene.write("flock.py", BOIDS + "\nclass Boids(Agents):\n    y: f32\n")
    with pytest.raises(LoadError, match="the class is defined twice in this file, in line 3 too") as caught:
        scene.load()
    assert (caught.value.path, caught.value.line) == (path, 6)


def test_a_class_that_is_defined_in_one_branch_of_two_is_not(scene: Scene) -> None:
    branches = "if True:\n    class Boids(Agents):\n        x: f32\nelse:\n    class Boids(Agents):\n        y: f32\n"
    scene.write("flock.py", "from instar import Agents, f32\n" + branches)
    assert list(scene.load().schemas["boids"].fields) == ["x"]
