"""Contents that editors and people write, through the real watcher, compile process, trial and load."""

from __future__ import annotations

import inspect
import linecache
import os
import traceback
from pathlib import Path
from typing import Any

import pytest

from instar.hmr.code import Program

from .conftest import Live, Scene


def module(program: Program) -> Any:
    return program.modules["flock"].module


def replace(path: Path, data: bytes) -> None:
    new = path.with_suffix(".new")
    new.write_bytes(data)
    new.replace(path)


GOOD = [
    pytest.param(b"\xef\xbb\xbfvalue = 'h\xc3\xa9'\n", "hé", id="BOM"),
    pytest.param(b"\xef\xbb\xbf# -*- coding: utf-8 -*-\nvalue = '\xc3\xa9'\n", "é", id="BOM and cookie"),
    pytest.param(b"a = 1\r\nvalue = '''x\r\ny'''\r\n", "x\ny", id="CRLF"),
    pytest.param(b"a = 1\rvalue = 2\r", 2, id="lone CR"),
    pytest.param(b"a = 1\r\nb = 2\nc = 3\rvalue = 4", 4, id="mixed line ends"),
    pytest.param(b"# coding: latin-1\nvalue = '\xe9'\n", "é", id="latin-1"),
    pytest.param(b"#!/usr/bin/env python\n# vim: set fileencoding=cp1252 :\nvalue = '\x80'\n", "€", id="cp1252"),
    pytest.param("# coding: shift_jis\nvalue = 'ソ'\n".encode("shift_jis"), "ソ", id="backslash inside a letter"),
    pytest.param(b"a = 1\n\x0c\nvalue = 2\n", 2, id="form feed"),
    pytest.param("a = '\u2028\x85\x1c'\nvalue = 2\n".encode(), 2, id="what str.splitlines splits at"),
    pytest.param(b"value = 3  # no newline", 3, id="no newline at the end"),
    pytest.param(b"value = 1\\\n+ 2\n", 3, id="continued"),
    pytest.param("välue = value = 5\n".encode(), 5, id="names beyond ASCII"),
    pytest.param("value = '🦋'\n".encode(), "🦋", id="beyond the BMP"),
    pytest.param(b"\t\n  \n#\nvalue = 6\n\n\n", 6, id="blank lines"),
]

BAD = [
    pytest.param(b"value = 1\nx = '\x00'\n", "null", None, id="NUL"),
    pytest.param(b"value = '\xe9'\n", "is not utf-8 text: byte 0xe9 on line 1", 1, id="no UTF-8"),
    pytest.param(b"a = 1\r\nvalue = '\xe9'\r\n", "byte 0xe9 on line 2", 2, id="no UTF-8 in line 2"),
    pytest.param(b"# coding: klingon\nvalue = 1\n", "klingon", None, id="unknown coding"),
    pytest.param(b"\xef\xbb\xbf# coding: latin-1\nvalue = 1\n", "", None, id="BOM and another coding"),
    pytest.param("value = 1\n".encode("utf-16"), "", None, id="UTF-16"),
    pytest.param(b"a = 1\n\x0c\nvalue = 1 / 0\n", "ZeroDivisionError", 3, id="error behind a form feed"),
    pytest.param("a = '\u2028'\nvalue = 1 / 0\n".encode(), "ZeroDivisionError", 2, id="error behind U+2028"),
    pytest.param(b"a = 1\rvalue = 1 / 0\r", "ZeroDivisionError", 2, id="error behind a lone CR"),
]


@pytest.mark.parametrize(("data", "value"), GOOD)
def test_valid_python_is_loaded(scene: Scene, data: bytes, value: object) -> None:
    path = scene.write("flock.py", "value = 0\n")
    live = Live(scene.codebase())
    with live.pipeline:
        replace(path, data)
        live.swap(live.edit("flock.py"))
        assert module(live.program).value == value


@pytest.mark.parametrize(("data", "problem", "line"), BAD)
def test_what_is_none_is_rejected_with_its_place(scene: Scene, data: bytes, problem: str, line: int | None) -> None:
    path = scene.write("flock.py", "value = 0\n")
    live = Live(scene.codebase())
    with live.pipeline:
        replace(path, data)
        rejection = live.rejection()
        assert problem in str(rejection.error)
        assert str(path) in str(rejection.error)
        assert getattr(rejection.error, "line", None) == line or line is None
        replace(path, b"value = 7\n")
        live.swap(live.edit("flock.py"))
        assert module(live.program).value == 7


def test_lines_are_counted_as_the_compiler_counts_them(scene: Scene) -> None:
    text = "a = '\u2028\x85\x1c'\n\x0c\ndef f():\n    return 1 / 0  # here\n"
    scene.write("flock.py", text)
    found = module(scene.load())
    with pytest.raises(ZeroDivisionError) as caught:
        found.f()
    assert "# here" in "".join(traceback.format_exception(caught.value))
    assert inspect.getsource(found.f) == "def f():\n    return 1 / 0  # here\n"
    assert linecache.getline(found.__file__, 4) == "    return 1 / 0  # here\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_read_goes_on_and_counts_when_it_can(scene: Scene) -> None:
    path = scene.write("flock.py", "value = 1\n")
    hunt = scene.write("hunt.py", "value = 1\n")
    live = Live(scene.codebase("flock", "hunt"))
    with live.pipeline:
        path.chmod(0)
        hunt.write_text("value = 2\n")
        live.swap(live.edit("hunt.py"))
        assert module(live.program).value == 1
        path.chmod(0o644)
        path.write_text("value = 3\n")
        live.swap(live.edit("flock.py"))
        assert module(live.program).value == 3


def test_empty_files_and_folders_are_packages_or_nothing(scene: Scene) -> None:
    flock = scene.write("flock.py", "value = 1\n")
    (scene.root / "empty").mkdir()
    live = Live(scene.codebase())
    with live.pipeline:
        flock.write_text("import empty\nvalue = 2\n")
        assert "No module named 'empty'" in str(live.rejection().error)
        scene.write("empty/inside.py", "value = 3\n")
        live.swap(live.edit())
        assert module(live.program).value == 2
        flock.write_text("import empty.inside\nvalue = empty.inside.value\n")
        live.swap(live.edit())
        assert module(live.program).value == 3
        replace(flock, b"#\n")
        live.swap(live.edit("flock.py"))
        assert not hasattr(module(live.program), "value")
