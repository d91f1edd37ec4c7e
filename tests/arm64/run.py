"""Instar's own suite on ARM64, emulated: `python tests/arm64/run.py`, from an environment that holds Instar's build tools.

Everything fetched and built lies in build/arm64. Words after the command go to pytest instead of the suite's own selection.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from machine import Machine, MachineError, make, run

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "build" / "arm64"
WORLDS = [
    f"tests/runtime/{name}" for name in ("loop", "edits/test_verdicts.py", "edits/test_migrating.py", "test_world.py")
]
SUITE = [
    ("neon", ["tests/hmr/state"]),
    ("neon", ["tests/native", *WORLDS, "tests/test_examples.py"]),
    ("neon-nopmull", ["tests/native", "tests/hmr/state/validation"]),
]
"""What the processor matters to, and worlds that run on it. The rest is Python and its processes, the same everywhere."""
SCENES = ["boids", "predator"]
FRAMES = 30
LEFT_OUT = ("import-linter", "instar[game]")
"""Requirements of what is the same everywhere: reading source, and drawing with SDL."""


def requirements() -> list[str]:
    """What the project says that it and its tests need."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    return [one for one in wanted if not one.startswith(LEFT_OUT)]


def passes(machine: Machine, path: str, chosen: list[str]) -> bool:
    """Whether tests pass by one of the paths of ARM64; tells what pytest says."""
    environment = machine.environment(INSTAR_ISA=path)
    environment["PYTHONPATH"] += f":{Path(__file__).parent}"
    command = [
        machine.python,
        "-m",
        "pytest",
        "-q",
        "-p",
        "emulated",
        "-p",
        "no:cacheprovider",
        "--durations=5",
        *chosen,
    ]
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    say(f"{path}: {' '.join(chosen)}: {'passed' if done.returncode == 0 else 'failed'}\n{done.stdout}")
    return done.returncode == 0


def same_worlds(machine: Machine) -> bool:
    """Whether scenes give the same world, bit for bit, on this processor and on ARM64."""
    same = True
    for scene in SCENES:
        command = ["-m", "instar", "run", scene, "--headless", "--frames", str(FRAMES), "--json"]
        here, there = (
            json.loads(run([python, *command], machine.folder, **environment))["crc"]
            for python, environment in ((sys.executable, {}), (machine.python, machine.environment()))
        )
        say(f"{scene} after {FRAMES} frames: {here} here, {there} on ARM64")
        same = same and here == there
    return same


def say(what: str) -> None:
    """Tell the person what happens, with the seconds since the start."""
    sys.stderr.write(f"arm64: {what} ({time.perf_counter() - STARTED:.0f} s)\n")


def main(chosen: list[str]) -> int:
    """Make the machine and prove Instar on it; returns the exit code."""
    try:
        machine = make(FOLDER, PROJECT, requirements())
        say("an ARM64 Python with Instar is ready")
        if chosen:
            return 0 if passes(machine, "neon", chosen) else 1
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            passed = list(pool.map(lambda part: passes(machine, *part), SUITE))
        good = same_worlds(machine) and all(passed)
    except MachineError as error:
        say(str(error))
        return 1
    say("done" if good else "failed; see above")
    return 0 if good else 1


STARTED = time.perf_counter()
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
