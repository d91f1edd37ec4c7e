"""The rules of the house: who may know whom."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCENE_FILES = sorted(
    [*ROOT.glob("examples/*/*.py"), *(p for p in ROOT.glob("modules/*.py") if p.name != "__init__.py")]
)


def test_nothing_imports_upward_or_in_a_circle():
    lint = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", lint, "--config", str(ROOT / "pyproject.toml"), "--no-cache"],
        cwd=ROOT / "build" / "links", env={**os.environ, "PYTHONPATH": "."}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 kept, 0 broken" in done.stdout


def test_the_rules_name_every_file_and_folder_of_the_runtime():
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    entries = {path.stem for path in (ROOT / "runtime").iterdir() if path.suffix == ".py" or path.is_dir()}
    runtime = {f"instar.{name}" for name in entries - {"__init__", "__pycache__"}}
    forbidden = {rule["name"]: set(rule["forbidden_modules"]) for rule in rules if rule["type"] == "forbidden"}
    assert forbidden == {
        "native knows only itself": runtime | {"instar.hmr"},
        "hmr knows native and itself": runtime,
    }


@pytest.mark.parametrize("path", SCENE_FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_scenes_know_only_the_public_names(path):
    import instar

    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("instar") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("instar"):
            assert node.module == "instar"
            assert {alias.name for alias in node.names} <= set(instar.__all__)


def test_files_keep_to_the_size_of_one_sitting():
    long = {
        str(path.relative_to(ROOT)): lines
        for room in ("runtime", "hmr", "native")
        for path in (ROOT / room).rglob("*")
        if path.suffix in {".py", ".pyx", ".c", ".h", ".S"} and (lines := len(path.read_text().splitlines())) > 400
    }
    assert not long


def test_no_folder_of_a_room_holds_more_than_a_dozen_or_so_files():
    crowded = {
        str(folder.relative_to(ROOT)): count
        for room in ("runtime", "hmr", "native")
        for folder in [ROOT / room, *(p for p in (ROOT / room).rglob("*") if p.is_dir() and p.name != "__pycache__")]
        if (count := sum(1 for file in folder.iterdir() if file.suffix in {".py", ".pyx", ".c", ".S"})) > 14
    }
    assert not crowded
