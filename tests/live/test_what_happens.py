"""The README's table of what happens when somebody does something: every row is done, to a running scene."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from live import Live

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (… .*?) \| (.*?) \|$", README, re.MULTILINE)

HERD = """\
from instar import Agents, Param, f32
from paces import pace


class Herd(Agents, capacity=1_000):
    x: f32
    energy: f32 = 1.0


speed = Param(2.0, min=0.0, max=10.0)


def setup(herd):
    herd.spawn(100, x=range(100))


def update(herd):
    herd.x += pace
    TAG = 0
"""
GRASS = """\
from instar import Agents, f32


class Grass(Agents):
    height: f32


def setup(grass):
    grass.spawn(10)


def update(grass):
    grass.height += 1
"""
SCENE = """\
title = "A field"
modules = ["herd", "grass"]
"""

Scenario = Callable[[Live], None]
SCENARIOS: dict[str, Scenario] = {}


def when(row: str) -> Callable[[Scenario], Scenario]:
    """Mark what does a row of the table, by the words of its left cell."""

    def mark(scenario: Scenario) -> Scenario:
        assert row not in SCENARIOS
        SCENARIOS[row] = scenario
        return scenario

    return mark


@pytest.fixture
def live(tmp_path: Path) -> Live:
    (tmp_path / "field").mkdir()
    folder = tmp_path / "field"
    (folder / "scene.toml").write_text(SCENE, encoding="utf-8")
    (folder / "herd.py").write_text(HERD, encoding="utf-8")
    (folder / "grass.py").write_text(GRASS, encoding="utf-8")
    (folder / "paces.py").write_text("pace = 1\n", encoding="utf-8")
    return Live(folder)


@pytest.mark.parametrize("row", [row for row, _ in ROWS])
def test_what_the_table_says_happens(live: Live, row: str) -> None:
    report = live.play(SCENARIOS[row])
    assert report["missed_by_edits"] == 0
    assert report["agents"].get("herd", 100) >= 100


def test_every_scenario_is_a_row_of_the_table() -> None:
    assert list(SCENARIOS) == [row for row, _ in ROWS]


def runs(tag: int) -> Callable[[object], bool]:
    """Whether a version of the herd's `update` runs."""
    return lambda world: f"TAG = {tag}\n" in world.program.modules["herd"].unit.text  # type: ignore[attr-defined]


@when("… save a module")
def _(live: Live) -> None:
    before = live.ask(lambda world: world["herd"].id.copy())
    live.edit("herd.py", "TAG = 0", "TAG = 1")
    live.see(runs(1))
    assert live.verdicts() == ["live"]
    assert np.array_equal(live.ask(lambda world: world["herd"].id.copy()), before)


@when("… save it without a change, touch it, or check out the same content")
def _(live: Live) -> None:
    live.save("herd.py", HERD)
    (live.folder / "herd.py").touch()
    live.save("grass.py", GRASS + "\n# the end\n")
    assert live.receipt().files == ("grass.py",)


@when("… save half a file, or empty it")
def _(live: Live) -> None:
    path = live.folder / "herd.py"
    text = HERD.replace("TAG = 0", "TAG = 1")
    path.write_text("", encoding="utf-8")
    with path.open("w", encoding="utf-8") as file:
        file.write(text[:200])
        file.flush()
        live.save("grass.py", GRASS + "\n# seen\n")
        assert live.receipt().files == ("grass.py",)
        file.write(text[200:])
    live.see(runs(1))
    assert live.verdicts() == ["live", "live"]


@when("… save a syntax error, or a file that raises when it is imported")
def _(live: Live) -> None:
    live.edit("herd.py", "herd.x += pace", "herd.x += (pace")
    assert live.receipt().verdict == "rejected"
    assert f"{live.folder / 'herd.py'}:18" in live.receipt().error
    live.save("herd.py", "1 / 0\n")
    assert "ZeroDivisionError" in live.receipt(2).error
    frame = live.ask(lambda world: world.frame)
    live.see(lambda world: world.frame > frame)
    live.save("herd.py", HERD)
    live.see(lambda _: live.runtime.report()["errors"] == [])


@when("… undo a change")
def _(live: Live) -> None:
    live.edit("herd.py", "TAG = 0", "TAG = 1")
    live.see(runs(1))
    live.save("herd.py", HERD)
    live.see(runs(0))


@when("… add a field")
def _(live: Live) -> None:
    live.edit("herd.py", "    x: f32\n", "    x: f32\n    age: f32 = 4.0\n")
    assert live.receipt().migrated == ("herd: added age (f32, default 4.0)",)
    assert live.ask(lambda world: bool((world["herd"].age == 4).all()))


@when("… remove a field, and undo that")
def _(live: Live) -> None:
    live.ask(lambda world: world["herd"].energy.__setitem__(slice(None), np.arange(100)))
    live.edit("herd.py", "    energy: f32 = 1.0\n", "")
    assert live.receipt().migrated == ("herd: parked energy",)
    live.save("herd.py", HERD)
    assert live.receipt(2).migrated == ("herd: brought back energy",)
    assert live.ask(lambda world: world["herd"].energy.tolist()) == list(range(100))


@when("… save a helper that others import")
def _(live: Live) -> None:
    live.save("paces.py", "pace = 5\n")
    receipt = live.receipt()
    assert (receipt.verdict, receipt.files) == ("live", ("paces.py",))
    assert live.ask(lambda world: world.program.modules["herd"].module.pace) == 5


@when("… delete a file, and bring it back")
def _(live: Live) -> None:
    (live.folder / "herd.py").unlink()
    frame = live.ask(lambda world: world.frame)
    live.see(lambda world: world.frame > frame + 3)
    live.save("herd.py", HERD.replace("TAG = 0", "TAG = 1"))
    live.see(runs(1))
    assert live.verdicts() == ["live"]
