from __future__ import annotations

import ast
import colorsys
import dataclasses
import enum
import marshal
import sys
import textwrap
from collections.abc import Collection, Iterator
from pathlib import Path
from types import CodeType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.hmr.code.compile.pieces.incremental import Incremental
from instar.hmr.code.compile.pieces.piece import Around, Piece, made, piece_of
from instar.hmr.code.compile.translate import PIECES_KNOWN, Facts, translate

PATH = Path("/scene/flöck.py")
needs_pieces = pytest.mark.skipif(not PIECES_KNOWN, reason="this Python compiles whole modules")


class Known:
    """A file whose pieces were learned, and what was compiled as a whole since."""

    def __init__(self, text: str = "") -> None:
        self.wholes: list[bytes] = []
        self.made: list[tuple[str, int]] = []
        self.incremental = Incremental(self)
        self.incremental.learn(PATH, text.encode(), self)

    def translate(self, path: Path, data: bytes) -> Facts:
        self.wholes.append(data)
        return translate(str(path), data, 0)

    def make(self, path: Path, new: Collection[tuple[str, int]], around: Around) -> list[Piece]:
        self.made += new
        return [piece_of(marshal.loads(one)) for one in made(new, tuple(around), 0)]

    def check(self, text: str) -> bool:
        """Compares what comes of a text with what the compiler makes of it; whether that took no whole compilation."""
        before = len(self.wholes)
        found, told = self.incremental.translate(PATH, text.encode()), translate(str(PATH), text.encode(), 0)
        if "error" in told:
            assert found == told
            return False
        assert differences(marshal.loads(found["code"]), marshal.loads(told["code"])) == []
        run, runs = (sorted(one for one in facts.pop("imports") if one[1] != "never") for facts in (found, told))
        assert run == runs
        assert {**found, "code": b""} == {**told, "code": b""}
        return len(self.wholes) == before


_ASKED_FOR = ("co_consts", "co_lines", "co_positions", "co_lnotab")
"""What is compared by itself; the last one is deprecated, and made of the third."""


def differences(one: object, other: object, where: str = "module") -> list[str]:
    """Lists where two constants differ, whatever of them can be seen."""
    if not isinstance(one, CodeType) or not isinstance(other, CodeType):
        return [] if shown(one) == shown(other) else [f"{where}: {one!r} is not {other!r}"]
    names = [name for name in dir(one) if name.startswith("co_") and name not in _ASKED_FOR]
    found = [
        f"{where}.{name}: {getattr(one, name)!r} is not {getattr(other, name)!r}"
        for name in names
        if getattr(one, name) != getattr(other, name)
    ]
    if list(one.co_positions()) != list(other.co_positions()) or list(one.co_lines()) != list(other.co_lines()):
        found.append(f"{where}: positions")
    if len(one.co_consts) != len(other.co_consts):
        return [*found, f"{where}: {one.co_consts} is not {other.co_consts}"]
    for index, pair in enumerate(zip(one.co_consts, other.co_consts, strict=True)):
        found += differences(*pair, f"{where}[{index}]")
    return found


def shown(value: object) -> object:
    """Returns what tells 0 from False and from -0.0, and parts of tuples likewise; sets have no order."""
    if isinstance(value, tuple | frozenset):
        parts = [repr(shown(part)) for part in value]
        return (type(value), parts if isinstance(value, tuple) else sorted(parts))
    return type(value), repr(value)


STATEMENTS = (
    '"""Flocking.\n\nThe quick\n@brown\n"""',
    "# a comment",
    "\f",
    "",
    "from __future__ import annotations",
    "import os",
    "import os.path as path, time",
    "from instar import Agents, Param as Param, f32",
    "from math import (\n    sin,\n    cos as c,\n)",
    "if 0:\n    import never",
    "import hidden",
    "speed = Param(1.0, min=0)",
    "other: float = Param(\n  2,\n)",
    "x = 1; y = -0.0; z = 0.0; w = False; v = 0j",
    "x: int",
    "x = (1, 2, (3, None)); y = {1, 2} if x else None",
    "x = y in {1, 2.0, 'a'}",
    "x = 'a%s%d' % (y, 2)",
    "x = 1 + \\\n    2",
    "x = [\n1,\n]\n",
    "x = '''\ndef f():\n    pass\n'''",
    "x = f'{y!r:>{z}}' 'ü' b''[0:0].decode() if y else f'''{\nx}'''"
    if sys.version_info >= (3, 12)
    else "x = f'{y!r:>{z}}'",
    "b'bytes'",
    "...",
    "'a string'",
    "x = 10 ** 40; y = 'ü€'; w = b'\\0'",
    "def f(): pass",
    "def f(a, b=1, *, c: int = 2, d=(3, x)) -> None:\n    '''Doc.\n\nx = 1\n'''\n    return a + b\n",
    "def f(os):\n    os.getcwd(); time.sleep(1); hidden.x(); never.x(); x.y()\n\n    # inside\n# at the left\n    return 1",
    "def f():\n    global speed, x\n    x = 1\n    speed.x()\n    def g():\n        nonlocal_ = 1\n        def h():\n            nonlocal nonlocal_\n            nonlocal_ = lambda: x\n        return h\n    return g",
    "x = speed.f(1)",
    "def f():\n    global __doc__, __annotations__\n    __doc__ = 1",
    "class __C:\n    __x.f()",
    "import __x",
    "async def f():\n    async with a as b, c:\n        await b\n    return [x async for x in y]",
    "def f():\n\ttry:\n\t\tyield 1\n\texcept ValueError as e:\n\t\traise X from e\n\tfinally:\n\t\treturn",
    "@one\n@two(\n1)\n# between\n\ndef f():\n    return 1",
    "class Boids(Agents, capacity=100):\n    'Doc.'\n    x: f32\n    __y = 1\n\n    def m(self):\n        return self.__y, super().m, __class__\n\n    class In:\n        global q\n        q = 1",
    "@one\nclass C: pass",
    "x = lambda a=1: (a, lambda: a)",
    "x = [n for n in y if n]; z = {k: v for k, v in x}",
    "assert x, 'message'",
    "if x:\n    y = 1\nelif z:\n    import w\nelse:\n    def g(): pass",
    "for x in y:\n    if x: continue\n    z()\nelse:\n    w = 1",
    "while x:\n    y()\n    break",
    "x = a and b or c if d else e",
    "x = " + " + ".join(f"n{n}" for n in range(40)) + "\ny = " + ", ".join(f"{n}.5" for n in range(300)) + ", q",
    "x = m(" + ", ".join(f"a{n}={n}.25" for n in range(60)) + ")",
    "del x",
    "x[0] = y.z = 3",
    "x += 1",
    "print(f(1, *a, k=2, **b))",
    "if __name__ == '__main__':\n    f()",
    "__all__ = ['f', 'x']",
    "__all__ = []",
    "if TYPE_CHECKING:\n    import other",
)
ODD = (
    "with a:\n    pass",
    "try:\n    import n\nexcept ImportError:\n    n = None",
    "raise X",
    "while True: pass",
    "global x",
    "x is 1",
    "'\\d'",
    "x = (",
    "else:\n    pass",
    "    x",
    "def f(:\n    pass",
    "return",
    "x = ʘ",
    "P = Param; from instar import Param as P",
    "x = 1e999 - 1e999",
    "x = \\",
    "\\",
    "\\\n\f\n  # c\ny: int = 1",
    f"x = {'-' * 1400}1",
    f"x = a{'.b' * 700}",
    f"x = {'lambda: ' * 170}1",
    f"x = {'(' * 190}1{')' * 190}",
    "'''",
    "@one",
    "nonlocal x",
    "match x:\n    case [1, y]: pass\n    case _: z",
    "type = match = case = 1",
)


@st.composite
def edits(draw: st.DrawFn) -> Iterator[str]:
    """Draws texts that follow one another."""
    usual = st.sampled_from(STATEMENTS)
    lines = draw(st.lists(usual, max_size=14))
    texts = []
    for _ in range(draw(st.integers(1, 5))):
        texts.append("\n".join(lines) + draw(st.sampled_from(("\n", "", "\n\n  \n", "\n# end"))))
        lines = list(lines)
        for _ in range(draw(st.integers(1, 3))):
            place = draw(st.integers(0, len(lines)))
            kind = draw(st.sampled_from(("insert", "remove", "odd", "blank", "number", "swap")))
            if kind in ("insert", "odd", "blank"):
                lines.insert(place, draw({"insert": usual, "odd": st.sampled_from(ODD), "blank": st.just("")}[kind]))
            elif place < len(lines):
                if kind == "remove":
                    del lines[place]
                elif kind == "swap":
                    lines[0], lines[place] = lines[place], lines[0]
                else:
                    lines[place] = lines[place].replace("1", "7")
    return texts  # type: ignore[return-value]


@given(edits())
def test_what_is_put_together_is_what_the_compiler_makes(texts: list[str]) -> None:
    known = Known(texts[0])
    for text in texts:
        known.check(text)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_statements_stand_among_others(statement: str) -> None:
    before, after = "import os\nx = 1\n", "def f(): pass\ny = 1, x\nz = 2\nw = 3\n"
    for text in (f"{statement}\n{after}", f"{before}{statement}\n{after}", f"{before}{after}{statement}"):
        known = Known(text)
        known.check(text)
        known.check("\n\n" + text.replace("1", "8"))


@pytest.mark.parametrize(
    "path", [ast.__file__, dataclasses.__file__, enum.__file__, colorsys.__file__, textwrap.__file__]
)
def test_real_files_are_put_together(path: str) -> None:
    text = Path(path).read_text().replace("TYPE_CHECKING", "x").replace("__name__", "x")
    known = Known(text)
    lines = text.split("\n")
    known.check(text)
    for line in range(0, len(lines), len(lines) // 12):
        known.check("\n".join([*lines[:line], lines[line].replace("1", "23") + "  # edited", *lines[line + 1 :]]))
        known.check("\n".join([*lines[:line], "", *lines[line + 2 :]]))


@needs_pieces
def test_an_edit_is_compiled_without_the_rest() -> None:
    text = textwrap.dedent(
        '''
        """Flocking.

        And more."""
        from instar import Agents, Param
        import numpy as np

        speed = Param(1.0)

        class Boids(Agents):
            x: f32

        def update(boids, dt):
            global count
            boids.x += np.sqrt(speed) * dt

        if speed > 1:
            print("fast")

        @every(frames=3)
        def rarely(boids):
            return [boid for boid in boids]
        '''
    ).lstrip()
    text += "".join(f"\n\ndef filler_{n}(boids, dt=1, *, k=(1, {n})):\n    return boids.x + {n}\n" for n in range(300))
    known = Known(text)
    for change in (
        ("1.0", "2.5"),
        ("sqrt(speed) * dt", "sin(speed)\n    boids.x[0] = 3"),
        ("import numpy as np\n", "import numpy as np\nimport rng, math\n"),
        ("And more.", "And\n\nless.\n"),
        ('print("fast")', 'print("fast")\nelse:\n    x = 1.0, 3'),
        ("def filler_7(", "def other(a, b=3):\n    return a is b\n\ndef filler_7("),
        ("global count", "count = 1"),
        ("filler_9(boids, dt=1, *, k=(1, 9)):\n    return", "filler_9(x): return"),
    ):
        assert change[0] in text
        text = text.replace(*change)
        assert known.check(text), change
    assert known.check(text + "LAST = 1")
    assert known.check(text[: text.rindex("\n\ndef ")])
    assert known.check("# -*- coding: utf-8 -*-\n" + text)


@needs_pieces
@pytest.mark.parametrize("odd", ODD)
def test_what_is_odd_is_compiled_as_a_whole_and_what_follows_is_not(odd: str) -> None:
    text = "import os\nx = 1\n\ndef f(a):\n    return a\n\ny = 3, x\nz = 4\nw = 5\n"
    known = Known(text)
    known.check(text.replace("def", odd + "\ndef"))
    known.check(odd + "\n" + text)
    known.check(text + odd)
    assert known.check(text.replace("a", "b"))


@needs_pieces
def test_much_that_is_new_is_compiled_elsewhere() -> None:
    text = "import os\n" + "".join(f"\ndef f{n}():\n" + "    x = 1\n" * 30 for n in range(60))
    known = Known(text)
    long = "\ndef long():\n" + "    os.x = 1\n" * 300
    assert known.check(text + long)
    assert [one for one, _ in known.made][-1] == long[1:]
    assert known.check(text + long + long.replace("long", "longer") + "x = 1\n")
    assert not known.check(text + "".join(f"def g{n}():\n" + "    y = 1\n" * 30 for n in range(99)))
    assert not known.check(text + long.replace("300", "200") + "    x = (\n")
    assert known.check(text.replace("f1()", "g1()"))


def test_a_file_that_is_not_known_is_compiled_as_a_whole_and_told_of() -> None:
    known = Known()
    known.incremental._files.clear()
    told: list[tuple[Path, bytes]] = []
    known.incremental.listen(lambda path, data: told.append((path, data)))
    text = "import os\n\ndef f():\n" + "    x = 1\n" * 300
    assert not known.check(text)
    assert told == [(PATH, text.encode())]
    assert not known.check("x = (\n")
    assert not known.check(text + "x = 1 is 1\n")
    assert len(told) == 1


@needs_pieces
@pytest.mark.parametrize("wrong", ["x = (\n", "while True: pass\n", "def long():\n" + "    x = 1\n" * 300])
def test_what_failed_leaves_no_trace(wrong: str) -> None:
    text = "import os\n\ndef f(np):\n    return np.x(), os.y()\n\nx = 1\n"
    known = Known(text)
    for one in (text, "import np\n" + text + wrong, "import np\n" + text, text + wrong, text):
        known.check(one)
    assert known.check(text + "y = 1\n")


@needs_pieces
def test_a_warning_comes_from_the_whole_text() -> None:
    text = "import os\n\n\nx = 1\n"
    known = Known(text)
    assert not known.check(text + "y = x is 1\n")
    assert not known.check(text + "y = x is 1\n")
    assert known.check(text + "y = x is x\n")


@needs_pieces
def test_what_is_kept_of_earlier_texts_is_bounded() -> None:
    known = Known("import os\nx = 1\n")
    for number in range(600):
        assert known.check(f"import os\nx = {number}\nz = {number}\n")
    assert len(known.incremental._files[PATH]._known) < 300
