"""What people do wrong: each gets a message that says what, where and what to do, and never a traceback from inside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = """\
from instar import Agents, Param, f32, i32

class Boids(Agents, capacity=100):
    x: f32
    n: i32

speed = Param(1.0, min=0.0, max=2.0)

def setup(boids):
    boids.spawn(10)

def update(boids):
    boids.x += speed
"""


def instar(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "instar", *map(str, words)],
        capture_output=True, text=True, encoding="utf-8", timeout=60, check=False, **{"stdin": subprocess.DEVNULL, **options},
    )  # fmt: skip


def write(folder: Path, toml: str = 'modules = ["good"]\n', **modules: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scene.toml").write_text(toml, encoding="utf-8")
    for name, source in {"good": GOOD, **modules}.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    return folder


def fails(done: subprocess.CompletedProcess[str], code: int, *says: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    for part in says:
        assert part in done.stderr, done.stderr


def test_a_scene_that_is_not_there_lists_the_examples():
    fails(instar("run", "boid"), 2, "boid", "boids", "predator", "tutorial")


def test_an_empty_folder(tmp_path):
    fails(instar("run", tmp_path), 1, "scene.toml", "instar new")


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("modules = [\n", ("scene.toml:",)),
        ('modules = ["god"]\n', ("scene.toml:1", "god", "good")),
        ('modules = ["good"]\nfsp = 60\n', ("scene.toml:2", "fsp", "fps")),
        ('modules = ["good"]\nfps = "fast"\n', ("scene.toml:2", "fps", "fast")),
        ('modules = ["good"]\n[params.good]\nsped = 1\n', ("sped", "speed")),
        ('modules = ["good"]\n[params.good]\nspeed = 7\n', ("speed", "7", "2.0")),
    ],
)
def test_a_wrong_scene_file(tmp_path, toml, says):
    fails(instar("run", write(tmp_path / "scene", toml), "--headless", "--frames", 3), 1, *says)


@pytest.mark.parametrize(
    ("module", "says"),
    [
        ("def update(boids:\n    pass\n", ("bad.py:1", "SyntaxError")),
        ("1 / 0\n", ("bad.py:1", "ZeroDivisionError")),
        ("import sys\nsys.exit(3)\n", ("bad.py:2", "SystemExit")),
        ("import nowhere\n", ("bad.py:1", "nowhere")),
        ("def update(bird):\n    pass\n", ("bad.py:1", "bird", "boids")),
        ("async def update(boids):\n    pass\n", ("bad.py:1", "async")),
        ("def update(*boids):\n    pass\n", ("bad.py:1", "*boids")),
        ("from instar import Agents, f32\nclass Boids(Agents):\n    x: f32\n", ("boids", "bad.py:2", "good.py:3")),
        ("from instar import Agents\nclass Ants(Agents):\n    x: float\n", ("bad.py:3", "float", "f32")),
        ("from instar import Agents, f32\nclass Ants(Agents):\n    spawn: f32\n", ("bad.py:3", "spawn")),
        ("def setup(boids):\n    boids.spawn(91)\n", ("bad.py:2", "capacity", "10 of 100")),
        ("def setup(boids):\n    boids.n = 0.5\n", ("bad.py:2", "int32")),
        ("def setup(boids):\n    boids.y = 0.5\n", ("bad.py:2", "no field 'y'")),
        ("def setup(boids):\n    boids.despawn(10)\n", ("bad.py:2", "row 10")),
    ],
)
def test_a_module_that_cannot_start(tmp_path, module, says):
    scene = write(tmp_path / "scene", 'modules = ["good", "bad"]\n', bad=module)
    fails(instar("run", scene, "--headless", "--frames", 3), 1, *says)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--set", "good.speed"], "module.param=value"),
        (["--set", "speed=1"], "module.param=value"),
        (["--frames", "0"], "whole number"),
        (["--fps", "none"], "whole number"),
        (["--sed", "1"], "--sed"),
    ],
)
def test_a_wrong_command_line(tmp_path, words, says):
    fails(instar("run", write(tmp_path / "scene"), *words), 2, says)


@pytest.mark.parametrize("setting", ["good.sped=1", "god.speed=1", "good.speed=9", "good.speed=fast"])
def test_a_setting_that_does_not_fit(tmp_path, setting):
    fails(
        instar("run", write(tmp_path / "scene"), "--headless", "--set", setting),
        1,
        setting.split("=")[0].split(".")[-1],
    )


def test_paths_with_spaces_and_other_letters_and_a_folder_that_cannot_be_written(tmp_path):
    scene = write(tmp_path / "my flöck 群れ")
    scene.chmod(0o555)
    done = instar("run", scene, "--headless", "--frames", 5, "--json")
    scene.chmod(0o755)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["paths"] == [str(scene)]
    assert report["agents"] == {"boids": 10}
    assert sorted(path.name for path in scene.iterdir()) == ["good.py", "scene.toml"]


def test_stdin_closed(tmp_path):
    scene = write(tmp_path / "scene")
    command = f'"{sys.executable}" -m instar run "{scene}" --headless --frames 5 --json <&-'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["frames"] == 5


def test_nothing_but_the_document_is_on_stdout(tmp_path):
    talker = "import sys, logging, warnings\ndef update():\n    print('hi'); logging.error('ho'); warnings.warn('hu')\n"
    scene = write(tmp_path / "scene", 'modules = ["good", "talker"]\n', talker=talker)
    done = instar("run", scene, "--headless", "--frames", 2, "--json")
    assert json.loads(done.stdout)["frames"] == 2
    for word in ("hi", "ho", "hu"):
        assert word in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("where", ["setup", "update", "pace"])
def test_ctrl_c_ends_a_run_cleanly_in_any_phase(tmp_path, where):
    begin = "import os, signal\n"
    kill = "    os.kill(os.getpid(), signal.SIGINT)\n"
    module = (
        begin
        + {
            "setup": "def setup():\n" + kill,
            "update": "def update(frame):\n    if frame == 3:\n    " + kill,
            "pace": "import threading\ndef setup():\n    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()\n",
        }[where]
    )
    scene = write(tmp_path / "scene", 'modules = ["good", "killer"]\n', killer=module)
    done = instar("run", scene, "--headless", "--json")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    report = json.loads(done.stdout)
    assert report["agents"] == {"boids": 10}
    assert report["frames"] == {"setup": 0, "update": 4}.get(where, report["frames"])


def test_a_hook_that_hangs_is_interrupted_and_rests(tmp_path):
    scene = write(
        tmp_path / "scene",
        'modules = ["good", "slow"]\n',
        slow="def update(frame):\n    while frame == 2:\n        pass\n",
    )
    done = instar("run", scene, "--headless", "--frames", 6, "--json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["frames"] == 6
    assert report["modules"]["slow"]["state"] == "quarantined"
    assert "longer than 1 s" in report["errors"][0]
    assert "slow.py:2" in report["errors"][0]


def test_a_hook_that_catches_exceptions_in_a_loop_is_interrupted_all_the_same(tmp_path):
    stubborn = (
        "def update(frame):\n    while frame == 2:\n        try:\n            while True:\n                pass\n"
        "        except Exception:\n            print('again')\n"
    )
    scene = write(tmp_path / "scene", 'modules = ["good", "stubborn"]\n', stubborn=stubborn)
    done = instar("run", scene, "--headless", "--frames", 6, "--json")
    assert json.loads(done.stdout)["modules"]["stubborn"]["state"] == "quarantined"
    assert "again" not in done.stderr


@pytest.mark.parametrize("error", ["asyncio.CancelledError()", "GeneratorExit()", "Odd()"])
def test_a_hook_that_raises_something_odd_rests_like_any_other(tmp_path, error):
    odd = f"import asyncio\nclass Odd(BaseException): ...\ndef update(frame):\n    if frame == 2:\n        raise {error}\n"
    scene = write(tmp_path / "scene", 'modules = ["good", "odd"]\n', odd=odd)
    done = instar("run", scene, "--headless", "--frames", 6, "--json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["frames"] == 6
    assert "odd.py:5" in report["errors"][0]
    assert "@" not in report["errors"][0]


def test_a_deep_recursion_is_told_in_a_few_lines(tmp_path):
    deep = "def fall(n):\n    return fall(n + 1)\ndef update():\n    fall(0)\n"
    scene = write(tmp_path / "scene", 'modules = ["good", "deep"]\n', deep=deep)
    report = json.loads(instar("run", scene, "--headless", "--frames", 2, "--json").stdout)
    assert "more" in report["errors"][0]
    assert report["errors"][0].count("\n") < 20


def test_a_setup_may_take_longer_than_a_hook(tmp_path):
    slow = "import threading\ndef setup():\n    threading.Event().wait(1.3)\n"
    scene = write(tmp_path / "scene", 'modules = ["good", "slow"]\n', slow=slow)
    assert instar("run", scene, "--headless", "--frames", 2).returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_output_that_cannot_be_written(tmp_path):
    scene = write(tmp_path / "scene")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "instar", "run", str(scene), "--headless", "--frames", "2", "--json"],
            stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_names_too_long_for_a_folder(tmp_path):
    fails(instar("run", "x" * 300), 2, "no scene")
    fails(instar("new", "x" * 300, cwd=tmp_path), 2, "too long")


def test_the_folder_to_edit_is_told(tmp_path):
    scene = write(tmp_path / "scene")
    assert str(scene) in instar("run", scene, "--headless", "--frames", 2).stderr


def test_a_hook_that_sleeps_in_the_system_is_interrupted_too(tmp_path):
    scene = write(
        tmp_path / "scene",
        'modules = ["good", "slow"]\n',
        slow="import time\ndef update(frame):\n    time.sleep(600 * (frame == 2))\n",
    )
    done = instar("run", scene, "--headless", "--frames", 6, "--json")
    assert json.loads(done.stdout)["modules"]["slow"]["state"] == "quarantined"


def test_a_hook_stuck_in_native_code_ends_the_run_with_its_name(tmp_path):
    stuck = "import ctypes\nsleep = ctypes.PyDLL(None).sleep\ndef update(frame):\n    if frame == 2:\n        sleep(600); sleep(600)\n"
    scene = write(tmp_path / "scene", 'modules = ["good", "stuck"]\n', stuck=stuck)
    done = instar("run", scene, "--headless", "--frames", 6)
    fails(done, 1, "stuck.update")


def test_a_killed_run_leaves_no_process_behind(tmp_path):
    scene = write(
        tmp_path / "scene", 'modules = ["good", "teller"]\n', teller="def setup():\n    print('up', flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "instar", "run", str(scene), "--headless"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    while "up" not in process.stdout.readline():
        assert process.poll() is None
    process.kill()
    rest = process.stdout.read()  # ends when nobody holds the pipe any more, the helper process neither
    process.stdout.close()
    process.wait()
    assert "Traceback" not in rest
