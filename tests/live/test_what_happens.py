"""The README's table of what happens when somebody does something: every row is done, to a running scene."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from live import PATIENCE, Live

import instar

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


@when("… write an endless loop, or a call that ends the process, at the top level of a file")
def _(live: Live) -> None:
    live.save("herd.py", HERD + "\nimport os\nos._exit(3)\n")
    assert "ended its process when it was imported" in live.receipt().error
    live.save("herd.py", HERD + "\nwhile True:\n    pass\n")
    assert live.receipt(2).verdict == "rejected"
    assert "2 s" in live.receipt(2).error
    live.save("paces.py", "pace = 5\n")
    live.save("herd.py", HERD)
    live.see(lambda world: world.program.modules["herd"].module.pace == 5)


@when("… save an `update` that raises")
def _(live: Live) -> None:
    live.edit("herd.py", "TAG = 0", "TAG = 1 // 0")
    live.see(lambda _: live.verdicts() == ["rolled_back"])
    assert "ZeroDivisionError" in live.receipt().error
    frame = live.ask(lambda world: world.frame)
    live.see(lambda world: world.frame > frame + 3 and runs(0)(world))


@when("… let it raise for the first time after a while")
def _(live: Live) -> None:
    late = HERD.replace("TAG = 0", "ages.append(0)\n    TAG = 1 // (len(ages) < 75)")
    live.save("herd.py", late.replace("\n\ndef setup", "\nages = []\n\n\ndef setup"))
    live.see(lambda world: "herd" in world.resting)
    frame, height = live.ask(lambda world: (world.frame, world["grass"].height[0]))
    live.see(lambda world: world.frame == frame + 3)
    assert live.ask(lambda world: world["grass"].height[0]) > height
    live.save("herd.py", HERD)
    live.see(lambda world: not world.resting)


@when("… let NaN into the agents, or a value that `field(min=…, max=…)` forbids")
def _(live: Live) -> None:
    live.edit("herd.py", "TAG = 0", "herd.x[7] = float('nan')")
    live.see(lambda _: live.verdicts() == ["rolled_back"])
    assert "herd.x of row 7 (id 8) became nan" in live.receipt().error
    assert live.ask(lambda world: bool(np.isfinite(world["herd"].x).all()))


@when("… hang in a hook")
def _(live: Live) -> None:
    live.edit("herd.py", "TAG = 0", "while True: pass")
    live.see(lambda _: live.verdicts() == ["rolled_back"])
    assert "ran longer than 1 s" in live.receipt().error
    live.see(runs(0))


@when("… rename a field")
def _(live: Live) -> None:
    live.ask(lambda world: world["herd"].energy.__setitem__(slice(None), np.arange(100)))
    renamed = HERD.replace("energy: f32 = 1.0", 'vigour: f32 = field(1.0, was="energy")')
    live.save("herd.py", renamed.replace("Agents, Param, f32", "Agents, Param, f32, field"))
    assert live.receipt().verdict == "live"
    assert live.ask(lambda world: world["herd"].vigour.tolist()) == list(range(100))


@when("… widen a field, or change its default")
def _(live: Live) -> None:
    wider = HERD.replace("Agents, Param, f32", "Agents, Param, f32, f64").replace("x: f32", "x: f64")
    live.save("herd.py", wider.replace("= 1.0\n", "= 2.0\n"))
    receipt = live.receipt()
    assert (receipt.verdict, receipt.migrated[0]) == ("live", "herd: x is now f64, was f32")
    assert live.ask(lambda world: set(world["herd"].energy.tolist())) == {1.0}


@when("… narrow or reshape a field")
def _(live: Live) -> None:
    narrow = HERD.replace("Agents, Param, f32", "Agents, Param, f32, i16").replace("x: f32", "x: i16")
    live.save("herd.py", narrow)
    assert live.receipt().verdict == "rejected"
    lines = live.receipt().error.partition("def migrate(old, new):")[2].partition("\nThe running")[0]
    live.save("herd.py", f"{narrow}\n\ndef migrate(old, new):{lines}\n")
    assert live.receipt(2).verdict == "live"


@when("… make one field of two, or give a new one values")
def _(live: Live) -> None:
    x, energy = live.ask(lambda world: (world["herd"].x.copy(), world["herd"].energy.copy()))
    placed = HERD.replace("x: f32\n    energy: f32 = 1.0", "place: f32[2]").replace("x=range(100)", "")
    placed = placed.replace("herd.x += pace", "herd.place[:, 1] += 0")
    live.save(
        "herd.py",
        placed + "\n\ndef migrate(old, new):\n    new.place[:, 0] = old.x\n    new.place[:, 1] = old.energy\n",
    )
    assert live.receipt().verdict == "live"
    place = live.ask(lambda world: world["herd"].place.copy())
    assert (place[:, 0] >= x).all()
    assert np.array_equal(place[:, 1], energy)


@when("… rename a class")
def _(live: Live) -> None:
    ids = live.ask(lambda world: world["grass"].id.copy())
    meadow = GRASS.replace("Grass(Agents)", 'Meadow(Agents, was="grass")').replace("(grass)", "(meadow)")
    live.save("grass.py", meadow.replace("    grass.", "    meadow."))
    assert live.receipt().verdict == "live"
    assert np.array_equal(live.ask(lambda world: world["meadow"].id.copy()), ids)


@when("… move a class to another module")
def _(live: Live) -> None:
    ids = live.ask(lambda world: world["grass"].id.copy())
    start, end = GRASS.index("class"), GRASS.index("def setup")
    live.save("grass.py", GRASS[:start] + "\n" + GRASS[end:])
    live.save("herd.py", HERD.replace("\n\nspeed", "\n\n" + GRASS[start:end] + "speed"))
    live.see(lambda world: world.program.owners["grass"] == "herd")
    assert np.array_equal(live.ask(lambda world: world["grass"].id.copy()), ids)


@when("… raise a capacity")
def _(live: Live) -> None:
    live.edit("herd.py", "capacity=1_000", "capacity=3_000_000")
    assert live.receipt().migrated == ("herd: capacity 1000 → 3000000",)


@when("… save several files at once, or check out another branch")
def _(live: Live) -> None:
    live.save("herd.py", HERD.replace("import pace\n", "import back as pace\n"))
    live.save("paces.py", "pace = 7\nback = -7\n")
    live.see(lambda world: world.program.modules["herd"].module.pace == -7)
    assert live.verdicts()[-1] == "live"
    live.see(lambda _: live.runtime.report()["errors"] == [])


@when("… change the default or the bounds of a `Param`")
def _(live: Live) -> None:
    live.ask(lambda world: setattr(world.params["herd"], "speed", 8.0))
    live.edit("herd.py", "Param(2.0, min=0.0, max=10.0)", "Param(3.0, min=0.0, max=9.0)")
    live.see(lambda world: len(live.verdicts()) == 1)
    assert live.ask(lambda world: world.params["herd"].speed) == 8.0
    live.edit("herd.py", "max=9.0", "max=5.0")
    live.see(lambda world: len(live.verdicts()) == 2)
    assert live.ask(lambda world: world.params["herd"].speed) == 3.0
    assert "speed was 8.0" in str(live.receipt(2))


@when("… change a number in `scene.toml`")
def _(live: Live) -> None:
    live.save("scene.toml", SCENE + "[params.herd]\nspeed = 4.0\n[space]\nwidth = 250.0\n")
    live.see(lambda world: world.params["herd"].speed == 4.0)
    assert live.ask(lambda world: world.space.width) == 250.0


@when("… take a module out of `scene.toml`, and put it back")
def _(live: Live) -> None:
    live.save("scene.toml", SCENE.replace(', "grass"', ""))
    live.see(lambda world: "grass" not in world.tables)
    live.save("scene.toml", SCENE)
    live.see(lambda world: "grass" in world.tables)
    assert live.ask(lambda world: len(world["grass"])) == 10


@when("… save a `scene.toml` that is wrong")
def _(live: Live) -> None:
    live.save("scene.toml", SCENE + "sed = 4\n")
    assert live.receipt().verdict == "rejected"
    assert "Did you mean 'seed'?" in live.receipt().error
    live.save("scene.toml", SCENE)


@when("… keep a score with `persist`, a window with `keep`")
def _(live: Live) -> None:
    game = HERD.replace("Param, f32", "Param, f32, keep, persist")
    game = game.replace(
        "\n\ndef setup", '\n\nscore = persist("score", 0)\nwindow = keep("window", object)\n\n\ndef setup'
    )
    game = game.replace("TAG = 0", "score.value += 1")
    live.save("herd.py", game)
    live.see(lambda world: live.verdicts() == ["live"])
    window = live.ask(lambda world: world.program.modules["herd"].module.window)
    live.save("herd.py", game.replace("+= 1", "+= 2"))
    live.see(lambda world: live.verdicts() == ["live"] * 2)
    live.see(lambda world: world.program.modules["herd"].module.score.value > 5)
    assert live.ask(lambda world: world.program.modules["herd"].module.window) is window


@when("… keep or pickle an object of a scene's own class")
def _(live: Live) -> None:
    boxed = HERD.replace("speed =", "class Box:\n    side = 1\n\n\nbox = keep('box', Box)\nspeed =")
    boxed = boxed.replace("Param, f32", "Param, f32, keep")
    live.save("herd.py", boxed)
    live.see(lambda world: live.verdicts() == ["live"])
    data = live.ask(lambda world: pickle.dumps(world.program.modules["herd"].module.box))
    live.save("herd.py", boxed.replace("side = 1", "side = 2"))
    live.see(lambda world: live.verdicts() == ["live"] * 2)
    assert live.ask(lambda world: pickle.loads(data).side) in (1, 2)
    assert live.ask(lambda world: world.program.modules["herd"].module.box.side) == 2


@when("… edit from a notebook or a script")
def _(live: Live) -> None:
    live.save("paces.py", "pace = 3\n")
    receipt = instar.reload(live.folder / "paces.py")
    assert receipt.verdict == "live"
    assert live.ask(lambda world: world.program.modules["herd"].module.pace) == 3


@when("… go back in time across an edit")
def _(live: Live) -> None:
    before = live.ask(lambda world: world.frame)
    live.edit("herd.py", "    energy: f32 = 1.0\n", "")
    live.see(lambda world: live.verdicts() == ["live"])
    live.ask(lambda world: world.rollback(before))
    live.see(lambda world: hasattr(world["herd"], "energy") and world.frame > before)


@when("… call `sys.exit()` in a hook, or press Ctrl-C")
def _(live: Live) -> None:
    live.edit("herd.py", "TAG = 0", "raise SystemExit('enough')")
    assert live.over.wait(PATIENCE)
