from __future__ import annotations

import signal

import pytest

from instar.hmr.code import EditError, HookError, LoadError

from ..conftest import Scene, scene_modules


def failure(scene: Scene, text: str) -> EditError:
    scene.write("flock.py", text)
    with pytest.raises(EditError) as caught:
        scene.load()
    assert scene_modules() == set()
    return caught.value


def test_error_at_import_shows_where_it_came_from(scene: Scene) -> None:
    path = scene.write("helper.py", "import json\ndef f(text):\n    return json.loads(text)\n")
    error = failure(scene, "import helper\nx = helper.f('{')\n")
    assert isinstance(error, LoadError)
    assert (error.path, error.line) == (path, 3)
    assert str(error).split("\n") == [
        f"{path}:3: json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        "     3 |     return json.loads(text)",
        "Called from:",
        "  flock.py:2 in <module>: x = helper.f('{')",
        "Nothing was started: mend the file and start again.",
    ]


def test_failed_edit_says_that_the_running_version_goes_on(scene: Scene) -> None:
    scene.write("flock.py", "x = 1\n")
    program = scene.load()
    with pytest.raises(LoadError, match="The running version goes on: mend the file and save it again"):
        scene.build(program, {"flock.py": "x = y\n"})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import sys\nsys.exit(3)\n", "ended the program at import"),
        ("x = 1\nraise SystemExit\n", "ended the program at import"),
        ("x = 1\nraise KeyboardInterrupt\n", "KeyboardInterrupt"),
        ("x = 1\nraise GeneratorExit\n", "GeneratorExit"),
        ("class E(BaseException): pass\nraise E('odd')\n", "odd"),
        ("def f(): f()\nf()\n", "RecursionError"),
    ],
)
def test_whatever_a_file_raises_is_an_edit_error(scene: Scene, text: str, problem: str) -> None:
    error = failure(scene, text)
    assert problem in str(error)
    assert error.line in (1, 2)


def test_ctrl_c_during_a_load_is_the_users(scene: Scene) -> None:
    scene.write("flock.py", "import signal\nsignal.raise_signal(signal.SIGINT)\nx = 1\n")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            scene.load()
    finally:
        signal.signal(signal.SIGINT, before)
    assert scene_modules() == set()


def test_missing_package_suggests_the_files_there_are(scene: Scene) -> None:
    scene.write("steering.py", "")
    error = failure(scene, "import steerin\n")
    assert "Did you mean steering? Install steerin, or correct the name" in str(error)
    error = failure(scene, "import importlib\nimportlib.import_module('steering')\n")
    assert "import it by a statement" in str(error)


def test_errors_of_the_state_room_get_their_place(scene: Scene) -> None:
    error = failure(scene, "from instar import Agents\n\nclass Boids(Agents):\n    x: str\n")
    assert isinstance(error, LoadError)
    assert error.path == scene.root / "flock.py"
    assert error.line in (3, 4)
    assert str(error).count("flock.py") == 1


def test_errors_of_this_room_get_the_line_they_were_raised_at(scene: Scene) -> None:
    error = failure(scene, "from instar import every\n@every(frames=0)\ndef f(): pass\n")
    assert isinstance(error, HookError)
    assert (error.path, error.line) == (scene.root / "flock.py", 2)
    assert "     2 | @every(frames=0)" in str(error)
