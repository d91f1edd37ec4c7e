from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from instar.hmr.code import EditError, LoadError, Program
from instar.hmr.code.trial import Trial

from ..conftest import Scene

LIMIT = 1.0


@pytest.fixture
def trial() -> Iterator[Trial]:
    trial = Trial(LIMIT)
    yield trial
    trial.close()


class Tried:
    """A scene whose edits are tried."""

    def __init__(self, scene: Scene, trial: Trial, *modules: str) -> None:
        self.scene = scene
        self.trial = trial
        self.codebase = scene.codebase(*modules)
        self.program = self.codebase.load()
        trial.start(self.program.instances, self.program.chosen(self.program.values))

    def edit(self, changes: Mapping[str, str]) -> Program:
        data = {self.scene.root / name: text.encode() for name, text in changes.items()}
        program = self.codebase.build(self.program, data, trial=self.trial)
        if program is not self.program:
            self.codebase.retire(self.program, program)
        self.program = program
        return program

    def refusal(self, text: str, name: str = "flock.py") -> EditError:
        with pytest.raises(EditError) as caught:
            self.edit({name: text})
        return caught.value


def module(program: Program, name: str = "flock") -> Any:
    return (program.modules.get(name) or program.helpers[name]).module


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_what_hangs_is_refused_with_the_line_it_is_in(scene: Scene, trial: Trial) -> None:
    path = scene.write("flock.py", "x = 1\n")
    tried = Tried(scene, trial)
    error = tried.refusal("x = 2\n\ndef f():\n    while True:\n        pass\nf()\n")
    assert isinstance(error, LoadError)
    assert error.path == path
    assert error.line in (4, 5)
    assert "did not finish within 1 s when it was imported" in str(error)
    assert "  flock.py:6 in <module>: f()" in str(error)
    assert "The running version goes on" in str(error)
    assert module(tried.edit({"flock.py": "x = 3\n"})).x == 3


def test_what_hangs_in_native_code_is_refused_too(scene: Scene, trial: Trial) -> None:
    scene.write("flock.py", "x = 1\n")
    tried = Tried(scene, trial)
    error = tried.refusal("import re\nre.match('(a+)+$', 'a' * 40 + 'b')\n")
    assert error.line == 2
    assert "did not finish" in error.problem


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ("import os\nos._exit(3)\n", "ended its process when it was imported (exit status 3)", 2),
        ("import os\nos.abort()\n", "crashed its process when it was imported (SIGABRT)", 2),
        ("import ctypes\n\nctypes.string_at(0)\n", "crashed its process when it was imported (SIGSEGV)", 3),
        ("import os\nos.kill(os.getpid(), 9)\n", "crashed its process when it was imported (SIGKILL)", None),
        (
            "import os\nos.execv('/bin/true', ['true'])\n",
            "ended its process when it was imported (exit status 0)",
            None,
        ),
        ("import os\nos.closerange(3, 1000)\n", "ended its process", None),
    ],
)
def test_what_ends_the_process_ends_another_one(
    scene: Scene, trial: Trial, text: str, problem: str, line: int | None
) -> None:
    path = scene.write("flock.py", "x = 1\n")
    tried = Tried(scene, trial)
    error = tried.refusal(text)
    assert problem in error.problem
    assert (error.path, error.line) == (path, line)
    assert "The running version goes on" in str(error)
    assert module(tried.edit({"flock.py": "x = 2\n"})).x == 2


def test_exceptions_are_left_to_the_load(scene: Scene, trial: Trial) -> None:
    scene.write("flock.py", "x = 1\n")
    tried = Tried(scene, trial)
    assert "SystemExit: 3" in str(tried.refusal("import sys\nsys.exit(3)\n"))
    assert "ZeroDivisionError" in str(tried.refusal("1 / 0\n"))
    program = tried.edit({"flock.py": "from instar.hmr.code.trial import trying\nassert not trying()\n"})
    assert not module(program).trying()


def test_the_file_to_blame_is_the_one_that_is_executed(scene: Scene, trial: Trial) -> None:
    scene.write("flock.py", "import helper\n")
    helper = scene.write("helper.py", "x = 1\n")
    tried = Tried(scene, trial)
    error = tried.refusal("import os, time\ntime.sleep(0)\nos.kill(os.getpid(), 9)\n", "helper.py")
    assert error.path == helper
    with pytest.raises(LoadError) as caught:
        tried.edit(
            {"helper.py": "def stop():\n    import os\n    os._exit(0)\n", "flock.py": "import helper\nhelper.stop()\n"}
        )
    assert (caught.value.path, caught.value.line) == (helper, 3)
    assert "  flock.py:2 in <module>: helper.stop()" in str(caught.value)


def test_a_refusal_is_remembered_with_the_content(scene: Scene, trial: Trial) -> None:
    scene.write("flock.py", "x = 1\n")
    scene.write("hunt.py", "x = 1\n")
    tried = Tried(scene, trial, "flock", "hunt")
    first = tried.refusal("import os\nos._exit(3)\n")
    pid = trial.pid
    with pytest.raises(LoadError) as caught:
        tried.edit({"flock.py": "import os\nos._exit(3)\n", "hunt.py": "x = 2\n"})
    assert str(caught.value) == str(first)
    assert caught.value is not first
    assert trial.pid == pid


def test_what_has_passed_is_not_tried_again(scene: Scene, trial: Trial) -> None:
    scene.write("flock.py", "x = int('1')\n")
    tried = Tried(scene, trial)
    assert tried.edit({"flock.py": "x = int('2')\n"}).loading.trial_ns > 0
    assert tried.edit({"flock.py": "x = int('1')\n"}).loading.trial_ns == 0
    assert tried.edit({"flock.py": "x = int('2')\n"}).loading.trial_ns == 0


def test_what_does_the_same_as_what_has_passed_is_not_tried(scene: Scene, trial: Trial) -> None:
    text = "import os\nSIZE = {0}\nseen = int('7')\ndef update():\n    return {0}\n"
    scene.write("flock.py", text.format(1))
    tried = Tried(scene, trial)
    program = tried.edit({"flock.py": text.format(2)})
    assert program.loading.trial_ns == 0
    assert module(program).update() == module(program).SIZE == 2
    assert tried.edit({"flock.py": text.format(3).replace("'7'", "'8'")}).loading.trial_ns > 0
    assert tried.edit({"flock.py": text.format(4).replace("'7'", "'8'")}).loading.trial_ns == 0
    assert "os._exit(4)" in str(tried.refusal(text.format(5).replace("int('7')", "os._exit(4)")))
    assert "os._exit(4)" in str(tried.refusal(text.format(6).replace("int('7')", "os._exit(4)")))


def test_a_helper_whose_functions_change_is_not_tried_nor_are_those_who_import_it(scene: Scene, trial: Trial) -> None:
    scene.write("helper.py", "def f():\n    return 1\n")
    scene.write("flock.py", "from helper import f\ndef update():\n    return f()\n")
    tried = Tried(scene, trial)
    program = tried.edit({"helper.py": "def f():\n    return 2\n"})
    assert program.loading.trial_ns == 0
    assert module(program).update() == 2


CALLS = "def f():\n    return {}\n"


@pytest.mark.parametrize(
    ("files", "changes"),
    [
        pytest.param(
            {"helper.py": CALLS.format(1), "flock.py": "from helper import f\nx = f()\n"},
            {"helper.py": CALLS.format(2)},
            id="a function that its importer calls",
        ),
        pytest.param(
            {"math.py": "def sin(x):\n    return 1\n", "flock.py": "from math import sin\nx = sin(1)\n"},
            {"math.py": "def sin(x):\n    return 2\n"},
            id="a file with the name of a trusted module",
        ),
        pytest.param(
            {"helper.py": "def f(): pass\ndef g(): pass\n", "flock.py": "try:\n    from helper import f\nexcept ImportError:\n    print('')\n"},
            {"helper.py": "def g(): pass\n"},
            id="an import that fails now, and another way is gone",
        ),
        pytest.param(
            {"helper.py": "def __getattr__(name):\n    return 1\n", "flock.py": "from helper import x\n"},
            {"helper.py": "def __getattr__(name):\n    return 2\n"},
            id="a module that is asked for names",
        ),
        pytest.param(
            {"helper.py": "def __getattr__(name):\n    return 1\n", "flock.py": "from helper import x\n"},
            {"flock.py": "from helper import x\ny = 1\n"},
            id="one that asks it",
        ),
        pytest.param(
            {"helper.py": "x = 1\n", "flock.py": "import helper\n"},
            {"helper.py": "x = 2\n", "flock.py": "import helper\ndef f():\n    import other\n", "other.py": ""},
            id="other files within reach",
        ),
    ],
)  # fmt: skip
def test_what_may_do_something_else_is_tried(
    scene: Scene, trial: Trial, files: Mapping[str, str], changes: Mapping[str, str]
) -> None:
    for name, text in files.items():
        scene.write(name, text)
    assert Tried(scene, trial).edit(changes).loading.trial_ns > 0


def test_unchanged_files_are_executed_there_once(scene: Scene, trial: Trial, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    text = f"import os\nwith open({str(log)!r}, 'a') as f:\n    print(os.getpid(), file=f)\n"
    scene.write("helper.py", text)
    scene.write("flock.py", "import helper\n")
    tried = Tried(scene, trial)
    for number in range(3):
        tried.edit({"flock.py": f"import helper\nx = int('{number}')\n"})
    assert log.read_text().split() in ([str(os.getpid()), str(trial.pid)], [str(trial.pid), str(os.getpid())])


def test_params_have_their_values_there(scene: Scene, trial: Trial) -> None:
    text = "from instar import Param\nimport os\nsteps = Param(1, max=9)\nif steps == 7:\n    os._exit(7)\n"
    scene.write("flock.py", text)
    tried = Tried(scene, trial)
    tried.program.params["flock"]["steps"].set(7)
    assert "exit status 7" in str(tried.refusal(text + "x = 1\n"))


def test_a_running_file_that_cannot_be_executed_there_is_left_out(scene: Scene, trial: Trial) -> None:
    scene.write("helper.py", "import os\nfrom instar.hmr.code.trial import trying\nif trying():\n    os._exit(5)\n")
    scene.write("flock.py", "import helper\n")
    tried = Tried(scene, trial)
    assert module(tried.edit({"flock.py": "import helper\nx = 2\n"})).x == 2
    assert "exit status 6" in str(tried.refusal("import os\nos._exit(6)\nimport helper\n"))
    assert trial.notice is None


def test_a_port_is_given_back_before_the_real_load(scene: Scene, trial: Trial) -> None:
    scene.write("flock.py", "x = 1\n")
    tried = Tried(scene, trial)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = tried.edit({"flock.py": f"import socket\nserver = socket.create_server(('127.0.0.1', {port}))\n"})
    module(program).server.close()


def test_a_thread_does_not_stay(scene: Scene, trial: Trial) -> None:
    scene.write("flock.py", "x = 1\n")
    tried = Tried(scene, trial)
    pid = trial.pid
    text = "import threading\nfrom instar.hmr.code.trial import trying\nif trying():\n    threading.Thread(target=threading.Event().wait).start()\n"
    tried.edit({"flock.py": text})
    assert pid is not None
    assert gone(pid)
    assert module(tried.edit({"flock.py": "x = 2\n"})).x == 2


def test_a_file_that_forks_answers_once(scene: Scene, trial: Trial) -> None:
    scene.write("flock.py", "x = 1\n")
    tried = Tried(scene, trial)
    text = "import os\nfrom instar.hmr.code.trial import trying\nif trying():\n    os.fork()\n"
    tried.edit({"flock.py": text})
    assert module(tried.edit({"flock.py": "x = 2\n"})).x == 2
    assert "exit status 4" in str(tried.refusal("import os\nos._exit(4)\n"))


def test_a_process_that_was_killed_is_replaced(scene: Scene, trial: Trial) -> None:
    scene.write("flock.py", "x = 1\n")
    tried = Tried(scene, trial)
    tried.edit({"flock.py": "x = int('2')\n"})
    pid = trial.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert module(tried.edit({"flock.py": "x = int('3')\n"})).x == 3
    assert trial.pid != pid
    assert trial.notice is None


def test_without_a_process_edits_are_loaded_and_people_told(
    scene: Scene, trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.write("flock.py", "x = 1\n")
    monkeypatch.setattr(sys, "executable", "/nothing/there")
    tried = Tried(scene, trial)
    assert module(tried.edit({"flock.py": "x = 2\n"})).x == 2
    assert trial.notice is not None
    assert "Edits are loaded without a trial" in trial.notice


def test_imports_of_a_slow_package_are_no_hang(
    scene: Scene, trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "slow_package.py").write_text("import threading\nthreading.Event().wait(1.6)\n")
    monkeypatch.syspath_prepend(str(outside))
    scene.write("flock.py", "x = 1\n")
    tried = Tried(scene, trial)
    program = tried.edit({"flock.py": "import slow_package\n"})
    assert program.loading.imports["slow_package"] > 10**9
    assert list(program.loading.imports) == ["slow_package"]
    del sys.modules["slow_package"]


def test_output_and_input_of_a_trial_go_nowhere(scene: Scene, trial: Trial, capfd: pytest.CaptureFixture[str]) -> None:
    scene.write("flock.py", "x = 1\n")
    tried = Tried(scene, trial)
    text = "import sys\nfrom instar.hmr.code.trial import trying\nif trying():\n    print('said')\n    print('said', file=sys.stderr)\n    sys.stdin.read()\n"
    tried.edit({"flock.py": text})
    assert capfd.readouterr() == ("", "")


CHILD = """
import sys, threading
from pathlib import Path
from instar.hmr.code import Codebase
from instar.hmr.code.trial import Trial
root = Path(sys.argv[1])

class Settings:
    modules, params, source = ("flock",), {}, None

codebase = Codebase(root, Settings(), [])
program = codebase.load()
trial = Trial(1.0)
trial.start(program.instances, {})
codebase.build(program, {root / "flock.py": b"x = 2"}, trial=trial)
print(trial.pid, flush=True)
codebase.build(program, {root / "flock.py": b"import re\\nre.match('(a+)+$', 'a' * 40 + 'b')"}, trial=trial)
"""


def test_it_ends_with_its_parent_even_where_it_hangs(scene: Scene) -> None:
    scene.write("flock.py", "x = 1\n")
    arguments = [sys.executable, "-c", CHILD, str(scene.root)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    until = time.monotonic() + 90
    while not gone(pid) and time.monotonic() < until:
        os.sched_yield()
    assert gone(pid)
