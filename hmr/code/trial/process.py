"""The trial process: executes files as the frame process would, and may die of it."""

from __future__ import annotations

import contextlib
import faulthandler
import fcntl
import gc
import os
import resource
import signal
import socket
import stat
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NoReturn

import numpy as np  # noqa: F401 - every scene's first import

from instar.hmr.code.compile.compiler import Unit
from instar.hmr.code.compile.source import Source
from instar.hmr.code.errors import ParamError
from instar.hmr.code.load.linking import bound_params, make_plain
from instar.hmr.code.load.loading import Instance, Load, Stage
from instar.hmr.code.params import Declaration, Declarations, Value
from instar.hmr.code.trial.flag import begin_trying
from instar.hmr.code.trial.wire import (
    NOT_EXECUTING,
    TRACES_AT,
    Body,
    Entry,
    Reply,
    Request,
    plain,
    receive,
    request_of,
    send,
)

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
_DESCRIPTORS = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
_exit = os._exit


def serve(connection_fd: int, report_fd: int, lifeline_fd: int, seconds: int) -> NoReturn:
    """Executes what it is asked to, until the other end closes.

    Args:
        connection_fd: a socket to the process that asks.
        report_fd: a file for what is known when the process dies: who is executed, and traces.
        lifeline_fd: a pipe that is closed when the other process has ended.
        seconds: what no request may take; then the system ends the process, whatever it is doing.
    """
    begin_trying()
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))  # to die at once
    for inherited in (connection_fd, report_fd, lifeline_fd):
        os.set_inheritable(inherited, False)
    _end_with(lifeline_fd)
    connection = socket.socket(fileno=connection_fd)
    report = Report(report_fd)
    mirror = Mirror(report)
    pid = os.getpid()
    gc.collect()
    gc.freeze()
    base = _memory()
    with contextlib.suppress(EOFError, OSError):
        send(connection, plain(Reply((), (), 0)))
        while True:
            request = request_of(receive(connection))
            report.begin(seconds)
            reply = mirror.execute(request, base)
            if os.getpid() != pid:  # a file forked, and this is the other one
                break
            report.end()
            send(connection, plain(reply))
            gc.collect()
    _exit(0)


def _end_with(lifeline_fd: int) -> None:
    """Has the system kill this process when the pipe is closed, whatever it is doing; only Linux can."""
    if sys.platform == "linux":
        fcntl.fcntl(lifeline_fd, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline_fd, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline_fd, fcntl.F_SETFL, fcntl.fcntl(lifeline_fd, fcntl.F_GETFL) | os.O_ASYNC)


class Report:
    """What the other end reads when this process has died or hangs."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.end()
        faulthandler.enable(descriptor, all_threads=False)
        os._exit = self._told_exit

    def begin(self, seconds: int) -> None:
        """A request begins: asked for a trace by SIGUSR1, this process writes one; a while later the system ends it."""
        os.ftruncate(self._descriptor, TRACES_AT)
        os.lseek(self._descriptor, TRACES_AT, os.SEEK_SET)
        faulthandler.register(signal.SIGUSR1, self._descriptor, all_threads=False)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(seconds)

    def end(self) -> None:
        """The request is done."""
        self.executing(NOT_EXECUTING)
        signal.alarm(0)

    def executing(self, index: int) -> None:
        """Notes which file is executed."""
        os.pwrite(self._descriptor, index.to_bytes(4, "little"), 0)

    def _told_exit(self, status: int) -> NoReturn:
        faulthandler.dump_traceback(self._descriptor, all_threads=False)
        _exit(status)


class Mirror:
    """The files that the frame process runs, executed here too."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._holdings = Holdings()
        self._held: dict[str, Instance] = {}

    def execute(self, request: Request, base: int) -> Reply:
        """Executes the files of a request that are not there yet, and forgets those that are not in it.

        Whatever they raise is left to the frame process to find out. `base` is the memory that the process began with.
        """
        instances = {entry.name: self._instance(entry) for entry in request.entries}
        fresh = {name: found for name, found in instances.items() if found.stage is Stage.NEW}
        for entry in request.entries:
            if entry.name in fresh:
                instances[entry.name].closure = {name: instances[name] for name in entry.closure}
        declarations = Declarations(lambda declaration: _value(request.values, declaration))
        order = {entry.name: index for index, entry in enumerate(request.entries)}
        load = _Trial(fresh.values(), declarations, self._report, order, self._holdings)
        with load.running():
            for entry in request.entries:
                if entry.name in fresh and entry.is_wanted:
                    with contextlib.suppress(BaseException):
                        load.execute(fresh[entry.name])
        for instance in fresh.values():
            if instance.stage is Stage.DONE:
                instance.params = bound_params(instance.module)
                make_plain(instance.module, instance.params)
            elif instance.stage is Stage.NEW:
                instance.stage = Stage.FAILED
        for name, instance in self._held.items():
            if instances.get(name) is not instance:
                instance.delist()
        self._held = {
            entry.name: instances[entry.name]
            for entry in request.entries
            if instances[entry.name].stage is Stage.DONE or not entry.is_new
        }
        return Reply(tuple(self._held), tuple(load.holders.items()), max(0, _memory() - base))

    def _instance(self, entry: Entry) -> Instance:
        held = self._held.get(entry.name)
        if entry.body is None and held is not None and held.key == entry.key:
            return held
        instance = Instance(entry.name, entry.key, _unit(entry.name, entry.body or Body("", "", b"", ())))
        if entry.body is None:
            instance.stage = Stage.FAILED
        return instance


class Holdings:
    """What this process holds on to that another could want, or would notice: sockets, files it writes, threads."""

    def __init__(self) -> None:
        self._descriptors: set[str] = set()
        self._threads: set[threading.Thread] = set()
        self.added()

    def added(self) -> str:
        """Returns what has come since the last call, in words; empty if nothing."""
        listed, threads = set(os.listdir(_DESCRIPTORS)), set(threading.enumerate())  # noqa: PTH208 - names are enough
        new = {name: kind for name in listed - self._descriptors if (kind := _kind(int(name))) is not None}
        kinds = {kind for kind in new.values() if kind}
        if threads - self._threads:
            kinds.add("a thread")
        self._descriptors = (self._descriptors & listed) | new.keys()
        self._threads = threads
        return ", ".join(sorted(kinds))


class _Trial(Load):
    """A load that leaves word of what it is executing."""

    def __init__(
        self,
        instances: Iterable[Instance],
        declarations: Declarations,
        report: Report,
        order: Mapping[str, int],
        holdings: Holdings,
    ) -> None:
        super().__init__(instances, declarations)
        self._report = report
        self._order = order
        self._now = NOT_EXECUTING
        self._holdings = holdings
        self.holders: dict[str, str] = {}

    def _run(self, instance: Instance) -> None:
        outer, self._now = self._now, self._order[instance.name]
        self._report.executing(self._now)
        try:
            super()._run(instance)
        finally:
            added = self._holdings.added()
            if added:
                self.holders[instance.name] = added
            self._now = outer
            self._report.executing(outer)


def _unit(name: str, body: Body) -> Unit:
    source = Source(Path(body.path), name, b"", "")
    return Unit(source, body.code, body.text, imports=(), params=body.params, classes={}, exports=(), warnings=())


def _value(values: Mapping[str, Mapping[str, object]], declaration: Declaration) -> tuple[Value, bool]:
    try:
        return declaration.accept(values[declaration.module][declaration.name]), True
    except (KeyError, ParamError):
        return declaration.default, False


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT


def _kind(descriptor: int) -> str | None:
    """Returns what a descriptor stands for, empty if for nothing that others could miss, None if it was that of the list."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    if stat.S_ISSOCK(status.st_mode):
        return "a socket"
    if stat.S_ISCHR(status.st_mode):
        return "a terminal" if os.isatty(descriptor) else ""
    return "a file" if stat.S_ISREG(status.st_mode) and _is_writable(descriptor) else ""


def _is_writable(descriptor: int) -> bool:
    return fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
