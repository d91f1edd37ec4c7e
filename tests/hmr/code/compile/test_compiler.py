from __future__ import annotations

from pathlib import Path

import pytest

from instar.hmr.code.compile.compiler import Import, compile_source
from instar.hmr.code.compile.source import Source
from instar.hmr.code.errors import CompileError


def test_unit_knows_its_source_and_its_lines() -> None:
    source = Source.of(Path("flock.py"), "flock", b"import steering\r\nx = 1\r\n")
    unit = compile_source(source)
    assert unit.source is source
    assert unit.imports == (Import(0, "steering", ()),)
    assert [unit.line(number) for number in (0, 1, 2, 9)] == ["", "import steering", "x = 1", ""]


def test_error_shows_file_line_and_caret() -> None:
    with pytest.raises(CompileError) as caught:
        compile_source(Source.of(Path("flock.py"), "flock", b"x = 1\ny = (x +\n"))
    assert (caught.value.path, caught.value.line) == (Path("flock.py"), 2)
    assert str(caught.value) == "flock.py:2: SyntaxError: '(' was never closed\n     2 | y = (x +\n       |     ^"
