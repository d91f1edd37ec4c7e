from __future__ import annotations

import pytest

from instar.hmr.code.trial.acts import Acts, acts_of

HANG = "while True: pass"


def acts(text: str, *params: str) -> Acts | None:
    return acts_of(compile(text, "flock.py", "exec", dont_inherit=True), params)


def do_the_same(one: str, other: str, *params: str) -> bool:
    first, second = acts(one, *params), acts(other, *params)
    return first is not None and first == second


SCENE = """
"Flocking."
from __future__ import annotations
import os
import numpy as np
from instar import Agents, Param, f32, field

SPEED = 3.5
cohesion = Param(0.03, min=0.0, max=0.2)
pipe = int(os.environ.get("PIPE", "-1"))
table = np.linspace(0.0, 1.0, 100)

class Boids(Agents, capacity=1000):
    x: f32
    y: f32 = field(1.0, min=0)

def setup(boids, rng):
    boids.spawn(10)

def update(boids, dt=1 / 60, *, space: float = 1.0):
    boids.x += SPEED * cohesion
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("boids.x += SPEED * cohesion", HANG),
        ("boids.spawn(10)", "import shutil\n    eval('1')"),
        ("SPEED = 3.5", "SPEED = 'fast'"),
        ("SPEED = 3.5", "SPEED = 3.5\nOTHER = (1, 2)"),
        ("SPEED = 3.5\n", ""),
        ('"Flocking."', '"A flock."'),
        ("def setup", "def more(a, b):\n    return globals()\n\ndef setup"),
        ("def setup", "turn = lambda x: x()\n\ndef setup"),
        ("def setup", "\n\n# a line further down\ndef setup"),
        ("def setup", "def other():\n    yield\n" * 400 + "\ndef setup"),
        ("SPEED = 3.5", "SPEED = 3.5\n" + "\n".join(f"N{n} = {n}.5" for n in range(400))),
    ],
)
def test_plain_values_and_functions_do_nothing(old: str, new: str) -> None:
    assert old in SCENE
    assert do_the_same(SCENE, SCENE.replace(old, new), "cohesion")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("100)", "10**9)"),
        ('"PIPE"', '"PATH"'),
        ("0.03", "0.04"),
        ("x: f32", "x: f32 = field(2.0)"),
        ("capacity=1000", "capacity=2000"),
        ("dt=1 / 60", "dt=1 / 30"),
        ("space: float = 1.0", "space: float = 2.0"),
        ("import os\n", "import os, colorsys\n"),
        ("SPEED = 3.5", "SPEED = [3.5]"),
        ("np.linspace(0.0", "np.linspace(SPEED"),
    ],
)
def test_what_is_done_is_what_counts(old: str, new: str) -> None:
    assert old in SCENE
    assert acts(SCENE.replace(old, new), "cohesion") is not None
    assert not do_the_same(SCENE, SCENE.replace(old, new), "cohesion")


def test_names_from_another_file_may_be_taken() -> None:
    text = "from helper import g\nfrom . import other\ndef f():\n    return g({})\n"
    assert do_the_same(text.format(1), text.format(2))
    assert not do_the_same(text, text.replace("g\n", "g, h\n", 1))


def test_plain_values_that_are_used_count() -> None:
    text = "import numpy as np\nROWS = {}\ntable = np.zeros(ROWS)\n"
    assert do_the_same(text.format(3), text.format(3))
    assert not do_the_same(text.format(3), text.format(10**12))


FOOLING = {
    "call": "x = f()",
    "decorator": "@f\ndef g(): pass",
    "decorator factory": "@f()\ndef g(): pass",
    "method as decorator": "class A:\n    @f\n    def g(self): pass",
    "default": "def g(x=f()): pass",
    "keyword default": "def g(*, x=f()): pass",
    "annotation": "def g(x: f()): pass",
    "annotated name": "x: f() = 1",
    "base": "class A(f()): pass",
    "metaclass": "class A(metaclass=f): pass",
    "class keyword": "class A(object, x=f()): pass",
    "init_subclass": "class A:\n    __init_subclass__ = f\nclass B(A): pass",
    "init_subclass that calls": "class A:\n    def __init_subclass__(cls): f()\nclass B(A): pass",
    "set_name": "class D:\n    __set_name__ = f\nclass A:\n    d = D()",
    "class_getitem": "class A:\n    __class_getitem__ = f\nx = A[1]",
    "add": "class A:\n    __add__ = f\nx = A() + 1",
    "add that calls": "class A:\n    def __add__(self, other): return f()\nx = A() + 1",
    "format": "class A:\n    __format__ = f\nx = f'{A()}'",
    "hash": "class A:\n    __hash__ = f\nx = {A(): 1}",
    "property": "class A:\n    x = property(f)\ny = A().x",
    "iteration": "class A:\n    __iter__ = f\nx, y = A()",
    "star arguments": "class A:\n    __iter__ = f\nprint(*A())",
    "with": "class A:\n    __enter__ = f\n    __exit__ = None\nwith A(): pass",
    "match": "class A:\n    __match_args__ = ('x',)\n    x = property(f)\nmatch A():\n    case A(1): pass",
    "walrus": "if (x := f()): pass",
    "comprehension": "x = [f() for _ in range(1)]",
    "generator": "x = list(f() for _ in range(1))",
    "lambda": "x = (lambda: f())()",
    "lambda in a table": "x = {'a': lambda: f()}['a']()",
    "alias": "g = f\nx = g()",
    "container": "x = [f][0]()",
    "map": "x = list(map(f, [1]))",
    "sort key": "x = sorted([1, 2], key=f)",
    "conditional": "x = 1 if f() else 2",
    "assert": "assert f()",
    "delete": "class A:\n    __del__ = f\na = A()\ndel a",
    "except": "try:\n    1 / 0\nexcept f(): pass",
    "global of a class": "class A:\n    f = f\n    x = f()",
    "globals": "x = globals()['f']()",
    "globals under another name": "globals = globals\nx = globals()['f']()",
    "globals in a class": "class A:\n    globals = globals()",
    "vars": "x = vars()['f']()",
    "eval": "x = eval('f()')",
    "exec": "exec('f()')",
    "builtins": "x = __builtins__['eval']('f()')",
    "own builtins": "__builtins__ = {'int': 1}\nint()",
    "import function": "x = __import__('sys')",
    "sys.modules": "import sys\nx = sys.modules[__name__].f()",
    "modules from sys": "from sys import modules\nx = modules[__name__].f()",
    "sys by way of another": "import os\nx = os.sys.modules[__name__].f()",
    "sys taken from another": "from os import sys\nx = sys.modules[__name__].f()",
    "builtins by way of enum": "import enum\nx = enum.bltns.eval('f()')",
    "frame": "import sys\nx = sys._getframe().f_globals['f']()",
    "generator frame": "x = (i for i in [1]).gi_frame.f_globals['f']()",
    "function globals": "g = (lambda: 0).__globals__['f']()",
    "traceback": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    e.__traceback__.tb_frame.f_globals['f']()",
    "getattr": "import os\nx = getattr(os, 'sys').modules[__name__].f()",
    "importlib": "import importlib\nx = importlib.import_module(__name__).f()",
    "numpy's measure": "import numpy as np\nx = np.testing.measure('f()')",
    "numpy's measure as a module": "import numpy.testing as t\nx = t.measure('f()')",
    "numpy's measure, taken": "from numpy.testing import measure\nx = measure('f()')",
    "a trusted name of a module inside": "from numpy.testing import array\nx = array('f()')",
    "numpy's matrices": "import numpy as np\nx = np.bmat('f')",
    "type hints": "import typing\nclass A:\n    x: 'f()'\nx = typing.get_type_hints(A)",
    "module attribute": "def __getattr__(name): return f()",
    "its own file": "x = open(__file__).read()",
    "module bound otherwise": "import os as m\nfrom helper import m\nx = m.getenv('x')",
    "module as a value": "import os\nm = os\nx = m.sys",
    "helper": "from helper import g\nx = g(1)",
    "helper module": "import helper\nx = helper.g(1)",
    "helper's star": "from helper import *\nx = int(1)",
    "relative": "from .math import sin\nx = sin(1)",
    "other package": "import requests\nx = requests.get('http://localhost')",
    "global statement": "global int\nint = f\nx = int(1)",
    "import in a class": "class A:\n    from helper import g",
}


@pytest.mark.parametrize("top", FOOLING.values(), ids=FOOLING)
def test_what_can_reach_a_function_is_not_taken_for_the_same(top: str) -> None:
    before, after = (f"def f(*_, **__):\n    {body}\n{top}\n" for body in ("return 1", HANG))
    assert not do_the_same(before, after)


@pytest.mark.parametrize("top", ["for _ in range(int(SPEED)): pass", "half = SPEED / 2", "def g(x=SPEED): pass"])
def test_what_uses_a_param_is_unclear(top: str) -> None:
    assert acts(f"from instar import Param\nSPEED = Param(1.0)\n{top}\n", "SPEED") is None


def test_jumps_lead_where_they_led() -> None:
    """Left out code does not hide that a condition guards something else."""
    head = "import os\nvalue = [1]\nif os.getenv('x'):\n    "
    one = head + "A = 1\nB = value\n"
    other = head + "B = value\nA = 1\n"
    assert acts(one) is not None
    assert not do_the_same(one, other)


def test_methods_count_with_what_they_name() -> None:
    text = "SIZE = {}\nclass A:\n    def size(self): return SIZE\n"
    assert do_the_same(text.format(1), text.format(1))
    assert not do_the_same(text.format(1), text.format(2))
    assert not do_the_same(text.format(1), text.format(1).replace("return", "return 1 +"))
    assert acts("def f(): pass\nclass A:\n    def g(self): return f()\n") is None


def test_it_tells_whether_imports_may_change_the_way() -> None:
    straight, other = (
        acts("from helper import g\n"),
        acts("try:\n    from helper import g\nexcept ImportError: g = 1\n"),
    )
    assert straight is not None
    assert straight.is_straight
    assert other is not None
    assert not other.is_straight


def test_it_tells_which_modules_it_trusts() -> None:
    found = acts("import math, colorsys\nfrom os import getenv\nx = math.sin(1) if getenv('x') else 1\n")
    assert found is not None
    assert found.modules == {"math", "os"}
