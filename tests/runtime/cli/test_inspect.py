from __future__ import annotations

import json

import numpy as np
import pytest

from instar.cli.main import main
from instar.hmr.state import StateManager, f32, u8
from instar.hmr.state.fields import make_field
from instar.world import World


@pytest.fixture
def saved(tmp_path):
    state = StateManager(history_bytes=1 << 20)
    fields = {"x": make_field("x", f32, step=1 / 64), "kind": u8, "vx": f32}
    table = state.table("hares", fields, capacity=5000)
    table.spawn(4000, x=np.random.default_rng(1).uniform(0, 100, 4000), kind=np.uint8(3))
    state.commit()
    state.save(tmp_path / "tables.instar")
    return tmp_path / "tables.instar"


def test_it_shows_tables_columns_and_the_verdict(saved, capsys):
    assert main(["inspect", str(saved)]) == 0
    shown = capsys.readouterr().out
    assert f"{saved}: frame 1, format version 1" in shown
    assert "hares: 4,000 of 5,000 rows" in shown
    assert "scene" not in shown
    rows = {line.split()[0]: line for line in shown.splitlines() if line.startswith("  ")}
    assert rows["x"].endswith("bitshuffle+lz4, rounded to 0.015625")
    assert "16,000" in rows["x"]
    assert "100.0 %  zero" in rows["vx"]
    assert "(index)" in rows["id"]
    assert shown.endswith("verified: every byte fits its checksum, and every id leads to its row\n")


def test_a_world_says_whose_it_is(tmp_path, capsys):
    World.open("boids", params={"flock": {"cohesion": 0.01}}, seed=4).save(tmp_path / "world.instar")
    assert main(["inspect", str(tmp_path / "world.instar")]) == 0
    shown = capsys.readouterr().out
    assert "(boids)" in shown
    assert "seed    4, 60 frames per second" in shown
    assert "flock.cohesion = 0.01" in shown


def test_json_holds_the_same(saved, capsys):
    assert main(["inspect", str(saved), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["error"], found["format"], found["frame"]) == (True, None, 1, 1)
    assert found["bytes"] == saved.stat().st_size
    assert found["tables"]["hares"]["rows"] == 4000
    x = next(column for column in found["tables"]["hares"]["columns"] if column["name"] == "x")
    assert (x["type"], x["raw_bytes"], x["rounded_to"], x["filters"]) == ("f32", 16_000, 1 / 64, {"bitshuffle+lz4": 1})
    assert x["saved_percent"] > 50


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_damage_is_named(saved, capsys, options):
    torn = bytearray(saved.read_bytes())
    torn[-100] ^= 8
    saved.write_bytes(torn)
    assert main(["inspect", str(saved), *options]) == 1
    shown = capsys.readouterr()
    complaint = json.loads(shown.out)["error"] if options else shown.err
    assert "is damaged: block 0 of hares." in complaint
    assert "verified" not in shown.out


def test_no_file(capsys):
    assert main(["inspect", "nowhere.instar"]) == 1
    assert capsys.readouterr().err == "instar: there is no file nowhere.instar. Nothing was loaded\n"
