"""Edits that turn out bad while they run: what is undone, what people are told, and what of it comes again."""

from __future__ import annotations

from pathlib import Path

import pytest
from live import Live

FLOCK = """\
from instar import Agents, f32
from pace import step

class Boids(Agents, capacity=5_000):
    x: f32
    y: f32

def setup(boids):
    boids.spawn(1_000)

def update(boids, frame):
    boids.x += step
"""
TREES = """\
from instar import Agents, f32

class Trees(Agents):
    h: f32

def setup(trees):
    trees.spawn(10)

def update(trees):
    trees.h += 1
"""
RAISE = "    assert frame % 5 != 4, 'not now'\n"
NAN = "    if frame % 5 == 4: boids.y[3] = float('nan')\n"
UP = "    boids.y += 1\n"


@pytest.fixture
def live(tmp_path: Path) -> Live:
    folder = tmp_path / "scene"
    folder.mkdir()
    files = {
        "scene.toml": 'modules = ["flock", "trees"]\n',
        "flock.py": FLOCK,
        "trees.py": TREES,
        "pace.py": "step = 1\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return Live(folder)


def rolled_back(live: Live, count: int) -> bool:
    return live.verdicts().count("rolled_back") == count


@pytest.mark.parametrize(("bad", "told"), [(RAISE, "not now"), (NAN, "boids.y of row 3 (id 4) became nan")])
def test_a_bad_edit_is_undone_shown_and_mended(live: Live, bad: str, told: str) -> None:
    def scenario(live: Live) -> None:
        live.save("flock.py", FLOCK + UP + bad)
        live.see(lambda _: rolled_back(live, 1))
        receipt = live.receipt()
        assert told in receipt.error
        assert receipt.rolled_back_frame >= receipt.frame
        live.see(lambda _: live.runtime.report()["errors"])
        (shown,) = live.runtime.report()["errors"]
        assert told in shown
        assert "what is saved does not run" in shown
        frame = live.ask(lambda world: world.frame)
        live.save("flock.py", FLOCK + UP + bad)  # the same again is no edit
        live.see(lambda world: world.frame > frame + 30)
        assert live.verdicts() == ["rolled_back"]
        live.save("flock.py", FLOCK + UP)
        live.see(lambda world: world["boids"].y[0] > 0)
        live.see(lambda _: not live.runtime.report()["errors"])

    report = live.play(scenario)
    assert live.verdicts() == ["rolled_back", "live"]
    assert report["modules"]["flock"]["state"] in {"probation", "live"}


def test_undo_is_the_version_that_runs(live: Live) -> None:
    def scenario(live: Live) -> None:
        live.save("flock.py", FLOCK + RAISE)
        live.see(lambda _: rolled_back(live, 1))
        live.save("flock.py", FLOCK)
        live.see(lambda _: not live.runtime.report()["errors"])

    live.play(scenario)
    assert live.verdicts() == ["rolled_back"]


def test_files_saved_together_are_undone_together_and_mended_by_one_of_them(live: Live) -> None:
    def scenario(live: Live) -> None:
        (live.folder / "scene.toml").touch()
        live.save("pace.py", "step = 1\nup = 'one'\n")
        live.see(lambda _: live.verdicts() == ["live"])
        live.save("flock.py", FLOCK.replace("import step", "import step, up") + "    boids.y += up\n")
        live.see(lambda _: rolled_back(live, 1))
        live.save("pace.py", "step = 1\nup = 1\n")
        live.see(lambda world: world["boids"].y[0] > 0)
        live.see(lambda _: not live.runtime.report()["errors"])

    live.play(scenario)
    assert live.verdicts() == ["live", "rolled_back", "live"]
    assert live.runtime.receipts[-1].files == ("flock.py", "pace.py")


def test_what_is_saved_after_a_bad_edit_is_not_lost_with_it(live: Live) -> None:
    def scenario(live: Live) -> None:
        live.save("flock.py", FLOCK + NAN)
        live.see(lambda _: rolled_back(live, 1))
        live.save("trees.py", TREES.replace("+= 1", "= -1"))
        live.see(lambda world: world["trees"].h[0] == -1 and live.verdicts()[-1:] == ["live"] and rolled_back(live, 2))
        live.see(lambda _: live.runtime.report()["errors"])

    report = live.play(scenario)
    assert live.verdicts() == ["rolled_back", "rolled_back", "live"]
    assert live.runtime.receipts[-1].files == ("trees.py",)
    assert "became nan" in report["errors"][0]
