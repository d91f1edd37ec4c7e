"""A real `instar run`, whose module files are saved on disk the ways editors save them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PATIENCE = 20.0

MOVER = """\
from instar import Agents, f32, i32
from amounts import step

class Boids(Agents, capacity=20_000):
    x: f32
    v: i32

def setup(boids):
    boids.spawn(10_000)

VERSION = 0

def update(boids):
    boids.v = VERSION
    boids.x += step
    tell(boids)

told = set()

def tell(boids):
    now = (VERSION, step)
    if now not in told:
        told.add(now)
        print("running", VERSION, step, flush=True)
"""


def save_in_place(path: Path, text: str) -> None:
    """vim with backupcopy=yes, nano, VS Code: truncate and write, here in two halves."""
    data = text.encode()
    with path.open("wb", buffering=0) as file:
        file.write(data[: len(data) // 2])
        file.write(data[len(data) // 2 :])


def save_by_rename_in_the_folder(path: Path, text: str) -> None:
    """vim, Emacs, PyCharm's safe write: a temporary file beside it takes its name."""
    beside = path.with_name(f".{path.name}.swp~")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def save_by_rename_from_elsewhere(path: Path, text: str) -> None:
    """git checkout of another worktree, sed -i with TMPDIR, sync tools: the new file is made in another folder."""
    elsewhere = path.parent.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    made = elsewhere / path.name
    made.write_text(text, encoding="utf-8")
    made.replace(path)


class Running:
    """An `instar run` under test: what it said so far, and a way to wait for more."""

    def __init__(self, scene: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "instar", "run", str(scene), "--headless", "--json", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, encoding="utf-8", env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self._lines: list[str] = []
        self._heard = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._heard:
                self._lines.append(line.rstrip())
                self._heard.notify_all()

    def wait_for(self, text: str) -> None:
        with self._heard:
            found = self._heard.wait_for(lambda: any(text in line for line in self._lines), PATIENCE)
            assert found, f"never said {text!r}; said:\n" + "\n".join(self._lines)

    def end(self) -> dict:
        self.process.send_signal(signal.SIGINT)
        assert self.process.stdout is not None
        output = self.process.stdout.read()
        self.code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return json.loads(output)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    scene = tmp_path / "my scene ünïcode"
    scene.mkdir()
    (scene / "scene.toml").write_text('title = "Live"\nmodules = ["mover"]\n', encoding="utf-8")
    (scene / "mover.py").write_text(MOVER, encoding="utf-8")
    (scene / "amounts.py").write_text("step = 1\n", encoding="utf-8")
    started: list[Running] = []

    def begin(*options: str) -> tuple[Running, Path]:
        running = Running(scene, *options)
        started.append(running)
        running.wait_for("running 0 1")
        return running, scene

    yield begin
    for running in started:
        running.close()


def version(number: int) -> str:
    return MOVER.replace("VERSION = 0", f"VERSION = {number}")


@pytest.mark.parametrize("save", [save_in_place, save_by_rename_in_the_folder, save_by_rename_from_elsewhere])
def test_every_save_is_running_and_no_agent_is_lost(start, save):
    running, scene = start()
    for number in range(1, 9):
        save(scene / "mover.py", version(number))
        running.wait_for(f"running {number} 1")
    report = running.end()
    assert running.code == 0
    assert [edit["verdict"] for edit in report["edits"]] == ["live"] * 8
    assert [edit["files"] for edit in report["edits"]] == [["mover.py"]] * 8
    assert report["agents"] == {"boids": 10_000}
    assert report["errors"] == []


def test_files_saved_at_once_run_at_once(start):
    running, scene = start()
    save_in_place(scene / "amounts.py", "step = 5\n")
    save_in_place(scene / "mover.py", version(3))
    running.wait_for("running 3 5")
    report = running.end()
    assert {file for edit in report["edits"] for file in edit["files"]} == {"amounts.py", "mover.py"}
    assert report["agents"] == {"boids": 10_000}


def test_a_wrong_edit_changes_nothing_and_the_right_one_goes_live(start):
    running, scene = start()
    save_in_place(scene / "mover.py", version(1).replace("boids.x += step", "boids.x += step +"))
    running.wait_for("mover.py:15")
    save_in_place(scene / "mover.py", version(2).replace("def update(boids)", "def update(boids, borids)"))
    running.wait_for("did you mean")
    save_in_place(scene / "mover.py", version(3))
    running.wait_for("running 3 1")
    report = running.end()
    assert [edit["verdict"] for edit in report["edits"]] == ["rejected", "rejected", "live"]
    assert report["errors"] == []
    assert report["modules"]["mover"]["state"] == "probation"
    assert report["agents"] == {"boids": 10_000}


def test_what_is_wrong_now_is_what_is_saved_now(start):
    running, scene = start()
    save_in_place(scene / "mover.py", MOVER.replace("boids.x += step", "boids.x += step +"))
    running.wait_for("SyntaxError")
    save_in_place(scene / "mover.py", MOVER)
    save_in_place(scene / "amounts.py", "step = 2\n")
    running.wait_for("running 0 2")
    assert running.end()["errors"] == []


def test_an_error_stays_while_its_file_is_wrong(start):
    running, scene = start()
    save_in_place(scene / "amounts.py", "step = (\n")
    running.wait_for("SyntaxError")
    save_in_place(scene / "mover.py", version(4))
    running.wait_for("running 4 1")
    report = running.end()
    assert len(report["errors"]) == 1
    assert "amounts.py:1" in report["errors"][0]


def failing_version(number: int, after: int) -> str:
    """A version that raises when it has run for so many frames."""
    raising = "    boids.v = VERSION\n    told.add(('frame', len(told)))\n    if len(told) > AFTER: 1 // 0"
    return f"AFTER = {after}\n" + version(number).replace("    boids.v = VERSION", raising)


def test_an_edit_that_fails_is_undone_and_runs_when_it_is_mended(start):
    running, scene = start()
    save_in_place(scene / "mover.py", failing_version(1, after=0))
    running.wait_for("rolled back")
    save_in_place(scene / "mover.py", version(2))
    running.wait_for("running 2 1")
    report = running.end()
    assert running.code == 0
    assert [edit["verdict"] for edit in report["edits"]] == ["rolled_back", "live"]
    assert "ZeroDivisionError" in report["edits"][0]["error"]
    assert report["errors"] == []
    assert report["agents"] == {"boids": 10_000}


def test_a_run_that_ends_with_an_undone_edit_says_so(start):
    running, scene = start()
    save_in_place(scene / "mover.py", failing_version(1, after=0))
    running.wait_for("rolled back")
    report = running.end()
    assert running.code == 0
    assert report["modules"]["mover"]["state"] == "live"
    assert len(report["errors"]) == 1
    assert "ZeroDivisionError" in report["errors"][0]
    assert "what is saved does not run" in report["errors"][0]


def test_a_run_that_ends_with_a_resting_module_has_failed(start):
    running, scene = start()
    save_in_place(scene / "mover.py", failing_version(1, after=61))
    running.wait_for("ZeroDivisionError")
    report = running.end()
    assert running.code == 1
    assert report["modules"]["mover"]["state"] == "quarantined"
    assert "ZeroDivisionError" in report["errors"][0]
    assert [edit["verdict"] for edit in report["edits"]] == ["live"]


def test_a_module_that_deletes_itself_runs_on_and_can_come_back(start):
    running, scene = start()
    suicidal = version(1).replace(
        "told = set()", "import pathlib\npathlib.Path(__file__).unlink(missing_ok=True)\ntold = set()"
    )
    save_in_place(scene / "mover.py", suicidal)
    running.wait_for("running 1 1")
    assert not (scene / "mover.py").exists()
    save_in_place(scene / "mover.py", version(2))
    running.wait_for("running 2 1")
    report = running.end()
    assert running.code == 0
    assert report["agents"] == {"boids": 10_000}


def test_fields_come_go_and_come_back_while_agents_live(start):
    running, scene = start()
    with_age = (
        version(1)
        .replace("    v: i32\n", "    v: i32\n    age: f32 = 4\n")
        .replace("    tell(boids)\n", "    boids.age += 1\n    tell(boids)\n", 1)
    )
    save_in_place(scene / "mover.py", with_age)
    running.wait_for("running 1 1")
    save_in_place(scene / "mover.py", version(2))
    running.wait_for("running 2 1")
    save_in_place(
        scene / "mover.py",
        with_age.replace("VERSION = 1", "VERSION = 3")
        .replace("told = set()", "told = set()\nleast = 0")
        .replace(
            "    boids.age += 1\n", "    boids.age += 1\n    print('youngest', boids.age.min() > 5, flush=True)\n"
        ),
    )
    running.wait_for("youngest True")
    report = running.end()
    assert [edit["migrated"] for edit in report["edits"]] == [
        ["boids: added age (f32, default 4.0)"],
        ["boids: parked age"],
        ["boids: brought back age"],
    ]


HAWKS = """\
from instar import Agents, Param, f32

class Hawks(Agents, capacity=100):
    x: f32

hunger = Param(1.0)
seen = set()

def setup(hawks):
    hawks.spawn(7)

def update(hawks):
    hawks.x += hunger
    if hunger not in seen:
        seen.add(hunger)
        print("hawks", len(hawks), "hunger", hunger, flush=True)
"""


def write_scene(scene: Path, *modules: str, more: str = "") -> None:
    names = ", ".join(f'"{name}"' for name in modules)
    save_in_place(scene / "scene.toml", f'title = "Live"\nmodules = [{names}]\n{more}')


@pytest.mark.parametrize("order", [("hawks.py", "scene.toml"), ("scene.toml", "hawks.py")])
def test_a_module_joins_a_running_scene_and_leaves_and_comes_back(start, order):
    running, scene = start()
    for file in order:
        if file == "hawks.py":
            save_by_rename_in_the_folder(scene / file, HAWKS)
        else:
            write_scene(scene, "mover", "hawks")
    running.wait_for("hawks 7 hunger 1.0")
    write_scene(scene, "mover")
    running.wait_for("removed hawks")
    write_scene(scene, "hawks", "mover", more="[params.hawks]\nhunger = 2.5\n")
    running.wait_for("hawks 7 hunger 2.5")
    report = running.end()
    assert report["errors"] == []
    assert report["agents"] == {"boids": 10_000, "hawks": 7}
    assert list(report["modules"]) == ["hawks", "mover"]
    live = [edit for edit in report["edits"] if edit["verdict"] == "live"]
    assert live[0]["settings"] == ["added hawks", "setup of hawks spawned 7 hawks"]
    assert [edit["migrated"] for edit in live[1:]] == [
        ["hawks: parked with 7 rows"],
        ["hawks: brought back with 7 rows"],
    ]
    assert [edit["rows"] for edit in live[1:]] == [7, 7]


def test_an_invalid_scene_file_changes_nothing_and_says_where(start):
    running, scene = start()
    write_scene(scene, "mover", more="fsp = 30\n")
    running.wait_for("scene.toml:3: fsp: unknown key. Did you mean 'fps'?")
    write_scene(scene, "mover", more="fps = 30\n")
    running.wait_for("fps is now 30, was 60")
    report = running.end()
    assert running.code == 0
    assert [edit["verdict"] for edit in report["edits"]] == ["rejected", "live"]
    assert report["errors"] == []
    assert report["fps"] == 30
    assert report["budget_ms"] == pytest.approx(1e3 / 30, abs=1e-3)


def test_a_scene_file_that_is_gone_comes_back(start):
    running, scene = start()
    (scene / "scene.toml").unlink()
    save_in_place(scene / "mover.py", version(1))
    running.wait_for("running 1 1")
    write_scene(scene, "mover", more="[space]\nwidth = 7.0\n")
    running.wait_for("space is now a torus of 7 × 100")
    assert running.end()["errors"] == []


def test_what_was_given_on_the_command_line_stands_above_the_file(start):
    running, scene = start("--fps", "50")
    write_scene(scene, "mover", more="fps = 30\n")
    running.wait_for("fps is now 30, was 60: not followed, as 50 was given for this run")
    assert running.end()["fps"] == 50


def test_each_edit_is_a_line_of_the_reload_log(start, tmp_path):
    log = tmp_path / "reload.jsonl"
    running, scene = start("--reload-log", str(log))
    save_in_place(scene / "mover.py", version(1))
    running.wait_for("running 1 1")
    save_in_place(scene / "mover.py", "def (\n")
    running.wait_for("SyntaxError")
    edits = running.end()["edits"]
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [line["verdict"] for line in lines] == ["live", "rejected"]
    assert [{key: line[key] for key in edit} for line, edit in zip(lines, edits, strict=True)] == edits
    assert [line["number"] for line in lines] == [1, 2]
    assert lines[0]["event_to_compiled_ms"] <= lines[0]["event_to_ready_ms"]


def test_a_reload_log_that_cannot_be_written_ends_it_at_once(start, tmp_path):
    running, scene = start()
    code = subprocess.run(
        [sys.executable, "-m", "instar", "run", str(scene), "--reload-log", str(tmp_path / "no" / "log")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert code.returncode == 1
    assert "the log cannot be written: No such file or directory. Nothing was started" in code.stderr
    running.end()
