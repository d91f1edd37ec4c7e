"""A short storm: real saves of a real run, and an oracle that knows what each frame must run (see `storm.py`)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

STORM = Path(__file__).with_name("storm.py")


def storm(*options: str) -> tuple[int, dict]:
    done = subprocess.run(
        [sys.executable, str(STORM), "--json", "--untimed", *options], capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_nothing_is_torn_stale_or_lost_in_a_storm():
    status, found = storm("--saves", "250", "--seed", "7", "--largest", "600")
    assert not found["defects"], json.dumps([found["defects"], found["logs"]], indent=1)
    assert status == 0
    assert found["saves"] >= 250
    assert found["visible_ms"]["count"] > 50
    assert found["rejections"] > 0
    assert {"lossy schema", "module away", "late fault", "save during a fault", "crash between"} <= found[
        "kinds"
    ].keys()
