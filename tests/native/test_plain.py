"""The history ring and the rows, under sanitizers: the driver in checkplain/, built and run as a program of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

DRIVER = Path(__file__).parent / "checkplain"
NATIVE = Path(__file__).parents[2] / "native"
FOLDERS = sorted({path.parent for path in NATIVE.rglob("*.h") if path.parent.name != "arm64"})
SOURCES = sorted([*(path for path in NATIVE.rglob("*.[cS]") if path.parent != NATIVE), *DRIVER.glob("*.c")])
INCLUDED = [f"-I{folder}" for folder in [*FOLDERS, DRIVER, DRIVER.parent / "checkasm"]]
FLAGS = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-pthread", "-O1", "-g", "-fno-omit-frame-pointer"]
CHECKS = ("history", "damage", "bundles", "snapshots", "pool", "rows", "identities", "integrity")
THREADED = ("snapshots", "pool")


def tool(name: str, package: str) -> str:
    """A program; where it is missing the test fails on CI and is skipped elsewhere."""
    found = shutil.which(name)
    if found is None:
        message = f"{name} is not installed; on Debian: apt-get install {package}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, f"{done.args}\n{done.stdout}{done.stderr}"
    return done.stdout


def build(target: Path, *flags: str) -> Path:
    run(tool("cc", "gcc"), *FLAGS, *flags, *INCLUDED, *SOURCES, "-o", target, "-lm")
    return target


@pytest.fixture(scope="module")
def memory_driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("memory") / "checkplain"
    return build(target, "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@pytest.mark.parametrize("check", CHECKS)
def test_no_fault_and_no_undefined_behaviour(memory_driver: Path, check: str) -> None:
    assert run(memory_driver, "1", check) == f"{check} ok\n"


def test_threads_do_not_race(tmp_path: Path) -> None:
    # A snapshot copies bytes that may be changing, and copies them again if they were; a fence orders that, which
    # the sanitizer does not know.
    driver = build(tmp_path / "checkplain", "-fsanitize=thread", "-Wno-tsan")
    options = f"suppressions={DRIVER / 'races.txt'} halt_on_error=1"
    assert run(driver, "1", *THREADED, TSAN_OPTIONS=options) == "".join(f"{check} ok\n" for check in THREADED)
