from __future__ import annotations

from pathlib import Path

import pytest

from instar.hmr.code import CompileError, LoadError, Source, compile_source
from instar.hmr.code.load.imports import Files, Graph, absolute

from ..conftest import Scene


def graph(root: Path, *modules: str, changes: dict[Path, bytes] | None = None) -> Graph:
    return Graph(Files(root, {}, changes or {}), modules, {}, compile_source)


def test_absolute_names() -> None:
    inside = Source.of(Path("p/q/a.py"), "p.q.a", b"")
    package = Source.of(Path("p/q/__init__.py"), "p.q", b"")
    top = Source.of(Path("a.py"), "a", b"")
    assert absolute(inside, 0, "x.y") == "x.y"
    assert [absolute(inside, level, "x") for level in (1, 2, 3, 4)] == ["p.q.x", "p.x", "x", None]
    assert [absolute(package, level, "") for level in (1, 2, 3, 4)] == ["p.q", "p", "", None]
    assert [absolute(top, level, "x") for level in (1, 2)] == ["x", None]


def test_reached_files(scene: Scene) -> None:
    scene.write("flock.py", "import a\nimport numpy\nfrom p import b, missing\nfrom . import c\nimport json.decoder\n")
    scene.write("a.py", "def f():\n    import d\n")
    for name in ("c.py", "d.py", "unused.py", "p/__init__.py", "p/b.py", "p/unused.py"):
        scene.write(name, "")
    found = graph(scene.root, "flock")
    assert set(found.units) == {"flock", "a", "c", "d", "p", "p.b"}
    assert found.closure("flock") == set(found.units)
    assert found.closure("a") == {"a", "d"}
    assert found.closure("p") == found.closure("p.b") == {"p", "p.b"}


def test_star_import_reaches_what_the_package_exports(scene: Scene) -> None:
    scene.write("flock.py", "from p import *\n")
    scene.write("p/__init__.py", "__all__ = ['b', 'name']\n")
    scene.write("p/b.py", "")
    scene.write("p/c.py", "")
    assert set(graph(scene.root, "flock").units) == {"flock", "p", "p.b"}


def test_folder_without_init_is_a_package_if_it_holds_files(scene: Scene) -> None:
    scene.write("flock.py", "import p.b\nimport empty\n")
    scene.write("p/b.py", "")
    (scene.root / "empty").mkdir()
    assert set(graph(scene.root, "flock").units) == {"flock", "p", "p.b"}


def test_key_names_the_content_of_all_that_is_reached(scene: Scene) -> None:
    scene.write("flock.py", "import a\n")
    scene.write("a.py", "import b\n")
    b = scene.write("b.py", "x = 1\n")
    scene.write("c.py", "import flock\n")
    before = graph(scene.root, "flock", "c")
    after = graph(scene.root, "flock", "c", changes={b: b"x = 2\n"})
    assert before.key("b") == before.units["b"].source.digest
    assert all(before.key(name) != after.key(name) for name in ("flock", "a", "b", "c"))
    assert before.key("flock") == graph(scene.root, "flock").key("flock")


def test_cycles_share_what_they_reach(scene: Scene) -> None:
    scene.write("a.py", "import b\n")
    scene.write("b.py", "import a\n")
    found = graph(scene.root, "a")
    assert found.closure("a") == found.closure("b") == {"a", "b"}


def test_package_comes_before_module_and_what_is_on_disk_before_what_is_gone(scene: Scene) -> None:
    module = scene.write("s.py", "kind = 'module'\n")
    package = scene.write("s/__init__.py", "kind = 'package'\n")
    running = {package: Source.of(package, "s", package.read_bytes())}
    assert Files(scene.root, running, {}).find("s") is running[package]
    package.unlink()
    found = Files(scene.root, running, {}).find("s")
    assert found is not None
    assert found.path == module


def test_edited_bytes_come_before_running_ones_before_the_disk(scene: Scene) -> None:
    path = scene.write("a.py", "disk")
    running = {path: Source.of(path, "a", b"running")}
    for files, data in (
        (Files(scene.root, running, {path: b"edited"}), b"edited"),
        (Files(scene.root, running, {}), b"running"),
        (Files(scene.root, {}, {}), b"disk"),
    ):
        found = files.find("a")
        assert found is not None
        assert found.data == data
    path.unlink()
    assert Files(scene.root, running, {}).find("a") is running[path]


def test_every_place_that_was_looked_at_is_known(scene: Scene) -> None:
    scene.write("flock.py", "import steering\n")
    files = Files(scene.root, {}, {})
    Graph(files, ("flock",), {}, compile_source)
    names = ("flock.py", "flock/__init__.py", "steering.py", "steering/__init__.py")
    assert files.looked_for == {scene.root / name for name in names}


def test_missing_module_lists_the_files_there_are(scene: Scene) -> None:
    scene.write("hawks.py", "")
    scene.write("boids.py", "")
    with pytest.raises(LoadError, match=r"'flock' has no file\nPython files there: boids\.py, hawks\.py") as caught:
        graph(scene.root, "flock")
    assert caught.value.path == scene.root / "flock.py"


def test_unchanged_files_are_not_compiled_again(scene: Scene) -> None:
    scene.write("flock.py", "import a\n")
    a = scene.write("a.py", "")
    before = graph(scene.root, "flock")
    sources = {unit.source.path: unit.source for unit in before.units.values()}
    compiled: list[str] = []

    def compile_file(source: Source):  # type: ignore[no-untyped-def]
        compiled.append(source.name)
        return compile_source(source)

    Graph(Files(scene.root, sources, {a: b"x = 1\n"}), ("flock",), before.units, compile_file)
    assert compiled == ["a"]


def test_file_that_does_not_compile(scene: Scene) -> None:
    scene.write("flock.py", "import a\n")
    path = scene.write("a.py", "x = (\n")
    with pytest.raises(CompileError) as caught:
        graph(scene.root, "flock")
    assert caught.value.path == path


def test_what_came_from_outside_or_runs_is_not_looked_for_again(scene: Scene) -> None:
    before = Files(scene.root, {}, {})
    assert before.find("json") is None
    assert before.find("no_such_module") is None
    path = scene.write("json.py", "x = 1\n")
    scene.write("no_such_module.py", "x = 1\n")
    after = Files(scene.root, {}, {}, frozenset(before.looked_for))
    assert after.find("json") is None
    assert after.looked_for == {path, scene.root / "json" / "__init__.py"}
    assert after.find("no_such_module") is not None
    assert Files(scene.root, {}, {path: b"x = 2\n"}, frozenset(before.looked_for)).find("json") is not None
    flock = scene.write("flock.py", "x = 1\n")
    before = Files(scene.root, {}, {})
    source = before.find("flock")
    assert source is not None
    package = scene.write("flock/__init__.py", "x = 2\n")
    assert Files(scene.root, {flock: source}, {}, frozenset(before.looked_for)).find("flock") is source
    found = Files(scene.root, {flock: source}, {package: b"x = 2\n"}, frozenset(before.looked_for)).find("flock")
    assert found is not None
    assert found.path == package
