from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from instar.hmr.code import EditError, Program
from instar.native.errors import InstarError

from ..conftest import Live, Scene

WAIT = "import threading\nstop = threading.Event()\ndef poll():\n    stop.wait()\n"


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    path, filters, folder = list(sys.path), list(warnings.filters), Path.cwd()
    handlers = list(logging.getLogger("scene").handlers)
    yield
    sys.path[:] = path
    warnings.filters[:] = filters  # type: ignore[index]
    os.chdir(folder)
    logging.getLogger("scene").handlers[:] = handlers


def failure(scene: Scene, text: str) -> EditError:
    scene.write("flock.py", text + "1 / 0\n")
    with pytest.raises(EditError, match="ZeroDivisionError") as caught:
        scene.load()
    return caught.value


def test_a_failed_load_leaves_the_process_as_it_was(scene: Scene) -> None:
    scene.write(
        "handlers.py",
        "import atexit, logging\ndef bye(): 1 / 0\natexit.register(bye)\nlogging.getLogger('scene').addHandler(logging.NullHandler())\n",
    )
    before = (
        list(sys.path), list(warnings.filters), Path.cwd(), dict(os.environ),
        list(logging.getLogger("scene").handlers), sys.excepthook, threading.excepthook,
    )  # fmt: skip
    text = """
import handlers, os, sys, threading, warnings
sys.path.append("/nowhere")
warnings.simplefilter("ignore")
os.chdir("/")
os.environ["INSTAR_SCENE_TEST"] = "1"
os.environ.pop("PATH")
sys.excepthook = threading.excepthook = print
"""
    error = failure(scene, text)
    after = (
        list(sys.path), list(warnings.filters), Path.cwd(), dict(os.environ),
        list(logging.getLogger("scene").handlers), sys.excepthook, threading.excepthook,
    )  # fmt: skip
    assert after == before
    assert "stays" not in str(error)
    with pytest.raises(UserWarning):  # the restored filters count
        warnings.warn("told", stacklevel=1)


def test_what_a_failed_load_cannot_take_back_is_told(scene: Scene) -> None:
    text = (
        WAIT
        + "threading.Thread(target=poll, name='poller', daemon=True).start()\nimport atexit\natexit.register(lambda: None)\nsaid = stop\n"
    )
    error = failure(scene, text)
    path = scene.root / "flock.py"
    assert f"The thread 'poller' that {path}:3 started goes on until it ends by itself." in str(error)
    assert "An atexit handler that it registered stays." in str(error)
    assert str(error).endswith("Nothing was started: mend the file and start again.")


@pytest.mark.parametrize(
    "thread",
    [
        "threading.Thread(target=poll, name='poller')",
        "functools.partial(threading.Thread, target=functools.partial(poll))(name='poller')",
        "Own(name='poller')",
        "named(threading.Timer(0, poll))",
        "threading.Thread(target=Own().poll, name='poller')",
    ],
)
def test_threads_are_named_by_what_they_run(scene: Scene, thread: str) -> None:
    text = (
        WAIT
        + """
import functools
class Own(threading.Thread):
    def run(self): stop.wait()
    def poll(self): stop.wait()
def named(thread):
    thread.name = 'poller'
    return thread
"""
    )
    scene.write("flock.py", text + f"{thread}.start()\n")
    program = scene.load()
    try:
        (notice,) = program.loading.notices
        assert notice.startswith(f"{scene.root / 'flock.py'}:")
        assert "started the thread 'poller' at import" in notice
    finally:
        program.modules["flock"].module.__dict__["stop"].set()


def test_what_would_add_up_is_told(scene: Scene) -> None:
    text = "import atexit, logging, sys\ndef bye(): pass\natexit.register(bye)\nlogging.getLogger('scene').addHandler(logging.NullHandler())\nsys.path.append('/nowhere')\n"
    scene.write("flock.py", text)
    program = scene.load()
    atexit.unregister(program.modules["flock"].module.__dict__["bye"])
    said = "\n".join(program.loading.notices)
    assert "An atexit handler was registered at import" in said
    assert "A handler was added to the logger 'scene' at import" in said
    assert "sys.path was extended at import" in said


def test_nothing_is_told_of_a_file_that_does_nothing(scene: Scene) -> None:
    scene.write("flock.py", "import logging\nlog = logging.getLogger('scene')\n")
    assert scene.load().loading.notices == ()


def refuse_two(program: Program) -> None:
    if program.modules["flock"].module.__dict__["x"] == 2:
        raise InstarError("two is too much")


def test_an_edit_that_the_world_refuses_leaves_nothing_either(scene: Scene) -> None:
    path = scene.write("flock.py", "x = 1\n")
    live = Live(scene.codebase(), refuse_two)
    before = list(sys.path)
    with live.pipeline:
        path.write_text("import sys\nx = 2\nsys.path.append('/nowhere')\n")
        live.rejection()
        assert sys.path == before
        path.write_text("import sys\nx = 3\nsys.path.append('/nowhere')\n")
        edit = live.edit()
        assert "sys.path was extended" in edit.notices[0]
