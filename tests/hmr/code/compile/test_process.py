from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from instar.hmr.code.compile.compiler import compile_source
from instar.hmr.code.compile.process import CompileHelper
from instar.hmr.code.compile.source import Source
from instar.hmr.code.errors import CompileError


@pytest.fixture
def helper() -> Iterator[CompileHelper]:
    helper = CompileHelper()
    yield helper
    helper.close()


def source(text: str) -> Source:
    return Source.of(Path("/scene/flock.py"), "flock", text.encode())


def test_process_compiles_as_this_one_does(helper: CompileHelper) -> None:
    text = "import steering\nfrom instar import Param\nx = Param(1)\n" * 2000
    assert helper.compile(source(text)) == compile_source(source(text))


def test_errors_come_back(helper: CompileHelper) -> None:
    with pytest.raises(CompileError) as caught:
        helper.compile(source("x = (\n"))
    assert caught.value.line == 1


def test_process_that_died_is_started_again(helper: CompileHelper) -> None:
    helper.warm()
    first = helper.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    helper.compile(source("x = 1\n"))
    assert helper.pid != first


def test_process_that_stops_answering_is_given_up() -> None:
    helper = CompileHelper(limit=0.05)
    limit, helper._limit = helper._limit, 10.0
    helper.warm()
    helper._limit = limit
    assert helper.pid is not None
    os.kill(helper.pid, signal.SIGSTOP)
    start, helper._start = helper._start, lambda: stopped(start())  # type: ignore[method-assign]
    with pytest.raises(CompileError, match="took more than"):
        helper.compile(source("x = 1\n"))
    helper.close()


def stopped(process):  # type: ignore[no-untyped-def]
    os.kill(process.pid, signal.SIGSTOP)
    return process


def test_compilation_that_kills_the_process_twice_is_an_error(helper: CompileHelper) -> None:
    start = helper._start

    def dying():  # type: ignore[no-untyped-def]
        process = start()
        process.kill()
        process.wait()
        return process

    helper._start = dying  # type: ignore[method-assign]
    with pytest.raises(CompileError, match="ended the compile process") as caught:
        helper.compile(source("x = 1\n"))
    assert caught.value.path == Path("/scene/flock.py")
    del helper._start
    helper.compile(source("x = 1\n"))


def test_ctrl_c_is_ignored(helper: CompileHelper) -> None:
    helper.warm()
    pid = helper.pid
    assert pid is not None
    os.kill(pid, signal.SIGINT)
    helper.compile(source("x = 1\n"))
    assert helper.pid == pid


def test_process_ends_when_this_end_closes(helper: CompileHelper) -> None:
    helper.warm()
    process = helper._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(10) == 0


def test_close_leaves_no_process(helper: CompileHelper) -> None:
    helper.warm()
    process = helper._process
    helper.close()
    assert helper.pid is None
    assert process is not None
    assert process.returncode is not None
