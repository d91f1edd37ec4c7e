"""The other end of a trial process: starts it, asks it, and sees how it ended."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from typing import Any, NamedTuple

from instar.hmr.code.trial.wire import NOT_EXECUTING, TRACES_AT, Reply, Request, plain, receive, send

_PROGRAM = """import sys
here = list(map(int, sys.argv[1:5]))
sys.path[:], sys.argv[1:] = sys.argv[5:], []
from instar.hmr.code.trial.process import serve
serve(*here)
"""
_START_SECONDS = 60.0
_LOOK_SECONDS = 0.05
"""How often to see whether the process has died; its children may keep the connection open."""
_TRACED_SECONDS = 0.5
_TRACE_BYTES = 1 << 16
_STEP = re.compile(r'^  File "(.*)", line (\d+) in (.*)$', re.MULTILINE)
_IMPORTING = "<frozen importlib."


class Step(NamedTuple):
    """Where a process was: a file (as it was compiled), a line, a function."""

    file: str
    line: int
    function: str


class Death(Exception):
    """The process has ended, or had to be ended, before it replied.

    Attributes:
        problem: how, as what importing a file did.
        kind: `hang`, `exit` or `crash`.
        index: which file of the request was executed, None if none.
        steps: where, the innermost first; may be empty.
    """

    def __init__(self, problem: str, kind: str, index: int | None = None, steps: tuple[Step, ...] = ()) -> None:
        super().__init__(problem)
        self.problem = problem
        self.kind = kind
        self.index = index
        self.steps = steps


class Worker:
    """One trial process, from start to end.

    Attributes:
        there: marks of what it holds, kept by who asks it.
        requests: how often it was asked.
    """

    def __init__(self, limit: float, import_limit: float) -> None:
        """Starts it and returns before it is up.

        Args:
            limit: seconds that a request may take.
            import_limit: seconds that it may take while it is inside an import of what is no file of the scene.

        Raises:
            OSError: no process can be started.
        """
        self._limit = limit
        self._import_limit = import_limit
        self._is_up = False
        self.there: frozenset[object] = frozenset()
        self.requests = 0
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            self._report = ours.enter_context(tempfile.TemporaryFile(buffering=0))
            self._connection, connection = socket.socketpair()
            ours.enter_context(self._connection)
            theirs.enter_context(connection)
            end, lifeline = os.pipe()
            ours.callback(os.close, lifeline)
            theirs.callback(os.close, end)
            self._process = self._start((connection.fileno(), self._report.fileno(), end))
            self._open = ours.pop_all()
        self._connection.settimeout(_START_SECONDS)

    def _start(self, inherited: tuple[int, ...]) -> subprocess.Popen[bytes]:
        longest = round(self._import_limit + 2 * self._limit + 1)
        return subprocess.Popen(
            [
                *(sys.executable, *["-O"] * sys.flags.optimize, "-c", _PROGRAM, *map(str, inherited), str(longest)),
                *sys.path,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=inherited,
            process_group=0,
        )

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def wait_until_up(self) -> None:
        """Waits until it can take requests.

        Raises:
            Death: it did not come up.
        """
        if not self._is_up:
            if not self._readable(time.monotonic() + _START_SECONDS):
                raise Death("it did not start", "hang")
            self._receive()
            self._is_up = True

    def ask(self, request: Request) -> Reply:
        """Has it execute files.

        Raises:
            Death: it is over, and `end` is still to be called.
        """
        self.wait_until_up()
        self.requests += 1
        began = time.monotonic()
        deadline = began + self._limit
        try:
            send(self._connection, plain(request))
        except OSError:
            raise self._death() from None
        while not self._readable(deadline):
            steps = self._asked_steps()
            is_importing = any(step.file.startswith(_IMPORTING) for step in steps)
            if not is_importing or deadline > began + self._import_limit:
                what, limit = ("what it imports ", self._import_limit) if is_importing else ("it ", self._limit)
                problem = f"{what}did not finish within {limit:g} s when it was imported"
                raise Death(problem, "hang", self._index(), steps)
            deadline += self._limit
        executed, holders, grown = self._receive()
        return Reply(executed, holders, grown)

    def kill(self) -> None:
        """Kills it and the processes that it has started; who waits for it hears of its death."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    def end(self) -> None:
        """Kills it and gives back what belongs to it."""
        self.kill()
        self._process.wait()
        self._open.close()

    def _readable(self, deadline: float) -> bool:
        """Waits for something to be said; false at the deadline.

        Raises:
            Death: the process ended, and said nothing.
        """
        poller = select.poll()
        poller.register(self._connection.fileno(), select.POLLIN)
        while True:
            left = deadline - time.monotonic()
            if poller.poll(min(_LOOK_SECONDS, max(0.0, left)) * 1000):
                return True
            if left <= 0:
                return False
            if not self.is_alive and not poller.poll(0):
                raise self._death()

    def _receive(self) -> Any:
        try:
            return receive(self._connection)
        except (EOFError, OSError, ValueError, TypeError):
            raise self._death() from None

    def _death(self) -> Death:
        try:
            status = self._process.wait(_TRACED_SECONDS)
        except subprocess.TimeoutExpired:
            return Death("it closed what was open in its process", "exit", self._index(), self._steps())
        if status >= 0:
            problem, kind = f"it ended its process when it was imported (exit status {status})", "exit"
        else:
            problem, kind = f"it crashed its process when it was imported ({signal.Signals(-status).name})", "crash"
        return Death(problem, kind, self._index(), self._steps())

    def _asked_steps(self) -> tuple[Step, ...]:
        """Has a process that is busy tell where it is."""
        report = self._report.fileno()
        os.ftruncate(report, TRACES_AT)
        os.lseek(report, TRACES_AT, os.SEEK_SET)
        os.kill(self._process.pid, signal.SIGUSR1)
        until = time.monotonic() + _TRACED_SECONDS
        size = 0
        while time.monotonic() < until:
            time.sleep(_TRACED_SECONDS / 50)
            before, size = size, os.fstat(report).st_size
            if size == before > TRACES_AT:
                break
        return self._steps()

    def _steps(self) -> tuple[Step, ...]:
        trace = os.pread(self._report.fileno(), _TRACE_BYTES, TRACES_AT).decode("ascii", "replace")
        return tuple(Step(file, int(line), function) for file, line, function in _STEP.findall(trace))

    def _index(self) -> int | None:
        index = int.from_bytes(os.pread(self._report.fileno(), 4, 0), "little")
        return None if index == NOT_EXECUTING else index


def as_traced(path: str) -> str:
    """Returns a file's name as it stands in a step."""
    return path.encode("ascii", "backslashreplace").decode()
