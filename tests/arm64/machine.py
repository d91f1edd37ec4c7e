"""An ARM64 Python on this machine: Debian's packages, unpacked below a folder and run by qemu's user emulation.

Nothing is installed and nothing outside the folder is written. Packages come from where this machine's own apt and pip get theirs.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

EMULATOR = "qemu-aarch64-static"
COMPILER = "aarch64-linux-gnu-gcc"
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
PROGRAMS = {
    EMULATOR: "qemu-user-static",
    COMPILER: "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
}


class MachineError(Exception):
    """The ARM64 machine cannot be made here; the message says why."""


@dataclass(frozen=True, slots=True)
class Machine:
    """An ARM64 Python and the libraries it runs on.

    Attributes:
        folder: Where everything lies.
    """

    folder: Path

    @property
    def root(self) -> Path:
        """The unpacked Debian packages."""
        return self.folder / "root"

    @property
    def python(self) -> Path:
        """Runs ARM64 Python. It calls itself `sys.executable`, so child processes are emulated too, without binfmt_misc."""
        return self.folder / "python"

    @property
    def libraries(self) -> Path:
        """Packages from the package index, for ARM64."""
        return self.folder / "libraries"

    @property
    def package(self) -> Path:
        """Instar, built for ARM64."""
        return self.folder / "package"

    def environment(self, **more: str) -> dict[str, str]:
        """This process's environment, with the packages of the ARM64 machine."""
        path = os.pathsep.join(map(str, (self.package, self.libraries)))
        return {**os.environ, "PYTHONPATH": path, **more}


def run(command: Sequence[str | Path], folder: Path | None = None, **environment: str) -> str:
    """Run a program to its end.

    Returns:
        What it wrote to stdout.

    Raises:
        MachineError: If it failed.
    """
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        words = shlex.join(str(word) for word in command)
        raise MachineError(f"{words}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def make(folder: Path, project: Path, requirements: Sequence[str]) -> Machine:
    """The machine with these requirements and the project's present source; what is there already is not fetched again."""
    missing = {name: package for name, package in PROGRAMS.items() if shutil.which(name) is None}
    if missing:
        raise MachineError(f"{', '.join(missing)} not found; on Debian: apt-get install {' '.join(missing.values())}")
    machine = Machine(folder.resolve())
    once(machine.root, ["python", PYTHON], lambda: unpack_python(machine))
    write_python(machine)
    version = run([machine.python, "-c", "import sys; print('python%d.%d' % sys.version_info[:2])"]).strip()
    if version != PYTHON:
        raise MachineError(
            f"the ARM64 Python is {version}, this one is {PYTHON}; cross-building needs the same version"
        )
    once(machine.libraries, requirements, lambda: fetch_libraries(machine, requirements))
    build_package(machine, project)
    return machine


def once(folder: Path, wanted: Sequence[str], act: object) -> None:
    """Fill a folder by `act`, unless it was filled for the same `wanted` before."""
    stamp = folder.with_suffix(".made")
    if stamp.exists() and stamp.read_text() == "\n".join(wanted):
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    assert callable(act)
    act()
    stamp.write_text("\n".join(wanted))


def unpack_python(machine: Machine) -> None:
    """Fetch Python and all it depends on from this machine's Debian sources, with a state of apt's own, and unpack it."""
    state, archives = machine.folder / "apt", machine.folder / "apt" / "archives"
    shutil.rmtree(state, ignore_errors=True)
    for needed in (state / "lists" / "partial", archives / "partial"):
        needed.mkdir(parents=True)
    (state / "status").touch()
    own: Mapping[str, object] = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "",
        "APT::Update::Post-Invoke": "",
        "Dir::State": state,
        "Dir::State::status": state / "status",
        "Dir::Cache": state,
    }
    apt = ["apt-get", "-qq", *(word for name, value in own.items() for word in ("-o", f"{name}={value}"))]
    run([*apt, "update"])
    try:
        run([*apt, "install", "--download-only", "--no-install-recommends", PYTHON, "libstdc++6"])
        # Its headers alone, without the development packages it depends on.
        run([*apt, "download", f"lib{PYTHON}-dev"], archives)
    except MachineError as error:
        raise MachineError(
            f"this machine's Debian sources gave no {PYTHON} for ARM64; run this with the Python of your Debian.\n{error}"
        ) from None
    for package in sorted(archives.glob("*.deb")):
        run(["dpkg-deb", "--extract", package, machine.root])
    shutil.rmtree(state)
    run([sys.executable, "-m", "compileall", "-qq", "-j0", machine.root / "usr" / "lib" / PYTHON])


def write_python(machine: Machine) -> None:
    """Write the program that runs the ARM64 Python."""
    home, root, binary = (
        shlex.quote(str(path)) for path in (machine.root / "usr", machine.root, machine.root / "usr" / "bin" / PYTHON)
    )
    machine.python.write_text(f'#!/bin/sh\nPYTHONHOME={home} exec {EMULATOR} -0 "$0" -L {root} {binary} "$@"\n')
    machine.python.chmod(0o755)


def fetch_libraries(machine: Machine, requirements: Sequence[str]) -> None:
    """Fetch what Instar and its tests need, as wheels for ARM64 and its C library."""
    major, minor = map(int, run([machine.python, "-c", "import platform; print(platform.libc_ver()[1])"]).split("."))
    platforms = [f"--platform=manylinux_{major}_{below}_aarch64" for below in range(minor, 16, -1)]
    platforms.append("--platform=manylinux2014_aarch64")
    version = f"{sys.version_info.major}{sys.version_info.minor}"
    tags = [
        "--implementation=cp",
        f"--python-version={version}",
        *(f"--abi={abi}" for abi in (f"cp{version}", "abi3", "none")),
    ]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--only-binary=:all:"]
    run([*pip, f"--target={machine.libraries}", *platforms, *tags, *requirements])


def build_package(machine: Machine, project: Path) -> None:
    """Cross-build Instar with the compiler settings of the ARM64 Python."""
    shutil.rmtree(machine.package, ignore_errors=True)
    settings = machine.folder / "settings"
    settings.mkdir(exist_ok=True)
    (found,) = (machine.root / "usr" / "lib" / PYTHON).glob("_sysconfigdata__aarch64-linux-gnu.py")
    shutil.copy(found, settings)
    headers = machine.root / "usr" / "include"
    build = [sys.executable, "setup.py", "--quiet", "build", f"--build-lib={machine.package}"]
    run(
        [*build, f"--build-temp={machine.folder / 'objects'}"],
        project,
        _PYTHON_HOST_PLATFORM="linux-aarch64",
        _PYTHON_SYSCONFIGDATA_NAME=found.stem,
        PYTHONPATH=str(settings),
        CFLAGS=shlex.join([f"-I{headers / PYTHON}", f"-I{headers}"]),
    )
    built = {path.name for path in machine.package.rglob("*.so")}
    foreign = [name for name in built if not re.search(r"\.cpython-\d+-aarch64-linux-gnu\.so$", name)]
    if foreign or not built:
        raise MachineError(f"the cross-build gave {sorted(foreign) or 'no native modules'}, not modules for ARM64")
