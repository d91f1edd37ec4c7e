"""`breakpoint()` in a hook of a real run at a real terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

PATIENCE = 20.0

MODULE = """\
from instar import Agents, f32

class Boids(Agents):
    x: f32

def setup(boids):
    boids.spawn(3)

def update(boids, frame):
    boids.x += 1
    if frame == 20:
        answer = 40
        breakpoint()
        print("went on with", answer, flush=True)
    if frame == 40:
        print("forty", flush=True)
"""


_IN_FRONT = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
"""Makes the terminal its own, as a shell does for what it runs in the foreground."""


class AtTerminal:
    """`instar run` at a terminal of its own, seen through what it writes there; its report comes through a pipe."""

    def __init__(self, scene: Path, *options: str, in_front: bool = False) -> None:
        self.master, slave = pty.openpty()
        if in_front:
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 110, 0, 0))
        command = [sys.executable, "-m", "instar", "run", str(scene), "--json", *options]
        self.process = subprocess.Popen(
            [sys.executable, "-c", _IN_FRONT, *command] if in_front else command,
            stdin=slave, stdout=subprocess.PIPE, stderr=slave, start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "PYTHONBREAKPOINT": ""},
        )  # fmt: skip
        os.close(slave)
        self._seen = self.everything = ""
        self._heard = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            with self._heard:
                shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", data.decode("utf-8", "replace"))
                self._seen += shown
                self.everything += shown
                self._heard.notify_all()

    def wait_for(self, text: str) -> None:
        """Wait until the terminal shows a text after what was waited for last."""
        with self._heard:
            found = self._heard.wait_for(lambda: text in self._seen, PATIENCE)
            assert found, f"never showed {text!r}: …{self._seen[-2000:]}"
            self._seen = self._seen[self._seen.index(text) + len(text) :]

    def type(self, line: str) -> None:
        self.press(line + "\n")

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def interrupt(self) -> None:
        """Ctrl-C at the prompt, again where the first came in the moment before the prompt's read began: no read hears that one."""
        with self._heard:
            for _ in range(round(PATIENCE)):
                self.process.send_signal(signal.SIGINT)
                if self._heard.wait_for(lambda: "KeyboardInterrupt" in self._seen, 1):
                    break
        self.wait_for("KeyboardInterrupt")

    def end(self) -> dict:
        self.process.send_signal(signal.SIGINT)
        assert self.process.stdout is not None
        report = json.loads(self.process.stdout.read())
        assert self.process.wait(PATIENCE) == 0
        return report

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        os.close(self.master)


@pytest.fixture(params=[(), ("--headless",)], ids=["live view", "headless"])
def stopped(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[AtTerminal]:
    (tmp_path / "scene.toml").write_text('modules = ["stopper"]\n', encoding="utf-8")
    (tmp_path / "stopper.py").write_text(MODULE, encoding="utf-8")
    running = AtTerminal(tmp_path, *request.param)
    running.wait_for("(Pdb)")
    yield running
    running.close()


def test_a_person_looks_around_for_longer_than_a_hook_may_run_and_goes_on(stopped):
    stopped.type("p answer + 2")
    stopped.wait_for("42")
    stopped.wait_for("(Pdb)")
    stopped.type("import threading; threading.Event().wait(1.5)")
    stopped.wait_for("(Pdb)")
    stopped.type("answer = 7")
    stopped.wait_for("(Pdb)")
    stopped.type("n")  # since Python 3.13 this steps over breakpoint() itself, before over the line after it
    stopped.wait_for("(Pdb)")
    stopped.type("c")
    stopped.wait_for("forty")
    assert "went on with 7" in stopped.everything
    report = stopped.end()
    assert report["modules"]["stopper"]["state"] == "live"
    assert report["errors"] == []
    assert report["dropped"] == 0
    assert report["phases_ms"]["update"]["max"] < 1_000


def test_stepping_past_the_end_of_the_hook_goes_on_and_ctrl_c_at_the_prompt_takes_back_a_line(stopped):
    stopped.interrupt()
    stopped.type("n\n" * 6)
    stopped.wait_for("forty")
    assert "world.py" not in stopped.everything
    assert stopped.end()["errors"] == []


def test_quitting_the_debugger_ends_the_run_and_voids_the_frame(stopped):
    stopped.type("q")
    assert stopped.process.stdout is not None
    report = json.loads(stopped.process.stdout.read())
    assert stopped.process.wait(PATIENCE) == 0
    assert report["frame"] == 20
