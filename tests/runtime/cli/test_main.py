from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from instar.cli import main as cli
from instar.cli.errors import InstarError, UsageError
from instar.cli.main import main
from instar.scene.errors import UnknownSceneError

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[argparse.Namespace], int]], None]:
    """Puts a function in the place of every command."""

    def replace(function: Callable[[argparse.Namespace], int]) -> None:
        stand_in = SimpleNamespace(run=function, new=function, bench=function, doctor=function)
        monkeypatch.setattr(cli.importlib, "import_module", lambda _: stand_in)

    return replace


def python(program: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30, **options
    )


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"], ["bench"], []])
def test_help_and_wrong_words_load_neither_numpy_nor_rich(words: list[str]) -> None:
    program = (
        "import sys; from instar.cli.main import main\n"
        f"main({words!r})\n"
        "heavy = {'numpy', 'rich', 'watchdog', 'instar.native', 'tomllib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = python(program)
    assert done.returncode == 0, done.stderr


def test_help_and_version_are_on_standard_output(capsys: Capture) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name in ("run", "new", "bench", "doctor"):
        assert f"    {name} " in shown
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("instar ")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "required: COMMAND"),
        (["fly"], "invalid choice: 'fly'"),
        (["run"], "required: SCENE"),
        (["run", "boids", "--frames", "0"], "'0' is not a whole number from 1"),
        (["run", "boids", "--fps", "1001"], "'1001' is not a whole number from 1 to 1000"),
        (["run", "boids", "--fps", "fast"], "'fast' is not a whole number from 1 to 1000"),
        (["run", "boids", "--speed", "0"], "'0' is neither a number from 0.001 to 1000 nor 'max'"),
        (["run", "boids", "--speed", "fast"], "'fast' is neither a number from 0.001 to 1000 nor 'max'"),
        (["run", "boids", "--seed", "-1"], "whole number from 0 to 18446744073709551615"),
        (["run", "boids", "--autosave", "5"], "'5' is no time such as 5s, 2m or 500ms"),
        (["run", "boids", "--autosave", "0s"], "'0s' is no time such as"),
        (["run", "boids", "--autosave", "-1s"], "expected one argument"),
        (["inspect"], "required: FILE"),
        (["bench", "speed"], "invalid choice: 'speed'"),
        (["run", "boids", "--colour"], "unrecognized arguments: --colour"),
    ],
)
def test_wrong_words_are_wrong_usage(words: list[str], complaint: str, capsys: Capture) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert complaint in shown.err
    assert shown.out == ""


def test_run_hands_over_what_was_written(command: Any) -> None:
    seen: list[argparse.Namespace] = []

    def run(args: argparse.Namespace) -> int:
        seen.append(args)
        return 0

    command(run)
    assert main(["run", "boids"]) == 0
    words = "run my/scene --frames 600 --fps 30 --speed 0.5 --seed 7 --set a.b=1 --set c.d=x=y --headless --json"
    assert main(words.split()) == 0
    plain, full = (vars(args) for args in seen)
    assert plain == {
        "command": "run",
        "scene": "boids",
        "frames": None,
        "fps": None,
        "speed": 1.0,
        "seed": None,
        "set": [],
        "autosave": None,
        "resume": False,
        "reload_log": None,
        "log": None,
        "headless": False,
        "json": False,
    }
    assert (full["scene"], full["frames"], full["fps"], full["seed"]) == ("my/scene", 600, 30, 7)
    assert full["speed"] == 0.5
    assert (full["set"], full["headless"], full["json"]) == (["a.b=1", "c.d=x=y"], True, True)


@pytest.mark.parametrize(
    ("text", "seconds"), [("5s", 5), ("2m", 120), ("500ms", 0.5), ("1.5s", 1.5), ("1h", 3600), (" 5s ", 5)]
)
def test_times_have_units(command: Any, text: str, seconds: float) -> None:
    seen: list[argparse.Namespace] = []
    command(lambda args: seen.append(args) or 0)
    assert main(["run", "boids", "--autosave", text]) == 0
    assert seen[0].autosave == seconds


@pytest.mark.parametrize(
    ("error", "code", "shown"),
    [
        (InstarError("flock.py:3: bad"), 1, "instar: flock.py:3: bad\n"),
        (UsageError("--set x: write module.param=value"), 2, "instar: --set x: write module.param=value\n"),
        (UnknownSceneError("no scene 'x'"), 2, "instar: no scene 'x'\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_error_becomes_a_message_and_an_exit_code(
    command: Any, capsys: Capture, error: BaseException, code: int, shown: str
) -> None:
    def fail(args: argparse.Namespace) -> int:
        raise error

    command(fail)
    assert main(["doctor"]) == code
    assert capsys.readouterr().err == shown


def test_the_command_s_exit_code_is_the_exit_code(command: Any) -> None:
    command(lambda _: 1)
    assert main(["bench", "loop"]) == 1


def test_a_fault_of_instar_s_own_keeps_its_traceback(command: Any) -> None:
    def fail(args: argparse.Namespace) -> int:
        raise ZeroDivisionError

    command(fail)
    with pytest.raises(ZeroDivisionError):
        main(["doctor"])


@pytest.mark.parametrize("failure", ["ImportError('no module named _native')", "RuntimeError('INSTAR_ISA=sse')"])
def test_native_code_that_cannot_be_loaded_is_a_message(failure: str) -> None:
    program = (
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == 'instar.native': raise {failure}\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "from instar.cli.main import main\n"
        "sys.exit(main(['doctor']))\n"
    )
    done = python(program)
    assert done.returncode == 1
    assert done.stderr.startswith("instar: ")
    assert "Traceback" not in done.stderr


def test_windows_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(cli.sys, "platform", "win32")
    assert main(["--help"]) == 1
    assert "Windows is not supported" in capsys.readouterr().err
