from __future__ import annotations

import gc
import logging
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from instar.hmr.code import EditError
from instar.hmr.code.load.remains import remains as module
from instar.hmr.code.load.remains.parts import MOST_OBJECTS
from instar.hmr.code.load.remains.remains import MOST_AT_ONCE, SWEEPS_UNTIL_TOLD

from ...conftest import Scene

CLASSES = """
from __future__ import annotations
import abc, collections, dataclasses, enum, functools, inspect, logging, re, threading, typing
from instar import Agents, Param, every, f32
log = logging.getLogger(__name__)
speed = Param(1.0)
pattern = re.compile("x+")

class Boids(Agents):
    x: f32

@dataclasses.dataclass
class Point:
    x: int
    def twice(self): return self.x * 2
    @property
    def half(self): return self.x / 2
    @classmethod
    def of(cls): return cls(1)

class Color(enum.Enum):
    RED = 1

class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...

class Square(Shape):
    def area(self): return 1

Pair = collections.namedtuple("Pair", "a b")
class Named(typing.NamedTuple):
    a: int

T = typing.TypeVar("T")
class Box(typing.Generic[T]): pass
kinds = typing.Optional[Point], list[Point], Box[Point], typing.Union[Color, Point]

@functools.lru_cache
def cached(n): return Point(n)
cached(1)

@functools.singledispatch
def show(x): return 0
@show.register
def _(x: int): return 1
show(3)

def outer():
    def inner(): return outer
    return inner
made = outer()
points = [Point(1), Square(), Color.RED, made]
lock = threading.Lock()
isinstance(Square(), Shape), isinstance(3, Shape)
inspect.signature(Point)

@every(frames=2)
def grow(boids): return made
def update(boids, dt): boids.x += dt * speed
VERSION = 0
"""


class Run:
    """A scene whose versions come and go while the collector is off, as in a run."""

    def __init__(self, scene: Scene, *modules: str) -> None:
        self.scene = scene
        self.codebase = scene.codebase(*modules)
        self.program = self.codebase.load()
        self.seen: dict[str, weakref.ref[Any]] = {}

    def edit(self, text: str, name: str = "flock") -> None:
        before = self.program.instances.values()
        new = self.codebase.build(self.program, {self.scene.root / f"{name}.py": text.encode()})
        self.seen.update({one.module.__name__: weakref.ref(one.module) for one in before})
        self.codebase.retire(self.program, new)
        self.program = new

    def left(self) -> set[str]:
        """Old versions that are still there."""
        running = {one.module.__name__ for one in self.program.instances.values()}
        return {name for name, known in self.seen.items() if known() is not None and name not in running}

    def leaks(self) -> tuple[str, ...]:
        for _ in range(SWEEPS_UNTIL_TOLD - 1):
            assert self.codebase.remains.sweep().leaks == ()
        return self.codebase.remains.sweep().leaks


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


def test_versions_go_without_the_collector(scene: Scene) -> None:
    scene.write("flock.py", CLASSES)
    run = Run(scene)
    for number in range(3):
        run.edit(CLASSES + f"x = {number}\n")
        swept = run.codebase.remains.sweep()
        assert swept.freed > 50
        assert swept.leaks == ()
        assert run.left() == set()
    assert run.leaks() == ()


def test_nobody_is_blamed_while_a_program_is_built(scene: Scene) -> None:
    scene.write("flock.py", CLASSES)
    run = Run(scene)
    held = run.program.modules["flock"].module
    run.edit(CLASSES + "x = 1\n")
    with run.codebase.remains.building:
        for _ in range(2 * SWEEPS_UNTIL_TOLD):
            assert run.codebase.remains.sweep().leaks == ()
    (leak,) = run.leaks()
    assert "stays in memory" in leak
    del held


def test_loggers_named_by_versions_go_with_them(scene: Scene) -> None:
    text = "import logging\nlog = logging.getLogger(__name__)\n"
    scene.write("flock.py", text)
    run = Run(scene)
    old = run.program.modules["flock"].module.__name__
    run.edit(text + "x = 1\n")
    run.codebase.remains.sweep()
    assert old not in logging.Logger.manager.loggerDict
    assert run.program.modules["flock"].module.__name__ in logging.Logger.manager.loggerDict


def test_what_runs_is_not_touched(scene: Scene) -> None:
    scene.write("flock.py", CLASSES)
    run = Run(scene)
    run.edit(CLASSES + "x = 1\n")
    run.codebase.remains.sweep()
    found: Any = run.program.modules["flock"].module
    assert (found.Point(2).twice(), found.Point.of().half, found.cached(1).x, found.made()()()) == (
        4,
        0.5,
        1,
        found.outer,
    )
    assert run.codebase.remains.sweep() == (0, (), True)


def test_files_that_import_each_other_go_together(scene: Scene) -> None:
    scene.write("a.py", "import b\ndef f(): return b\n")
    scene.write("b.py", "import a\nclass B: pass\n")
    scene.write("p/__init__.py", "from . import c\n")
    scene.write("p/c.py", "from a import f\n")
    scene.write("flock.py", "import a, p.c\n")
    run = Run(scene)
    run.edit("import a\nclass B: pass\nx = 1\n", "b")
    assert run.codebase.remains.sweep().freed > 0
    assert run.left() == set()


def test_versions_that_have_nothing_to_do_with_each_other_go_one_after_the_other(scene: Scene) -> None:
    scene.write("flock.py", CLASSES)
    run = Run(scene)
    for number in range(3):
        run.edit(CLASSES + f"x = {number}\n")
    gc.freeze()
    for left in (2, 1, 0):
        swept = run.codebase.remains.sweep()
        assert (len(run.left()), swept.is_last) == (left, left == 0)
        assert swept.freed > 50
    assert run.codebase.remains.sweep() == (0, (), True)


def test_a_large_one_is_looked_at_in_parts(scene: Scene) -> None:
    scene.write("flock.py", CLASSES + f"large = [[] for _ in range({4 * MOST_AT_ONCE})]\n")
    run = Run(scene)
    run.edit("x = 1\n")
    gc.freeze()
    sweeps = [run.codebase.remains.sweep()]
    while not sweeps[-1].is_last:
        sweeps.append(run.codebase.remains.sweep())
    assert [swept.freed > 0 for swept in sweeps] == [False] * 4 + [True]
    assert run.left() == set()


def test_who_holds_versions_of_a_file_is_searched_for_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.write("registry.py", "things = []\n")
    text = "from registry import things\n" + HELD + "things.append({'draw': poll})\n"
    scene.write("flock.py", text)
    run = Run(scene)
    searched: list[str] = []
    search = module.holder
    monkeypatch.setattr(module, "holder", lambda *asked: (searched.append(asked[0]), search(*asked))[1])
    for number in range(2):
        run.edit(text + f"x = {number}\n")
        (leak,) = run.leaks()
        assert "held by registry.things, which leads to" in leak
    assert len(searched) == 1


def test_one_that_is_too_large_to_be_looked_at_keeps_none_of_the_others(scene: Scene) -> None:
    scene.write("flock.py", f"large = [[] for _ in range({MOST_OBJECTS})]\ndef f(): pass\n")
    run = Run(scene)
    for number in range(2):
        run.edit(f"def f(): return {number}\n")
    gc.freeze()
    assert run.codebase.remains.sweep() == (0, (), False)
    assert run.codebase.remains.sweep().freed > 0
    assert len(run.left()) == 1
    assert run.codebase.remains.sweep() == (0, (), True)
    gc.unfreeze()
    gc.collect()
    assert run.left() == set()


def test_a_program_that_may_come_back_keeps_its_versions(scene: Scene) -> None:
    scene.write("flock.py", CLASSES)
    run = Run(scene)
    kept = run.program
    run.edit("x = 1\n")
    for _ in range(5):
        assert run.codebase.remains.sweep() == (0, (), True)
    found: Any = kept.modules["flock"].module
    assert found.made() is found.outer
    del kept, found
    assert run.codebase.remains.sweep().freed > 0
    assert run.left() == set()


def test_failed_loads_go_too(scene: Scene) -> None:
    scene.write("flock.py", "x = 1\n")
    run = Run(scene)
    before = {id(found) for found in gc.get_objects() if type(found).__name__ == "Instance"}
    for number in range(3):
        with pytest.raises(EditError):
            run.edit(CLASSES + f"{number} / 0\n")
    assert [run.codebase.remains.sweep().is_last for _ in range(3)] == [False, False, True]
    assert not [found for found in gc.get_objects() if type(found).__name__ == "Instance" and id(found) not in before]


def test_a_load_that_fails_twice_leaves_nothing_of_either(scene: Scene) -> None:
    scene.write("flock.py", "import a\n")
    scene.write("a.py", "x = 1\n")
    run = Run(scene)
    before = {id(found) for found in gc.get_objects() if type(found).__name__ == "Instance"}
    for _ in range(3):
        with pytest.raises(EditError):
            run.edit("import a\n1 / 0\n")
    run.edit("x = 1\n", "a")
    gc.freeze()
    while not run.codebase.remains.sweep().is_last:
        pass
    running = {id(found) for found in run.program.instances.values()}
    left = [
        found for found in gc.get_objects() if type(found).__name__ == "Instance" and id(found) not in before | running
    ]
    gc.unfreeze()
    left += [
        found for found in gc.get_objects() if type(found).__name__ == "Instance" and id(found) not in before | running
    ]
    assert not left


HELD = "def poll(): return 1\nclass Window:\n    def draw(self): return poll()\n"


def test_a_name_of_another_file_is_told(scene: Scene) -> None:
    scene.write("registry.py", "things = []\n")
    text = "from registry import things\n" + HELD + "things.append({'draw': poll})\n"
    scene.write("flock.py", text)
    run = Run(scene)
    old = run.program.modules["flock"].version
    run.edit(text + "x = 1\n")
    (leak,) = run.leaks()
    assert leak.startswith(
        f"flock (version {old}) is no longer used, but stays in memory: it is held by registry.things"
    )
    assert run.codebase.remains.sweep().leaks == ()
    assert run.program.modules["flock"].module.__dict__["things"][0]["draw"]() == 1


def test_a_thread_is_told_with_what_it_runs(scene: Scene) -> None:
    text = "import threading\nstop, on = threading.Event(), threading.Event()\ndef poll():\n    on.set()\n    stop.wait()\n"
    scene.write("flock.py", text + "threading.Thread(target=poll, name='poller').start()\n")
    run = Run(scene)
    module: Any = run.program.modules["flock"].module
    module.on.wait()
    stop, thread = module.stop, next(one for one in threading.enumerate() if one.name == "poller")
    del module
    run.edit(text)
    (leak,) = run.leaks()
    assert f"it is held by the thread 'poller', which is in poll ({scene.root / 'flock.py'}:5)" in leak
    stop.set()
    thread.join()
    run.codebase.remains.sweep()


KEPT: list[Any] = []
"""What outlives versions."""


def test_an_object_of_an_old_class_goes_on_working(scene: Scene) -> None:
    scene.write("flock.py", HELD)
    run = Run(scene)
    KEPT[:] = [run.program.modules["flock"].module.__dict__["Window"]()]
    run.edit("x = 1\n")
    (leak,) = run.leaks()
    assert "held by tests.hmr.code.load.remains.test_remains.KEPT" in leak
    assert "its class Window" in leak
    assert KEPT[0].draw() == 1
    KEPT.clear()


def test_finalizers_run_with_all_that_they_need(scene: Scene) -> None:
    text = "def poll(): return 1\nclass Window:\n    def __del__(self): said.append(poll())\n"
    running = "def turns():\n    try: yield\n    finally: said.append(poll() + 1)\nturn = turns()\nnext(turn)\n"
    scene.write("flock.py", "from registry import said\n" + text + running + "window = Window()\n")
    scene.write("registry.py", "said = []\n")
    run = Run(scene)
    said = run.program.helpers["registry"].module.__dict__["said"]
    run.edit("from registry import said\n")
    assert run.codebase.remains.sweep().freed > 0
    assert sorted(said) == [1, 2]
    assert run.left() == set()


def test_what_was_frozen_goes_too_and_nothing_else_is_looked_at(scene: Scene) -> None:
    scene.write("flock.py", CLASSES)
    run = Run(scene)
    strangers = [[] for _ in range(1_000)]
    for stranger in strangers:
        stranger.append(stranger)
    gc.freeze()
    strangers.clear()
    run.edit("x = 1\n")
    gc.freeze()
    assert 50 < run.codebase.remains.sweep().freed < 1_000
    assert run.left() == set()


def test_many_versions_take_no_memory(scene: Scene) -> None:
    scene.write("flock.py", CLASSES)
    run = Run(scene)

    def objects() -> int:
        return len(gc.get_objects())

    for number in range(20):
        run.edit(CLASSES + f"x = {number}\n")
        run.codebase.remains.sweep()
    gc.collect()
    before = objects()
    for number in range(200):
        run.edit(CLASSES + f"y = {number}\n")
        run.codebase.remains.sweep()
    assert run.left() == set()
    assert objects() - before < 200 + 50  # the weak references that `seen` holds, and little else
