"""Builds Instar: the rooms at the top of the checkout become the package `instar`.

`python setup.py links` makes the link tree build/links/instar, the shape that static tools and cimports see.
"""

from __future__ import annotations

import os
import sys
from copy import copy
from pathlib import Path
from typing import ClassVar

if sys.platform == "win32":
    sys.exit("Instar runs on Linux and macOS; nothing was built. On Windows, use it inside WSL 2 (https://aka.ms/wsl)")

from setuptools import Command, Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
LINKS = Path("build", "links")
ROOMS = {
    "instar": "runtime",
    "instar.hmr": "hmr",
    "instar.native": "native",
    "instar.modules": "modules",
    "instar.examples": "examples",
}
DATA_FOLDERS = {"examples"}
"""Rooms whose sub-folders are no packages: scenes."""

KERNELS = [
    "native/kernels/crc64.c",
    "native/kernels/detect.c",
    "native/kernels/generic.c",
    "native/kernels/words.c",
    "native/kernels/x86/avx512.c",
    "native/kernels/x86/avx2.c",
    "native/kernels/arm64/neon.c",
    "native/kernels/arm64/elements.S",
    "native/kernels/arm64/chunks.S",
    "native/kernels/arm64/crc64.S",
]
"""Each file is empty where the target's instruction set is not its own, so one list serves all targets."""
SOURCES = {
    "dispatch": KERNELS,
    "buffers": [],
    "blocks": ["native/kernels/shuffle.c", "native/kernels/x86/shuffle.c", "native/kernels/arm64/shuffle.c"],
    "memory": [],
    "column": ["native/plain/pages.c"],
    "frames": [
        "native/ring/bundle.c",
        "native/ring/frames.c",
        "native/plain/pages.c",
        "native/ring/records.c",
        "native/ring/ring.c",
    ],
    "history": [
        "native/plain/bounds.c",
        "native/ring/bundle.c",
        "native/ring/deltas.c",
        "native/ring/frames.c",
        "native/plain/pages.c",
        "native/plain/pool.c",
        "native/ring/records.c",
        "native/ring/ring.c",
        "native/ring/snapshot.c",
        "native/ring/travel.c",
        "native/ring/upkeep.c",
    ],
    "snapshot": [
        "native/ring/frames.c",
        "native/plain/pages.c",
        "native/ring/records.c",
        "native/ring/ring.c",
        "native/ring/snapshot.c",
    ],
    "cells": ["native/plain/cells.c"],
    "rows": ["native/plain/despawns.c", "native/plain/index.c"],
    "integrity": [
        "native/plain/bounds.c",
        "native/plain/identities.c",
        "native/plain/integrity.c",
        "native/ring/frames.c",
        "native/plain/pages.c",
        "native/ring/records.c",
        "native/ring/ring.c",
    ],
    "timing.spans": [],
    "timing.watchdog": ["native/plain/watchdog.c"],
}
HEADERS = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("native/**/*.h"))
# Contracted multiplications would make distances differ between processors.
FLAGS = ["-O3", "-g0", "-fvisibility=hidden", "-ffp-contract=off", "-pthread"]


def is_package(folder: Path) -> bool:
    """Whether a folder below a room is a package: it holds Python files and is not hidden."""
    return not folder.name.startswith((".", "_")) and any(folder.glob("*.py"))


def packages() -> dict[str, str]:
    """Folder by package name."""
    found = dict(ROOMS)
    for name, room in ROOMS.items():
        if room in DATA_FOLDERS:
            continue
        for folder in sorted(path for path in (ROOT / room).rglob("*") if path.is_dir() and is_package(path)):
            parts = folder.relative_to(ROOT / room).parts
            found[".".join((name, *parts))] = str(folder.relative_to(ROOT))
    return found


def scene_files() -> list[str]:
    """Everything in the example scenes, relative to examples/."""
    files = (path.relative_to(ROOT / "examples") for path in (ROOT / "examples").glob("*/**/*") if path.is_file())
    return sorted(str(path) for path in files if not any(part.startswith((".", "__pycache__")) for part in path.parts))


def extensions() -> list[Extension]:
    """The Cython modules of native with the C below them."""
    return [
        Extension(
            f"instar.native.{name}",
            [f"native/{name.replace('.', '/')}.pyx", *sources],
            include_dirs=["native"],
            depends=HEADERS,
            extra_compile_args=FLAGS,
            extra_link_args=["-pthread"],
        )
        for name, sources in SOURCES.items()
    ]


def make_links() -> None:
    """Make build/links/instar: links to the files and sub-rooms of runtime, and to the other rooms."""
    tree = ROOT / LINKS / "instar"
    tree.mkdir(parents=True, exist_ok=True)
    wanted = {
        path.name: path for path in (ROOT / "runtime").iterdir() if not path.name.startswith((".", "__pycache__"))
    }
    wanted |= {room: ROOT / room for room in ROOMS.values() if room != "runtime"}
    for name, target in wanted.items():
        link = tree / name
        if not (link.is_symlink() and link.resolve() == target):
            link.unlink(missing_ok=True)
            link.symlink_to(os.path.relpath(target, tree))
    for link in tree.iterdir():
        if link.name not in wanted:
            link.unlink()


class Links(Command):
    """`python setup.py links`."""

    description = "make the link tree build/links, where static tools find the package"
    user_options: ClassVar[list[tuple[str, str | None, str | None]]] = []

    def initialize_options(self) -> None:
        """Nothing to choose."""

    def finalize_options(self) -> None:
        """Nothing to choose."""

    def run(self) -> None:
        """Make the tree."""
        make_links()


class Build(build_ext):
    """Makes the links, translates Cython into build/, and compiles C and assembly on all processors."""

    def finalize_options(self) -> None:
        """Translate Cython; generated C lies in build/, never beside its source."""
        from Cython.Build import cythonize  # noqa: PLC0415 - only a build needs it

        make_links()
        self.distribution.ext_modules = cythonize(
            self.distribution.ext_modules,
            build_dir="build/cython",
            include_path=[str(LINKS)],
            compiler_directives={"language_level": 3, "boundscheck": False, "wraparound": False},
        )
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def build_extensions(self) -> None:
        """Let the compiler take assembly, which setuptools does not know of."""
        self.compiler.src_extensions = [*self.compiler.src_extensions, ".S"]
        super().build_extensions()

    def build_extension(self, ext: Extension) -> None:
        """Keep the objects of each module apart: modules that share sources are compiled at the same time."""
        apart = copy(self)
        apart.build_temp = str(Path(self.build_temp, ext.name))
        build_ext.build_extension(apart, ext)


setup(
    packages=list(packages()),
    package_dir=packages(),
    package_data={
        "instar": ["py.typed"],
        "instar.native": ["*.pyi"],
        "instar.native.timing": ["*.pyi"],
        "instar.examples": scene_files(),
    },
    include_package_data=False,
    ext_modules=extensions(),
    cmdclass={"build_ext": Build, "links": Links},
    zip_safe=False,
)
