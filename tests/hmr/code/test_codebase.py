from __future__ import annotations

import gc
import linecache
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instar.hmr.code import EditError, HookError, LoadError, ParamError, Source, compile_source

from .conftest import Scene, scene_modules


def test_unchanged_files_are_shared_and_dependents_are_new(scene: Scene) -> None:
    scene.write("flock.py", "import a\n")
    scene.write("hunt.py", "import b\n")
    scene.write("a.py", "import c\n")
    scene.write("b.py", "")
    scene.write("c.py", "x = 1\n")
    old = scene.load("flock", "hunt")
    new = scene.build(old, {"c.py": "x = 2\n"})
    assert (old.number, new.number) == (1, 2)
    assert list(new.modules) == ["flock", "hunt"]
    assert list(new.helpers) == ["a", "c", "b"]
    assert new.modules["hunt"] is old.modules["hunt"]
    assert new.helpers["b"] is old.helpers["b"]
    for name in ("flock", "a", "c"):
        assert (new.modules | new.helpers)[name].module is not (old.modules | old.helpers)[name].module
        assert (new.modules | new.helpers)[name].version != (old.modules | old.helpers)[name].version
    assert (old.helpers["c"].module.x, new.modules["flock"].module.a.c.x) == (1, 2)


def test_files_that_are_imported_no_longer_leave_the_program(scene: Scene) -> None:
    scene.write("flock.py", "import a\n")
    scene.write("a.py", "")
    old = scene.load()
    new = scene.build(old, {"flock.py": "\n"})
    assert (list(old.helpers), list(new.helpers)) == (["a"], [])
    assert set(new.sources) == {scene.root / "flock.py"}


def test_edited_package_does_not_touch_the_running_one(scene: Scene) -> None:
    scene.write("flock.py", "import p.a\n")
    scene.write("p/__init__.py", "")
    scene.write("p/a.py", "x = 1\n")
    scene.write("p/b.py", "x = 1\n")
    old = scene.load()
    new = scene.build(old, {"p/a.py": "x = 2\n"})
    newer = scene.build(old, {"flock.py": "import p.b\n"})
    assert (old.helpers["p"].module.a.x, new.helpers["p"].module.a.x) == (1, 2)
    assert not hasattr(old.helpers["p"].module, "b")
    assert newer.helpers["p"].module.b.x == 1


def test_running_bytes_not_those_on_disk_are_used(scene: Scene) -> None:
    scene.write("flock.py", "import a\nvalue = a.x\n")
    helper = scene.write("a.py", "x = 1\n")
    old = scene.load()
    helper.write_text("half writ")
    new = scene.build(old, {"flock.py": "import a\nvalue = a.x + 10\n"})
    assert new.modules["flock"].module.value == 11
    helper.unlink()
    assert scene.build(new, {"flock.py": "import a\nvalue = a.x + 20\n"}).modules["flock"].module.value == 21


def test_new_files_are_read_from_disk(scene: Scene) -> None:
    scene.write("flock.py", "")
    old = scene.load()
    scene.write("a.py", "x = 1\n")
    assert scene.build(old, {"flock.py": "import a\n"}).helpers["a"].module.x == 1


def test_new_file_takes_the_place_of_a_package(scene: Scene) -> None:
    scene.write("flock.py", "import json\n")
    old = scene.load()
    path = scene.root / "json.py"
    assert path in old.looked_for
    new = scene.build(old, {"json.py": "x = 1\n"})
    assert new.modules["flock"].module.json.x == 1


def test_nothing_changed_is_the_same_program(scene: Scene) -> None:
    scene.write("flock.py", "x = 1\n")
    program = scene.load()
    assert scene.build(program, {}) is program
    assert scene.build(program, {"flock.py": "x = 1\n", "unused.py": "1 / 0\n"}) is program


def test_only_what_changed_is_compiled(scene: Scene) -> None:
    scene.write("flock.py", "import a\n")
    scene.write("a.py", "")
    codebase = scene.codebase()
    program = codebase.load()
    compiled: list[str] = []

    def compile_file(source: Source) -> Any:
        compiled.append(source.name)
        return compile_source(source)

    codebase.build(program, {scene.root / "a.py": b"x = 1\n"}, compile_file)
    assert compiled == ["a"]


def test_hooks_know_all_tables(scene: Scene) -> None:
    scene.write("flock.py", "def update(hawks, boids, dt, wolves=None): pass\n")
    scene.write(
        "hunt.py", "from instar import Agents, f32\nclass Hawks(Agents):\n  x: f32\nclass Boids(Agents):\n  x: f32\n"
    )
    program = scene.load("flock", "hunt")
    [hook] = program.modules["flock"].hooks
    assert hook.names == ("hawks", "boids", "dt")
    wolves = "from instar import Agents, f32\nclass Hawks(Agents):\n  x: f32\nclass Boids(Agents):\n  x: f32\nclass Wolves(Hawks): pass\n"
    newer = scene.build(program, {"hunt.py": wolves})
    assert newer.modules["flock"].module is program.modules["flock"].module
    assert newer.modules["flock"].hooks[0].names == ("hawks", "boids", "dt", "wolves")
    with pytest.raises(HookError, match="asks for 'boids'"):
        scene.build(program, {"hunt.py": "from instar import Agents, f32\nclass Hawks(Agents):\n  x: f32\n"})


def test_helpers_have_no_hooks(scene: Scene) -> None:
    scene.write("flock.py", "import helper\n")
    scene.write("helper.py", "def update(nonsense): pass\n")
    assert scene.load().helpers["helper"].hooks == ()


def test_scene_gives_values(scene: Scene) -> None:
    scene.write(
        "flock.py", "from instar import Param\nimport helper\ncohesion = Param(0.3, max=1)\ndouble = cohesion * 2\n"
    )
    scene.write("helper.py", "from instar import Param\non = Param(True)\n")
    program = scene.load(params={"flock": {"cohesion": 0.5}, "helper": {"on": False}})
    assert program.modules["flock"].module.double == 1.0
    assert program.helpers["helper"].module.on is False
    assert program.params["flock"]["cohesion"].given


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        (
            {"flock": {"cohesoin": 1}},
            r"flock\.cohesoin, but there is no such Param; did you mean cohesion\?\nParams of flock: cohesion",
        ),
        ({"flokc": {"x": 1}}, r"did you mean flock\?\nFiles with Params: flock\. Correct \[params\.flokc\]"),
        ({"flock": {"cohesion": 7}}, r"Param cohesion: 7 is not allowed(.|\n)*Correct \[params\.flock\]"),
    ],
)
def test_values_for_params_there_are_not(scene: Scene, params: dict[str, Any], problem: str) -> None:
    scene.write("flock.py", "from instar import Param\ncohesion = Param(0.3, max=1)\n")
    with pytest.raises(ParamError, match=problem):
        scene.load(params=params)
    assert scene_modules() == set()


def test_value_that_was_given_survives_an_edit_as_long_as_it_fits(scene: Scene) -> None:
    text = "from instar import Param\ncohesion = Param({})\n"
    scene.write("flock.py", text.format("0.3, max=1"))
    program = scene.load()
    assert scene.build(program, {"flock.py": text.format(0.4)}).params["flock"]["cohesion"].value == 0.4
    program.params["flock"]["cohesion"].set(0.9)
    for declared, value in (("0.4", 0.9), ("0.4, max=0.5", 0.4), ("3", 3), ("True", True)):
        newer = scene.build(program, {"flock.py": text.format(declared)})
        assert newer.params["flock"]["cohesion"].value == value
        assert newer.modules["flock"].module.cohesion == value


def test_value_given_while_an_edit_was_ready_is_taken_over(scene: Scene) -> None:
    scene.write("flock.py", "from instar import Param\ncohesion = Param(0.3)\n")
    codebase = scene.codebase()
    old = codebase.load()
    new = scene.build(old, {"flock.py": "from instar import Param\ncohesion = Param(0.3, min=0)\nx = 1\n"})
    old.params["flock"]["cohesion"].set(0.7)
    assert new.modules["flock"].module.cohesion == 0.3
    codebase.retire(old, new)
    assert new.modules["flock"].module.cohesion == 0.7


def test_failed_build_changes_nothing(scene: Scene) -> None:
    scene.write("helper.py", "from instar import Param\nstrength = Param(2)\n")
    path = scene.write("flock.py", "from helper import strength\n")
    program = scene.load()
    live = program.params["helper"]["strength"]
    live.set(3)
    modules, entry, links = dict(sys.modules), linecache.cache[str(path)], live._links
    for text in (
        "from helper import strength\n1 / 0\n",
        "from helper import strength\nx = (\n",
        "import nothing_there\n",
    ):
        with pytest.raises(EditError):
            scene.build(program, {"flock.py": text})
        assert sys.modules == modules
        assert linecache.cache[str(path)] is entry
        assert live._links is links
        assert program.modules["flock"].module.strength == 3


def test_edit_of_several_files_is_all_or_nothing(scene: Scene) -> None:
    scene.write("flock.py", "from helper import f\n")
    scene.write("helper.py", "def f(): return 1\n")
    program = scene.load()
    with pytest.raises(LoadError, match="cannot import name 'f'"):
        scene.build(program, {"helper.py": "def g(): return 1\n"})
    newer = scene.build(program, {"helper.py": "def g(): return 2\n", "flock.py": "from helper import g\n"})
    assert newer.modules["flock"].module.g() == 2


def test_retired_versions_are_collected_and_can_come_back_before(scene: Scene) -> None:
    scene.write("shared.py", "from instar import Param\nstrength = Param(2)\n")
    text = "import shared\nfrom shared import strength\nfrom instar import Agents, f32\nclass Boids(Agents):\n  x: f32\ndef update(boids): return {}\n"
    scene.write("flock.py", text.format(1))
    codebase = scene.codebase()
    first = codebase.load()
    second = codebase.build(first, {scene.root / "flock.py": text.format(2).encode()})
    codebase.retire(first, second)
    assert scene_modules() == {found.module.__name__ for found in (*second.modules.values(), *second.helpers.values())}
    codebase.retire(second, first)
    assert scene_modules() == {found.module.__name__ for found in (*first.modules.values(), *first.helpers.values())}
    codebase.retire(first, second)
    assert "return 2" in linecache.getline(str(scene.root / "flock.py"), 6)
    gone = weakref.ref(first.modules["flock"].module)
    kept = weakref.ref(first.helpers["shared"].module)
    del first
    gc.collect()
    assert gone() is None
    assert kept() is not None


FILES = ("flock.py", "hunt.py", "a.py", "b.py", "p/__init__.py", "p/c.py")
PACKAGE = ("import p.c", "from p import c", "from .p.c import *")
B = (*PACKAGE, "from b import value as other", "import b")
A = (*B, "import a", "import a, b", "from . import a")
IMPORTS = {
    "flock.py": A,
    "hunt.py": A,
    "a.py": B,
    "b.py": PACKAGE,
}  # no circles: what they show depends on who came first
FAULTS = (
    "",
    "",
    "",
    "1 / 0",
    "x = (",
    "from instar import Param\nxs = [Param(1)]",
    "raise SystemExit",
    "from a import nothing",
)


@st.composite
def edits(draw: st.DrawFn) -> dict[str, str]:
    edit = {}
    for name in draw(st.sets(st.sampled_from(FILES), min_size=1, max_size=3)):
        lines = (
            draw(st.sampled_from(("", *IMPORTS.get(name, ())))),
            f"value = {draw(st.integers(0, 3))}",
            draw(st.sampled_from(FAULTS)),
        )
        edit[name] = "\n".join((*lines, ""))
    return edit


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(saved=st.lists(edits(), max_size=8))
def test_program_is_always_the_last_valid_transaction(
    tmp_path_factory: pytest.TempPathFactory, saved: list[dict[str, str]]
) -> None:
    """An edit works exactly if a fresh scene of the same files does, and then both are the same."""
    for name in scene_modules():
        del sys.modules[name]
    scene = Scene(tmp_path_factory.mktemp("scene"))
    files = dict.fromkeys(FILES, "value = 0\n")
    for name, text in files.items():
        scene.write(name, text)
    codebase = scene.codebase("flock", "hunt")
    program = codebase.load()
    for edit in saved:
        wanted = {**files, **edit}
        fresh = Scene(tmp_path_factory.mktemp("fresh"))
        for name, text in wanted.items():
            fresh.write(name, text)
        expected: dict[str, object] | None
        try:
            model = fresh.codebase("flock", "hunt").load()
            expected = values(model)
            forget(model)
        except EditError:
            expected = None
        listed = scene_modules()
        try:
            newer = codebase.build(program, {scene.root / name: text.encode() for name, text in wanted.items()})
        except EditError:
            assert expected is None
            assert scene_modules() == listed
            continue
        assert values(newer) == expected
        codebase.retire(program, newer)
        program, files = newer, wanted
        assert scene_modules() == {instance.module.__name__ for instance in program.instances.values()}
    forget(program)


def values(program: Any) -> dict[str, object]:
    found = {**program.modules, **program.helpers}
    return {name: (version.module.value, sorted(set(vars(version.module)))) for name, version in found.items()}


def forget(program: Any) -> None:
    for instance in program.instances.values():
        instance.delist()


def test_root_may_be_a_link_with_spaces_and_letters(tmp_path: Path) -> None:
    real = tmp_path / "wörld of boids"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    scene = Scene(tmp_path / "link")
    path = scene.write("flock.py", "where = __file__\n")
    assert scene.load().modules["flock"].module.where == str(path)
