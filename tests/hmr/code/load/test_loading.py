from __future__ import annotations

import dataclasses
import gc
import inspect
import linecache
import pickle
import sys
import traceback
from types import ModuleType
from typing import Any

import pytest

from instar.hmr.code import LoadError, Program, line_of

from ..conftest import Scene, scene_modules


def module(program: Program, name: str = "flock") -> Any:
    return (program.modules.get(name) or program.helpers[name]).module


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("import steering\nvalue = steering.seek()\n", "seek"),
        ("import steering as s\nvalue = s.seek()\n", "seek"),
        ("from steering import seek\nvalue = seek()\n", "seek"),
        ("from .steering import seek as s\nvalue = s()\n", "seek"),
        ("from . import steering\nvalue = steering.seek()\n", "seek"),
        ("from steering import *\nvalue = seek()\n", "seek"),
        ("import rules\nvalue = rules.seek()\n", "seek in rules"),
        ("import rules.flee\nvalue = rules.flee.flee()\n", "flee"),
        ("import rules.flee as f\nvalue = f.flee()\n", "flee"),
        ("from rules import flee\nvalue = flee.flee()\n", "flee"),
        ("from rules.flee import flee\nvalue = flee()\n", "flee"),
        ("from .rules.flee import flee\nvalue = flee()\n", "flee"),
        ("from rules import *\nvalue = flee.flee()\n", "flee"),
        ("import plain.inside\nvalue = plain.inside.name\n", "plain.inside"),
        ("from rules.deep import up\nvalue = up.value\n", "flee"),
        ("def f():\n    import steering\n    return steering.seek()\nvalue = f()\n", "seek"),
        ("value = __import__('steering').seek()\nimport steering\n", "seek"),
    ],
)
def test_forms_of_import(scene: Scene, text: str, value: str) -> None:
    scene.write("steering.py", "def seek(): return 'seek'\n")
    scene.write("rules/__init__.py", "from .seek import seek\n__all__ = ['flee', 'seek']\n")
    scene.write("rules/seek.py", "def seek(): return 'seek in rules'\n")
    scene.write("rules/flee.py", "def flee(): return 'flee'\n")
    scene.write("rules/deep/__init__.py", "")
    scene.write("rules/deep/up.py", "from ..flee import flee\nfrom ...steering import seek\nvalue = flee()\n")
    scene.write("plain/inside.py", "name = __name__.partition('@')[0]\n")
    scene.write("flock.py", text)
    assert module(scene.load()).value == value


def test_cycles_work_as_in_plain_python(scene: Scene) -> None:
    scene.write("a.py", "from b import g\ndef f(): return 'f'\nvalue = g()\n")
    scene.write("b.py", "import a\ndef g(): return 'g'\ndef later():\n    from a import f\n    return f()\n")
    program = scene.load("a", "b")
    assert module(program, "a").value == "g"
    assert module(program, "b").later() == "f"
    assert module(program, "b").a is module(program, "a")


def test_cycle_that_fails_in_plain_python_fails(scene: Scene) -> None:
    scene.write("a.py", "from b import g\ndef f(): return 'f'\n")
    scene.write("b.py", "from a import f\ndef g(): return 'g'\n")
    with pytest.raises(LoadError, match="cannot import name 'f'"):
        scene.load("a")


def test_cycle_inside_a_package(scene: Scene) -> None:
    scene.write("p/__init__.py", "from . import a, b\n")
    scene.write("p/a.py", "from . import b\ndef f(): return b.g()\n")
    scene.write("p/b.py", "from . import a\ndef g(): return 'g'\n")
    scene.write("flock.py", "import p\nvalue = p.a.f()\n")
    assert module(scene.load()).value == "g"


def test_scene_file_shadows_a_package_for_this_scene_only(scene: Scene) -> None:
    scene.write("json.py", "name = 'mine'\n")
    scene.write("flock.py", "import json\nimport decimal\nname = json.name\n")
    before = list(sys.path), list(sys.meta_path)
    assert module(scene.load()).name == "mine"
    import json

    assert json.dumps(1) == "1"
    assert (sys.path, sys.meta_path) == before


def test_import_by_c_code_means_python_s_own_module(scene: Scene) -> None:
    scene.write("_strptime.py", "")
    text = "import _strptime, datetime\ndef f():\n    return datetime.datetime.strptime('2020', '%Y').year\n"
    scene.write("flock.py", text)
    assert module(scene.load()).f() == 2020


def test_lazy_imports_use_the_version_they_were_loaded_with(scene: Scene) -> None:
    scene.write("steering.py", "value = 1\n")
    scene.write("flock.py", "def f():\n    import steering\n    return steering.value\n")
    old = scene.load()
    new = scene.build(old, {"steering.py": "value = 2\n"})
    assert (module(old).f(), module(new).f()) == (1, 2)


def test_lazily_imported_file_is_executed_at_load(scene: Scene) -> None:
    path = scene.write("steering.py", "1 / 0\n")
    scene.write("flock.py", "def f():\n    import steering\n")
    with pytest.raises(LoadError, match="ZeroDivisionError") as caught:
        scene.load()
    assert caught.value.path == path


def test_failed_optional_import(scene: Scene) -> None:
    scene.write("extra.py", "1 / 0\n")
    text = "try:\n    import extra\nexcept ZeroDivisionError:\n    extra = None\ndef f():\n    import extra\n"
    scene.write("flock.py", text)
    program = scene.load()
    assert module(program).extra is None
    with pytest.raises(ImportError, match="extra failed when it was imported"):
        module(program).f()
    assert scene.build(program, {"extra.py": "1 / 0\n"}) is program
    newer = scene.build(program, {"extra.py": "value = 1\n"})
    assert module(newer).extra.value == 1


def test_missing_submodule_and_import_beyond_the_folder(scene: Scene) -> None:
    scene.write("p/__init__.py", "")
    scene.write("flock.py", "import p.nothing\n")
    with pytest.raises(LoadError, match=r"No module named 'p\.nothing'"):
        scene.load()
    scene.write("flock.py", "from .. import nothing\n")
    with pytest.raises(LoadError, match="beyond the scene's folder"):
        scene.load()


def test_attributes_of_a_module(scene: Scene) -> None:
    path = scene.write("flock.py", "import p.a\n")
    scene.write("p/__init__.py", "")
    scene.write("p/a.py", "")
    program = scene.load()
    found = module(program)
    version = program.modules["flock"]
    assert found.__file__ == str(path)
    assert found.__name__ == f"flock@{version.version}"
    assert sys.modules[found.__name__] is found
    assert (found.__package__, module(program, "p.a").__package__) == ("", "p")
    assert found.__spec__.origin == str(path)
    assert module(program, "p").__path__ == [str(scene.root / "p")]
    assert found.p.a is module(program, "p.a")
    assert not hasattr(found, "__cached__")
    assert not list(scene.root.rglob("*.pyc"))


def test_pickle_dataclasses_and_inspect_work(scene: Scene) -> None:
    text = """
from __future__ import annotations
import dataclasses
from typing import ClassVar
@dataclasses.dataclass
class Point:
    x: int
    kind: ClassVar[int] = 1
def f():
    return 'source'
"""
    scene.write("flock.py", text)
    program = scene.load()
    found = module(program)
    assert [field.name for field in dataclasses.fields(found.Point)] == ["x"]
    assert pickle.loads(pickle.dumps(found.Point(3))) == found.Point(3)
    assert inspect.getsource(found.f) == "def f():\n    return 'source'\n"
    assert inspect.getsource(found.Point).startswith("@dataclasses.dataclass")


def test_source_is_there_while_it_is_executed(scene: Scene) -> None:
    text = "import inspect\ndef f(): return {}\nsource = inspect.getsource(f)\n"
    scene.write("flock.py", text.format(1))
    program = scene.load()
    newer = scene.build(program, {"flock.py": text.format(2)})
    assert module(newer).source == "def f(): return 2\n"
    assert inspect.getsource(module(program).f) == "def f(): return 1\n"


def test_tracebacks_show_the_source_that_runs(scene: Scene) -> None:
    path = scene.write("flock.py", "def f():\n    return 1 / 0  # old\n")
    codebase = scene.codebase()
    old = codebase.load()
    path.write_text("nothing of this ran\n" * 5)
    new = codebase.build(old, {path: b"\n\ndef f():\n    return 1 / 0  # new\n"})
    assert "# old" in trace(module(old))
    codebase.retire(old, new)
    assert "# new" in trace(module(new))


def test_the_source_of_a_frame_is_that_of_its_own_version(scene: Scene) -> None:
    path = scene.write("flock.py", "def f():\n    return 1 / 0  # old\n")
    codebase = scene.codebase()
    old = codebase.load()
    new = codebase.build(old, {path: b"def f():\n    return 1 / 0  # new\n"})
    codebase.retire(old, new)
    for program, word in ((old, "# old"), (new, "# new")):
        with pytest.raises(ZeroDivisionError) as caught:
            module(program).f()
        assert caught.value.__traceback__ is not None
        ((here, number), (frame, line)) = traceback.walk_tb(caught.value.__traceback__)
        assert word in line_of(frame, line)
        assert line_of(here, number) == "module(program).f()"


def trace(found: ModuleType) -> str:
    try:
        found.f()
    except ZeroDivisionError:
        return traceback.format_exc()
    raise AssertionError


def test_compiler_warnings_are_issued_with_file_and_line(scene: Scene) -> None:
    path = scene.write("flock.py", "\nx = 1\ny = x is 1\n")
    with pytest.warns(SyntaxWarning, match="literal") as caught:
        scene.load()
    assert [(entry.filename, entry.lineno) for entry in caught] == [(str(path), 3)]


def test_same_scene_twice_in_one_process(scene: Scene) -> None:
    scene.write("flock.py", "class A: pass\n")
    first, second = scene.load(), scene.load()
    assert module(first).__name__ != module(second).__name__
    for program in (first, second):
        assert type(pickle.loads(pickle.dumps(module(program).A()))) is module(program).A


def test_builtins_are_those_of_python_but_for_import(scene: Scene) -> None:
    scene.write("flock.py", "import builtins\nown = __builtins__\n")
    own = module(scene.load()).own
    import builtins

    assert {name for name in own if own[name] is not getattr(builtins, name)} == {"__import__"}


def test_failed_load_leaves_nothing_behind(scene: Scene) -> None:
    scene.write("helper.py", "big = [0]\n")
    path = scene.write("flock.py", "import helper\n1 / 0\n")
    with pytest.raises(LoadError) as caught:
        scene.load()
    assert scene_modules() == set()
    assert str(path) not in linecache.cache
    gc.collect()
    assert not [
        found for found in gc.get_objects() if isinstance(found, ModuleType) and found.__name__.startswith("helper@")
    ]
    assert caught.value.__context__ is None


def test_failed_file_of_the_scene_is_not_hidden_by_its_importer(scene: Scene) -> None:
    scene.write("flock.py", "try:\n    import hunt\nexcept ZeroDivisionError:\n    pass\n")
    scene.write("hunt.py", "from instar import Param\nx = Param(1)\n1 / 0\n")
    with pytest.raises(LoadError, match="hunt failed when it was imported"):
        scene.load("flock", "hunt")
    assert list(scene.load("flock").helpers) == []
