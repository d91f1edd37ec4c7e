"""A loop under test, with one of the tools, and what its code says."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sources import SCENE, edited, helper

INSTAR = "Instar"
HERE = Path(__file__).parent
_START_S = 60.0
_FIRST_S = 10.0

Said = tuple[int, tuple[object, ...]]


class Peer:
    """A running loop.

    Attributes:
        tool: its name.
        folder: what is edited.
        said: what its code has said so far: when (monotonic ns), and what.
    """

    def __init__(self, tool: str, folder: Path, process: subprocess.Popen[bytes], pipe: int) -> None:
        self.tool = tool
        self.folder = folder
        self.said: list[Said] = []
        self._process = process
        self._pipe = pipe
        self._rest = b""

    @property
    def instar(self) -> bool:
        """Whether it is ours."""
        return self.tool == INSTAR

    @property
    def alive(self) -> bool:
        """Whether the loop goes on."""
        return self._process.poll() is None

    def text(self, tag: int, **options: object) -> str:
        """A version of its file."""
        return edited(tag, instar=self.instar, **options)  # type: ignore[arg-type]

    def listen(self, seconds: float) -> None:
        """Hears what is said for so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._read(left)

    def wait_for(self, said: tuple[object, ...], seconds: float) -> int | None:
        """When it has begun to say this, after all that was heard before; None if it does not."""
        known = len(self.said)
        until = time.monotonic() + seconds
        while True:
            for when, what in self.said[known:]:
                if what[: len(said)] == said:
                    return when
            if (left := until - time.monotonic()) <= 0 or not self.alive:
                return None
            self._read(left)

    def _read(self, seconds: float) -> None:
        if not select.select([self._pipe], [], [], seconds)[0]:
            return
        part = os.read(self._pipe, 65536)
        if not part:
            time.sleep(min(seconds, 0.01))
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in lines:
            when, *what = json.loads(line)
            self.said.append((when, tuple(what)))


@contextmanager
def running(tool: str) -> Iterator[Peer]:
    """Runs a loop with a tool over version 0 of the files."""
    with tempfile.TemporaryDirectory(prefix="instar-peer-") as place:
        folder = Path(place, "edited")
        folder.mkdir()
        (folder / "helper.py").write_text(helper(0), encoding="utf-8")
        (folder / "edited.py").write_text(edited(0, instar=tool == INSTAR), encoding="utf-8")
        (folder / "scene.toml").write_text(SCENE, encoding="utf-8")
        reading, writing = os.pipe()
        command = [str(HERE / "looping.py"), tool, str(folder)]
        if tool == INSTAR:
            command = ["-m", "instar", "run", str(folder), "--headless"]
        environment = {**os.environ, "INSTAR_PEER_PIPE": str(writing), "PYTHONPATH": str(HERE)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with Path(place, "output").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *command],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=[writing], env=environment, cwd=place,
            )  # fmt: skip
        os.close(writing)
        peer = Peer(tool, folder, process, reading)
        try:
            if peer.wait_for((0, 0), _START_S) is None:
                raise RuntimeError(f"{tool} did not start: {Path(place, 'output').read_text('utf-8')}")
            peer.listen(0.5)
            (folder / "edited.py").write_text(peer.text(1), encoding="utf-8")  # the first edit may find a tool cold
            peer.wait_for((1, 1), _FIRST_S)
            yield peer
        finally:
            process.kill()
            process.wait()
            os.close(reading)
