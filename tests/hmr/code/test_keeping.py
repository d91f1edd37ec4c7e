from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from instar import keep
from instar.hmr.code import Codebase, Edit, LoadError, Program

from .conftest import PATIENCE, Live, Scene, scene_modules

FLOCK = """\
import threading
from instar import keep

class Window:
    def __init__(self):
        self.thread = threading.get_ident()
        self.title = "first"

def open_window():
    return Window()

window = keep("window", open_window)

def update():
    pass
"""


def build(codebase: Codebase, base: Program, **files: str) -> Program:
    program = codebase.build(base, {codebase.root / f"{name}.py": text.encode() for name, text in files.items()})
    codebase.retire(base, program)
    return program


def of(program: Program, name: str = "flock") -> Any:
    return program.modules[name].module


def test_an_object_is_made_once_and_survives_edits(scene: Scene) -> None:
    scene.write("flock.py", FLOCK)
    codebase = scene.codebase()
    first = codebase.load()
    window = of(first).window
    assert window.thread == threading.get_ident()
    second = build(codebase, first, flock=FLOCK + "x = 1\n")
    assert of(second).window is window
    assert second.notes == ()


def test_a_factory_that_changed_is_not_called_and_people_are_told_once(scene: Scene) -> None:
    scene.write("flock.py", FLOCK)
    codebase = scene.codebase()
    first = codebase.load()
    changed = FLOCK.replace("return Window()", "raise SystemExit(2)")
    second = build(codebase, first, flock=changed)
    assert of(second).window is of(first).window
    assert second.notes == ("kept window (made by an earlier version)",)
    third = build(codebase, second, flock="# moved\n" + changed)
    assert (of(third).window, third.notes) == (of(first).window, ())
    fourth = build(codebase, third, flock=FLOCK)
    assert (of(fourth).window, fourth.notes) == (of(first).window, ())


def test_what_no_file_names_any_more_waits_for_an_undo(scene: Scene) -> None:
    scene.write("flock.py", FLOCK)
    codebase = scene.codebase()
    first = codebase.load()
    window = of(first).window
    second = build(codebase, first, flock="def update():\n    pass\n")
    third = build(codebase, second, flock=FLOCK)
    assert of(third).window is window


def test_two_files_may_use_one_name(scene: Scene) -> None:
    scene.write("flock.py", "from instar import keep\nbox = keep('box', list)\n")
    scene.write("hunt.py", "from instar import keep\nbox = keep('box', list)\nother = keep('other', lambda: box)\n")
    program = scene.load("flock", "hunt")
    assert of(program).box is not of(program, "hunt").box
    assert of(program, "hunt").other is of(program, "hunt").box
    assert set(program.kept) == {"flock.box", "hunt.box", "hunt.other"}


def test_what_the_factory_raises_is_a_load_error_and_nothing_is_kept(scene: Scene) -> None:
    scene.write("flock.py", FLOCK)
    codebase = scene.codebase()
    first = codebase.load()
    failing = FLOCK + "\ndef fail():\n    raise OSError('no device')\n\nsocket = keep('socket', fail)\n"
    with pytest.raises(LoadError, match="OSError: no device") as refused:
        build(codebase, first, flock=failing)
    assert refused.value.line == 18
    assert "flock.socket" not in codebase.kept
    mended = build(codebase, first, flock=failing.replace("raise OSError('no device')", "return [1]"))
    assert of(mended).socket == [1]


def test_what_a_load_made_that_failed_is_let_go_of(scene: Scene) -> None:
    scene.write("flock.py", FLOCK)
    codebase = scene.codebase()
    first = codebase.load()
    more = FLOCK + "made = keep('made', lambda: Window())\n"
    with pytest.raises(LoadError):
        build(codebase, first, flock=more + "1 / 0\n")
    assert "flock.made" not in codebase.kept
    second = build(codebase, first, flock=more.replace("made'", "other'"))
    assert "flock.made" not in codebase.kept
    assert "flock.other" in codebase.kept
    assert of(second).made.title == "first"


def test_objects_go_with_the_run(scene: Scene) -> None:
    scene.write("flock.py", FLOCK)
    codebase = scene.codebase()
    program = codebase.load()
    window = weakref.ref(of(program).window)
    del program, codebase
    gc.collect()
    assert window() is not None  # as long as the module is listed
    for name in scene_modules():
        del sys.modules[name]
    gc.collect()
    assert window() is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("keep('a', list)\nkeep('a', list)\n", "keep('a', …) is there twice, on line 2 too"),
        ("keep('a b', list)\n", "'a b' is no name"),
        ("keep(3, list)\n", "3 is no name"),
        ("keep('a', [])\n", "keep('a', …) takes a function that makes the object, not list"),
        ("def f():\n    keep('a', list)\nf()\n", "keep('a', …) must stand at the top level of the file"),
        ("class A:\n    a = keep('a', list)\n", "keep('a', …) must stand at the top level of the file"),
    ],
)
def test_calls_that_cannot_be_are_refused(scene: Scene, text: str, problem: str) -> None:
    scene.write("flock.py", "from instar import keep\n" + text)
    with pytest.raises(LoadError) as refused:
        scene.load()
    assert problem in refused.value.problem
    assert refused.value.line in (2, 3)


def test_a_call_in_a_hook_is_refused(scene: Scene) -> None:
    scene.write("flock.py", "from instar import keep\ndef update():\n    keep('a', list)\n")
    program = scene.load()
    with pytest.raises(LoadError, match="top level") as refused:
        of(program).update()
    assert refused.value.line == 3


def test_outside_of_a_scene_the_factory_is_called() -> None:
    assert keep("window", lambda: 3) == 3


def beside(live: Live, serve: Callable[[], None]) -> Edit:
    """Plays the frame thread until an edit is ready."""
    waited = threading.Event()
    for _ in range(round(PATIENCE * 100)):
        serve()
        ready = live.pipeline._ready
        if ready is not None:
            edit = live.pipeline.take()
            assert edit is not None
            return edit
        waited.wait(0.01)
    raise AssertionError


def test_a_new_factory_is_called_by_the_thread_that_runs_the_frames(scene: Scene) -> None:
    path = scene.write("flock.py", "def update():\n    pass\n")
    live = Live(scene.codebase())
    with live.pipeline:
        path.write_text(FLOCK)
        edit = beside(live, live.codebase.kept.serve)
        live.swap(edit)
        assert of(live.program).window.thread == threading.get_ident()
        window = of(live.program).window
        path.write_text(FLOCK + "x = 1\n")
        live.swap(beside(live, live.codebase.kept.serve))
        assert of(live.program).window is window


def test_what_a_factory_raises_there_is_told_with_its_place(scene: Scene) -> None:
    path = scene.write("flock.py", "def update():\n    pass\n")
    live = Live(scene.codebase())
    with live.pipeline as pipeline:
        path.write_text(FLOCK.replace("return Window()", "raise OSError('no display')"))
        found: list[Any] = []
        waited = threading.Event()
        for _ in range(round(PATIENCE * 100)):
            live.codebase.kept.serve()
            if found := pipeline.rejections():
                break
            waited.wait(0.01)
        error = found[0].error
        assert ("OSError: no display", path, 10) == (error.problem, error.path, error.line)


def test_a_loader_that_waits_ends_with_the_run(scene: Scene) -> None:
    path = scene.write("flock.py", "def update():\n    pass\n")
    live = Live(scene.codebase())
    with live.pipeline:
        path.write_text(FLOCK)
        waited = threading.Event()
        while live.codebase.kept._orders.empty():
            waited.wait(0.01)
    assert not live.pipeline._loader.is_alive()
    live.codebase.kept.serve()
    assert "flock.window" not in live.codebase.kept


def test_a_kept_object_is_one_of_the_class_that_runs(scene: Scene) -> None:
    scene.write("flock.py", FLOCK)
    codebase = scene.codebase()
    first = codebase.load()
    window = of(first).window
    second = build(
        codebase, first, flock=FLOCK.replace("def __init__", "def name(self):\n        return 2\n\n    def __init__")
    )
    assert type(window) is of(second).Window
    assert window.name() == 2
    codebase.retire(second, first)
    assert type(window) is of(first).Window
