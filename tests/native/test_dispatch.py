from __future__ import annotations

import os
import subprocess
import sys

import pytest

from instar.native import CHUNK_BYTES, LINE_BYTES, isa, isas

WORLD = """
import numpy as np
from instar.native import Column, History, crc64, isa

rng = np.random.default_rng(5)
column, history = Column(200_000), History(1 << 20)
history.add(column)
column.extent = 200_000
live = np.frombuffer(column.live, np.uint8)[:200_000]
seen = []
for frame in range(1, 12):
    changed = rng.integers(0, 200_000, 10 ** rng.integers(0, 5))
    live[changed] = rng.integers(0, 256, changed.size)
    seen += history.commit(frame, [column]), column.chunk_crcs().tolist(), history.used_bytes
while history.current > history.oldest:
    seen += history.undo(), crc64(column.live), crc64(column.committed), column.chunk_crcs().tolist()
while history.current < history.newest:
    seen += history.redo(), crc64(column.live), crc64(column.committed), column.chunk_crcs().tolist()
print(isa(), seen)
"""


def run_world(path: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "INSTAR_ISA": path}
    return subprocess.run(
        [sys.executable, "-c", WORLD], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture(scope="module")
def reference() -> str:
    done = run_world("generic")
    assert done.returncode == 0, done.stderr
    return done.stdout.removeprefix("generic ")


@pytest.mark.parametrize("path", isas())
def test_paths_give_the_same_deltas_and_checksums(path: str, reference: str) -> None:
    done = run_world(path)
    assert done.stdout == f"{path} {reference}", done.stderr


def test_a_path_the_processor_lacks_is_refused() -> None:
    done = run_world("mips")
    assert done.returncode == 1
    assert "InstarError: INSTAR_ISA=mips names no path that this processor can run" in done.stderr
    assert "generic" in done.stderr


def test_the_reference_is_always_there() -> None:
    assert isas()[-1] == "generic"
    assert isa() in isas()


def test_units() -> None:
    assert (CHUNK_BYTES, LINE_BYTES) == (16384, 64)
