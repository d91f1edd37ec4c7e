"""Classes of a scene from one version to the next: pickles, copies, isinstance, enums, dispatch."""

from __future__ import annotations

import copy
import gc
import importlib
import pickle
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from instar.hmr.code import Program
from instar.hmr.code.load.adoption import adopt

from ..conftest import Scene

TEXT = """
import abc, dataclasses, enum, functools, typing

@dataclasses.dataclass
class Point:
    x: int
    def version(self): return VERSION

@dataclasses.dataclass(frozen=True)
class Frozen:
    point: Point
    color: object

@dataclasses.dataclass(slots=True)
class Slotted:
    point: Point
    color: object

class Pair(typing.NamedTuple):
    a: int

class Color(enum.Enum):
    RED = 1
    BLUE = 2

class Shape(abc.ABC):
    pass
Shape.register(Point)

@functools.singledispatch
def show(value): return "something"
@show.register
def _(value: Point): return "a point"

def kind(value):
    match value:
        case Point(x=x): return f"point {x}"
        case Color.RED: return "red"
    return "nothing"

def draw(): return VERSION

class Window:
    def __init__(self):
        self.points = [Point(1), {"deep": (Point(2), Color.RED)}]
        self.color = Color.RED
        self.by_color = {Color.BLUE: Point(3)}
        self.colors = {Color.RED}
        self.on_draw = draw
        self.on_press = self.press
        self.kind = Point
        self.frozen = Frozen(Point(4), Color.BLUE)
        self.slotted = Slotted(Point(5), Color.BLUE)
        self.pair = Pair(1)
        self.me = self
    def press(self): return VERSION
"""


class Opaque:
    """An object of a class of somebody else."""

    def __init__(self, inside: object) -> None:
        self.inside = inside


def of(program: Program, name: str = "flock") -> Any:
    return (program.modules.get(name) or program.helpers[name]).module


def modules(program: Program) -> dict[str, Any]:
    return {name: found.module for name, found in program.instances.items()}


@pytest.fixture
def versions(scene: Scene) -> tuple[Program, Program]:
    """Two versions, of which the second runs."""
    path = scene.write("flock.py", TEXT + "VERSION = 1\n")
    codebase = scene.codebase()
    old = codebase.load()
    new = codebase.build(old, {path: (TEXT + "VERSION = 2\n").encode()})
    codebase.retire(old, new)
    return old, new


def test_pickles_of_a_version_find_it_as_long_as_it_is_there(versions: tuple[Program, Program]) -> None:
    old, new = versions
    for program in versions:
        found = of(program)
        for value in (found.Point(3), found.Color.RED, found.Pair(2), found.draw, found.Point):
            again = pickle.loads(pickle.dumps(value))
            assert again == value
            assert type(again) is type(value)
    assert of(new).Point is not of(old).Point


def test_pickles_of_a_version_that_is_gone_find_the_newest(scene: Scene) -> None:
    path = scene.write("flock.py", TEXT + "VERSION = 1\n")
    codebase = scene.codebase()
    program = codebase.load()
    pickled = pickle.dumps([of(program).Point(7), of(program).Color.BLUE])
    for number in (2, 3):
        newer = codebase.build(program, {path: (TEXT + f"VERSION = {number}\n").encode()})
        codebase.retire(program, newer)
        program = newer
        del newer
        codebase.remains.sweep()
    gc.collect()
    point, color = pickle.loads(pickled)
    assert (type(point), point.version(), color) == (of(program).Point, 3, of(program).Color.BLUE)
    aliases = {name for name in sys.modules if name.startswith("flock@")} - {of(program).__name__}
    assert len(aliases) == 1
    codebase.retire(program, program)
    assert not aliases & sys.modules.keys()


def test_what_the_newest_does_not_have_is_said(versions: tuple[Program, Program]) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = importlib.import_module(f"{of(versions[0]).__name__}").nothing
    with pytest.raises(ModuleNotFoundError, match="hunt is a module of a scene that this process does not run"):
        importlib.import_module("hunt@0123456789ab")
    with pytest.raises(ModuleNotFoundError, match="No module named 'hunt@short'"):
        importlib.import_module("hunt@short")


def test_deep_copies_stay_in_their_version(versions: tuple[Program, Program]) -> None:
    for program in versions:
        window = of(program).Window()
        again = copy.deepcopy(window)
        assert type(again) is of(program).Window
        assert again.color is of(program).Color.RED
        assert again.points[0] == window.points[0]
        assert again.me is again


def test_unchanged_files_keep_their_classes(scene: Scene) -> None:
    scene.write("colors.py", "import enum\nclass Color(enum.Enum):\n    RED = 1\n")
    path = scene.write("flock.py", "from colors import Color\nvalue = Color.RED\n")
    codebase = scene.codebase()
    old = codebase.load()
    new = codebase.build(old, {path: b"from colors import Color\nvalue = Color.RED\nx = 1\n"})
    assert of(new).value is of(old).value
    assert of(new).Color is of(old).Color


def test_kept_objects_become_those_of_what_runs(versions: tuple[Program, Program]) -> None:
    old, new = versions
    window = of(old).Window()
    assert adopt([window], modules(new)) == ()
    current = of(new)
    assert isinstance(window, current.Window)
    assert [window.press(), window.on_press(), window.on_draw(), window.points[0].version()] == [2, 2, 2, 2]
    assert window.on_press.__self__ is window
    assert window.color is current.Color.RED
    assert window.colors == {current.Color.RED}
    assert window.by_color == {current.Color.BLUE: current.Point(3)}
    assert window.kind is current.Point
    assert window.frozen == current.Frozen(current.Point(4), current.Color.BLUE)
    assert window.slotted == current.Slotted(current.Point(5), current.Color.BLUE)
    assert isinstance(window.pair, current.Pair)
    assert window.points[0] == current.Point(1)
    deep, _ = window.points[1]["deep"]
    assert current.kind(deep) == "point 2"
    assert current.show(deep) == "a point"
    assert isinstance(deep, current.Shape)
    assert current.kind(window.color) == "red"
    assert pickle.loads(pickle.dumps(window.points[0])) == window.points[0]
    assert adopt([window], modules(old)) == ()
    assert [type(window), window.color, window.press()] == [of(old).Window, of(old).Color.RED, 1]


def test_objects_of_others_are_left_alone(versions: tuple[Program, Program]) -> None:
    old, new = versions
    point = of(old).Point(1)
    holder = SimpleNamespace(point=point, number=1)
    assert adopt([holder, 3, None, "x", {}, Opaque(point)], modules(new)) == ()
    assert holder.point is point
    assert type(point) is of(new).Point
    hidden = of(old).Point(1)
    adopt([Opaque(hidden)], modules(new))
    assert type(hidden) is of(old).Point


def test_a_class_that_is_gone_or_laid_out_otherwise_stays(scene: Scene) -> None:
    path = scene.write("flock.py", "class A: pass\nclass B:\n    __slots__ = ('x',)\n")
    codebase = scene.codebase()
    old = codebase.load()
    a, b = of(old).A(), of(old).B()
    new = codebase.build(old, {path: b"class B:\n    __slots__ = ('x', 'y')\n"})
    (said,) = adopt([a, b], modules(new))
    assert said.startswith("flock.B: ")
    assert "layout" in said
    assert (type(a), type(b)) == (of(old).A, of(old).B)


def test_other_processes_say_what_they_cannot_find(versions: tuple[Program, Program], scene: Scene) -> None:
    script = """
import pickle, sys
import instar.hmr.code
try:
    pickle.loads(bytes.fromhex(sys.argv[1]))
except ModuleNotFoundError as error:
    print(error)
"""
    data = pickle.dumps(of(versions[1]).draw).hex()
    said = subprocess.run([sys.executable, "-c", script, data], capture_output=True, text=True, check=True).stdout
    assert "flock is a module of a scene that this process does not run" in said
