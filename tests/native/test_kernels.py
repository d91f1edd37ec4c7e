"""Every path equals the reference: the harness in checkasm/, built and run for each target there are tools for."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from instar.native import isas

HARNESS = Path(__file__).parent / "checkasm"
NATIVE = Path(__file__).parents[2] / "native"
KERNELS = NATIVE / "kernels"
ASSEMBLY = sorted([*KERNELS.rglob("*.S"), *HARNESS.glob("*.S")])
SOURCES = sorted([*KERNELS.rglob("*.c"), *HARNESS.glob("*.c")])
CHECKED = (
    "commit_elements", "commit_dense", "apply_elements", "apply_dense", "elements_crc", "restore_chunk", "check_chunk", "crc64",
    "shuffle",
)  # fmt: skip
STRICT = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-pthread", f"-I{NATIVE}", f"-I{KERNELS}"]


def tool(name: str, package: str) -> str:
    """A program; where it is missing the test fails on CI and is skipped elsewhere."""
    found = shutil.which(name)
    if found is None:
        message = f"{name} is not installed; on Debian: apt-get install {package}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.args}\n{done.stdout}{done.stderr}"
    return done.stdout


def build(compiler: str, target: Path, *flags: str) -> Path:
    run(compiler, *STRICT, *flags, *SOURCES, *ASSEMBLY, "-o", target, "-lm")
    return target


def assert_all_equal(report: str, *paths: str) -> None:
    verdicts = {tuple(line.split()) for line in report.splitlines()}
    assert verdicts >= {(path, kernel, "ok") for path in paths for kernel in CHECKED}, report


def test_paths_of_this_processor(tmp_path: Path) -> None:
    assert_all_equal(run(build(tool("cc", "gcc"), tmp_path / "checkasm", "-O3")), *isas())


def test_paths_under_sanitizers(tmp_path: Path) -> None:
    flags = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    assert_all_equal(run(build(tool("cc", "gcc"), tmp_path / "checkasm", *flags)), *isas())


@pytest.fixture(scope="module")
def arm64_harness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = tool("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross")
    # On Linux a compiler may use x18; there the harness sees the assembly's use alone.
    return build(compiler, tmp_path_factory.mktemp("arm64") / "checkasm", "-O2", "-static", "-ffixed-x18")


@pytest.mark.parametrize("cpu", ["cortex-a57", "cortex-a72", "neoverse-n1", "max"])
def test_paths_of_arm64(arm64_harness: Path, cpu: str) -> None:
    emulator = tool("qemu-aarch64-static", "qemu-user-static")
    assert_all_equal(run(emulator, "-cpu", cpu, arm64_harness), "neon", "neon-nopmull", "generic")


@pytest.mark.parametrize("source", ASSEMBLY, ids=lambda path: path.name)
def test_assembles_for_apple(tmp_path: Path, source: Path) -> None:
    run(tool("clang", "clang"), "--target=arm64-apple-macos11", "-c", source, "-o", tmp_path / "apple.o")


@pytest.mark.parametrize("source", ASSEMBLY, ids=lambda path: path.name)
def test_assembly_needs_no_executable_stack(tmp_path: Path, source: Path) -> None:
    for compiler in (
        tool("cc", "gcc"),
        tool("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross"),
    ):
        run(compiler, "-c", source, "-o", tmp_path / "elf.o")
        if (tmp_path / "elf.o").read_bytes().startswith(b"\x7fELF"):
            assert b".note.GNU-stack" in (tmp_path / "elf.o").read_bytes()
