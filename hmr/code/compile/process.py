"""The compile process: compiling a long file there costs the frame loop nothing."""

from __future__ import annotations

import marshal
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from instar.hmr.code.compile.compiler import Unit, unit_of
from instar.hmr.code.compile.pieces.piece import Around, Piece, piece_of
from instar.hmr.code.compile.source import Source
from instar.hmr.code.compile.translate import Facts
from instar.hmr.code.errors import CompileError

_PROGRAM = """import sys, types
for name in ("instar", "instar.hmr", "instar.hmr.code", "instar.hmr.code.compile"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [sys.argv[1]]
from instar.hmr.code.compile.serving import main
main(int(sys.argv[2]))
"""
"""Of the package it has the modules of this folder only."""


class _DiedError(Exception):
    """The process ended, or had to be ended, before it replied."""


class CompileHelper:
    """A process that compiles, started when first needed and again whenever it has died.

    It is started by `subprocess` (never a fork of this process, whose memory may be large), talks over pipes, ignores
    Ctrl-C and ends when this end closes. Safe to use from several threads; they take turns.
    """

    def __init__(self, limit: float = 30.0, niceness: int = 0) -> None:
        """Prepares; the process is started when it is needed.

        Args:
            limit: seconds that one file may take before its compilation is given up.
            niceness: how far it gives way to other processes, as `os.nice` has it.
        """
        self._limit = limit
        self._niceness = niceness
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The process, None while there is none."""
        return None if self._process is None else self._process.pid

    def warm(self) -> None:
        """Starts the process and has it compile something, so that the first edit does not wait for that."""
        self.compile(Source.of(Path("warm.py"), "warm", b"import os\nclass Warm:\n    x: int = 1\n"))

    def compile(self, source: Source) -> Unit:
        """Compiles a file.

        Raises:
            CompileError: it is not valid Python, or compiling it ended the process twice or took too long.
        """
        return unit_of(source, self.translate(source.path, source.data))

    def translate(self, path: Path, data: bytes) -> Facts:
        """Returns what `translate.translate` says about a content.

        Raises:
            CompileError: compiling it ended the process twice or took too long.
        """
        facts: Facts = self._reply("translate", path, (str(path), data, sys.flags.optimize))
        return facts

    def make(self, path: Path, new: Collection[tuple[str, int]], around: Around) -> list[Piece]:
        """Returns pieces of texts with their roles, none if one of them is unfit.

        Raises:
            CompileError: as `translate`.
        """
        reply = self._reply("make", path, (list(new), tuple(around), sys.flags.optimize))
        return [piece_of(marshal.loads(one)) for one in reply]  # one by one: others may go on in between

    def close(self) -> None:
        """Ends the process; a later `compile` starts a new one."""
        with self._turn:
            self._end()

    def _reply(self, what: str, path: Path, arguments: tuple[Any, ...]) -> Any:
        request = marshal.dumps((what, arguments))
        with self._turn:
            try:
                reply = self._ask(request)
            except _DiedError:
                try:
                    reply = self._ask(request)
                except _DiedError as error:
                    advice = "Undo the last change to this file, or split it: the compiler itself failed on it."
                    raise CompileError(str(error), path=path, advice=advice) from None
        return marshal.loads(reply)

    def _ask(self, request: bytes) -> bytes:
        process = self._process
        if process is None or process.poll() is not None:
            self._end()
            process = self._process = self._start()
        assert process.stdin is not None
        try:
            process.stdin.write(len(request).to_bytes(4, "little") + request)
            process.stdin.flush()
            deadline = time.monotonic() + self._limit
            size = int.from_bytes(self._read(process, 4, deadline), "little")
            return self._read(process, size, deadline)
        except OSError as error:
            raise _DiedError(f"compiling it ended the compile process ({error})") from None

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROGRAM, str(Path(__file__).parent), str(self._niceness)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )

    def _read(self, process: subprocess.Popen[bytes], size: int, deadline: float) -> bytes:
        assert process.stdout is not None
        pipe = process.stdout.fileno()
        poller = select.poll()
        poller.register(pipe, select.POLLIN)
        parts = []
        while size:
            if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
                self._end()
                raise _DiedError(f"compiling it took more than {self._limit:g} s and was given up")
            part = os.read(pipe, size)
            if not part:
                status = process.wait()
                raise _DiedError(f"compiling it ended the compile process ({_ending(status)})")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was still buffered has nowhere to go
                    continue


def _ending(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"
