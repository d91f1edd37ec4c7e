"""A scene under test in a process of its own: what its versions say, and its report."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from instar.bench.reload.sources import SCENE

PATIENCE_S = 5.0
_START_S = 60.0


class Running:
    """A run of a scene with one module.

    Attributes:
        path: The module.
        report: What the run has reported; filled when it has ended.
    """

    def __init__(self, path: Path, process: subprocess.Popen[bytes], pipe: int) -> None:
        self.path = path
        self.report: dict[str, Any] = {}
        self._process = process
        self._pipe = pipe
        self._rest = b""

    def said(self, patience: float = PATIENCE_S) -> tuple[int, int] | None:
        """The next version that ran, and when in monotonic ns; its tag is -1 if it was half a file. None if none does."""
        while b"\n" not in self._rest:
            if not select.select([self._pipe], [], [], patience)[0]:
                return None
            part = os.read(self._pipe, 4096)
            if not part:
                return None
            self._rest += part
        line, self._rest = self._rest.split(b"\n", 1)
        tag, when = line.split()
        return int(tag), int(when)

    def end(self) -> None:
        """End the run and read its report."""
        self._process.send_signal(signal.SIGINT)
        output, errors = self._process.communicate(timeout=60)
        if self._process.returncode != 0:
            raise RuntimeError(f"the scene under test failed: {errors.decode()}")
        self.report = json.loads(output)


@contextmanager
def running(text: str) -> Iterator[Running]:
    """Run a scene whose module has this text; it has begun when the body starts, and is ended by force afterwards."""
    with tempfile.TemporaryDirectory(prefix="instar-bench-") as folder:
        scene = Path(folder)
        (scene / "scene.toml").write_text(SCENE, encoding="utf-8")
        (scene / "edited.py").write_text(text, encoding="utf-8")
        reading, writing = os.pipe()
        with (scene / "stderr").open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "instar", "run", str(scene), "--headless", "--json"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                pass_fds=[writing], env={**os.environ, "INSTAR_BENCH_PIPE": str(writing)},
            )  # fmt: skip
        os.close(writing)
        try:
            run = Running(scene / "edited.py", process, reading)
            if run.said(_START_S) is None:
                raise RuntimeError(f"the scene under test did not start: {(scene / 'stderr').read_text('utf-8')}")
            yield run
        finally:
            process.kill()
            process.communicate()
            os.close(reading)
