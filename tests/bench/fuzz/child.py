"""The process under the storm: a real `instar run`, what its modules report, and what it tells people."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contents import MODULES

_PIPE_BYTES = 1 << 20
_F_SETPIPE_SZ = 1031


@dataclass
class Pass:
    """The reports of one frame, begun once: those of the modules in their order, as far as it got.

    Attributes:
        frame: its number.
        began_ns: when its first module reported.
        said: the reports by module.
        failed: the module whose update went on to fail, which voids the frame.
    """

    frame: int
    began_ns: int
    failed: str | None = None
    said: dict[str, Mapping[str, Any]] = field(default_factory=dict)


class Child:
    """A run and its pipes."""

    def __init__(self, scene: Path, folder: Path) -> None:
        """Starts a run of a scene; its output goes into files of a folder."""
        self._said, reports = os.pipe()
        answers, self._asked = os.pipe()
        os.set_blocking(answers, False)
        self._grow_pipe()
        self._stderr = folder / "stderr"
        self._stdout = folder / "stdout"
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
            "INSTAR_STORM_REPORTS": str(reports), "INSTAR_STORM_QUESTIONS": str(answers), "INSTAR_STORM_SCENE": str(scene),
        }  # fmt: skip
        with self._stdout.open("wb") as out, self._stderr.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "instar", "run", str(scene), "--headless", "--json"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, pass_fds=[reports, answers], env=environment, cwd=folder,
            )  # fmt: skip
        os.close(reports)
        os.close(answers)
        self._heard_of: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()
        self._rest = b""
        self._current: Pass | None = None
        self._passes: deque[Pass] = deque()
        self._answers: deque[Mapping[str, Any]] = deque()
        self._heard = 0

    def _grow_pipe(self) -> None:
        if sys.platform == "linux":
            import fcntl

            fcntl.fcntl(self._said, _F_SETPIPE_SZ, _PIPE_BYTES)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def passes(self, patience: float) -> list[Pass]:
        """The frames that are complete by now; waits so many seconds for the first."""
        until = time.monotonic() + patience
        while True:
            self._read(max(0.0, until - time.monotonic()) if not self._passes else 0.0)
            if self._passes or time.monotonic() >= until:
                found = list(self._passes)
                self._passes.clear()
                return found

    def ask(self, patience: float = 10.0) -> Mapping[str, Any] | None:
        """What the process holds: modules, memory, threads; None if it does not say."""
        os.write(self._asked, b"what is held\n")
        until = time.monotonic() + patience
        while not self._answers and time.monotonic() < until and self.alive:
            self._read(0.1)
        return self._answers.popleft() if self._answers else None

    def heard(self) -> str:
        """What it has told people since the last call."""
        with self._stderr.open("rb") as file:
            file.seek(self._heard)
            text = file.read()
        self._heard += len(text)
        return text.decode("utf-8", "replace")

    def all_heard(self) -> str:
        """All it has told people."""
        return self._stderr.read_text("utf-8", "replace")

    def end(self, patience: float = 60.0) -> tuple[int, dict[str, Any]]:
        """Ends it as a person does; returns its exit status and report."""
        self.process.send_signal(signal.SIGINT)
        until = time.monotonic() + patience
        while self.alive and time.monotonic() < until:
            self._read(0.05)
        status = self.process.wait(1)
        text = self._stdout.read_text("utf-8")
        return status, json.loads(text) if text else {}

    def close(self) -> None:
        """Ends it in any case."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        os.close(self._asked)

    def _drain(self) -> None:
        """Takes what the process says, however long the oracle thinks: a full pipe would hold up its frames."""
        while data := os.read(self._said, _PIPE_BYTES):
            self._heard_of.put(data)
        os.close(self._said)

    def _read(self, patience: float) -> None:
        try:
            data = self._heard_of.get(timeout=patience) if patience > 0 else self._heard_of.get_nowait()
        except queue.Empty:
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            said = json.loads(line)
            if "answer" in said:
                self._answers.append(said)
            else:
                self._take(said)

    def _take(self, said: Mapping[str, Any]) -> None:
        module = said["marks"][0][0]
        current = self._current
        if current is None or said["frame"] != current.frame or module in current.said:
            if current is not None:
                self._passes.append(current)
            current = self._current = Pass(said["frame"], said["t"])
        current.said[module] = said
        if said["fails"]:
            current.failed = module
        if len(current.said) == len(MODULES) or said["fails"]:
            self._passes.append(current)
            self._current = None
