from __future__ import annotations

import ast
import io
import marshal
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.hmr.code.compile import translate as room
from instar.hmr.code.compile.translate import translate


def facts(text: str | bytes) -> dict[str, object]:
    return translate("flock.py", text.encode() if isinstance(text, str) else text, 0)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfname = 'caf\xc3\xa9'\n",
        b"# -*- coding: latin-1 -*-\nname = 'caf\xe9'\n",
        b"# coding: utf-8\r\nname = 'caf\xc3\xa9'\r\n",
        b"name = 'caf\xc3\xa9'\r",
        b"name = 'caf\xc3\xa9'",
    ],
)
def test_encodings_boms_and_line_ends(data: bytes) -> None:
    found = facts(data)
    namespace: dict[str, object] = {}
    exec(marshal.loads(found["code"]), namespace)  # type: ignore[arg-type]
    assert namespace["name"] == "café"
    assert "\r" not in str(found["text"])
    assert "\ufeff" not in str(found["text"])


def test_code_has_the_files_name_and_no_inherited_future() -> None:
    code = marshal.loads(facts("x = 1\n")["code"])  # type: ignore[arg-type]
    assert code.co_filename == "flock.py"
    assert not code.co_flags & 0x1000000


def test_imports_are_found_wherever_they_run() -> None:
    text = """
import a, b.c as d
from . import e
from ..f import g as h, i
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import never
else:
    import always
if __name__ == "__main__":
    import never_too
def update():
    from k import z
from m import *
"""
    assert facts(text)["imports"] == [
        (0, "a", ()),
        (0, "b.c", ()),
        (1, "", ("e",)),
        (2, "f", ("g", "i")),
        (0, "typing", ("TYPE_CHECKING",)),
        (0, "always", ()),
        (0, "k", ("z",)),
        (0, "m", ("*",)),
    ]


def test_params_are_found_at_the_top_level_only() -> None:
    text = """
import instar
from instar import Param, Param as P
a = Param(1)
b: float = Param(
    2,
)
c = instar.Param(3); d = P(4)
if True:
    e = Param(5)
def f():
    g = Param(6)
h = other(7)
i = j = Param(8)
"""
    assert facts(text)["params"] == [(4, "a"), (5, "b"), (8, "c"), (8, "d"), (10, "e"), (14, "i")]


LINES = (
    "import a, b.c",
    "from . import d as e",
    "from ..f import g, h",
    "from instar import Param",
    "from instar import Param, Agents",
    "import instar",
    "x = Param(1)",
    "x: float = Param(\n    1,\n)",
    "x = y = Param(1.5, min=0)",
    "x = Param(*range(1))",
    "x = (Param(1), 2)",
    "x = instar.Param(3); y = Param(4)",
    "x = Param(1)(2)",
    "x = Param(Param(1))",
    "x = Param(1).real",
    "x = instar.f().Param(1)",
    "x = 'ü', Param(1)",
    "ü = Param(1)  # Param",
    "x[0] = Param(1)",
    "x = Param",
    "@Param(1)\ndef f(): pass",
    "@one\n@two\nclass C(x):\n    class D:\n        from k import l",
    "class E: pass",
    "def g():\n    x = Param(1)\n    class F:\n        import m",
    "if x:\n    class G: pass\n    from n import *",
    "try:\n    import o\nfinally:\n    x = Param(9)",
    "q = [Param(n) for n in x]",
    "__all__ = ['x']",
    "if TYPE_CHECKING:\n    import never",
    "x = " + "+".join(f"n{number}" for number in range(300)),
)


@given(st.lists(st.sampled_from(LINES), max_size=8))
def test_bytecode_tells_what_the_tree_tells(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    same_as_the_tree(text)


@pytest.mark.parametrize("path", [ast.__file__, io.__file__, subprocess.__file__, pytest.__file__, room.__file__])
def test_bytecode_tells_what_the_tree_tells_of_real_files(path: str) -> None:
    text = Path(path).read_text()
    same_as_the_tree(text.replace("TYPE_CHECKING", "x").replace("__name__", "x").replace("__all__", "x"))


def same_as_the_tree(text: str) -> None:
    found = room._facts_of_code(compile(text, "flock.py", "exec", dont_inherit=True), text)
    tree = room._facts_of_tree(text, "flock.py", 0)
    if found is None:
        return
    assert sorted(found.pop("imports")) == sorted(tree.pop("imports"))
    assert found == tree


def test_usual_files_need_no_tree() -> None:
    text = "from instar import Agents, Param\n\nclass Boids(Agents): pass\n\nspeed = Param(1.0)\nimport numpy as np\n"
    found = room._facts_of_code(compile(text, "flock.py", "exec"), text)
    assert found is not None
    assert found["params"] == [(5, "speed")]


def test_classes_and_exports() -> None:
    found = facts("__all__ = ['a', 'b', 3]\n\nclass A:\n    class B: pass\n")
    assert found["classes"] == [("A", 3)]
    assert found["exports"] == ("a", "b")


def test_compiler_warnings_are_kept() -> None:
    [(category, message, line)] = facts("\nx = 1 is 1\n")["warnings"]  # type: ignore[misc]
    assert (category, line) == ("SyntaxWarning", 2)
    assert "literal" in message


@pytest.mark.parametrize(
    ("data", "line", "shown"),
    [
        (b"x = 1\nif x\n    y\n", 2, "if x"),
        (b"x = 1\nreturn\n", 2, "return"),
        (b"x = (\n", 1, "x = ("),
        (b"if 1:\n  a\n b\n", 3, " b"),
        (b"ok = 1\nbad = '\xff'\n", 2, "bad = '\\xff'"),
    ],
)
def test_errors_have_their_line(data: bytes, line: int, shown: str) -> None:
    message, found_line, text, column, _ = facts(data)["error"]  # type: ignore[misc]
    assert (found_line, text) == (line, shown)
    assert message
    assert column is None or column >= 0


@pytest.mark.parametrize("data", [b"x = '\0'\n", b"# coding: nonsense\n", b"(" * 5000, b"-" * 200_000 + b"1"])
def test_odd_files_are_errors_and_nothing_else(data: bytes) -> None:
    assert facts(data)["error"]


@given(st.binary(max_size=60))
def test_any_bytes_give_facts_that_can_be_marshalled(data: bytes) -> None:
    found = facts(data)
    assert ("error" in found) != ("code" in found)
    marshal.dumps(found)
