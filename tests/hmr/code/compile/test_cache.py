from __future__ import annotations

import marshal
import threading
from dataclasses import replace
from pathlib import Path
from types import CodeType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.hmr.code.compile.cache import UnitCache
from instar.hmr.code.compile.compiler import Unit, compile_source
from instar.hmr.code.compile.source import Source, digest_of
from instar.hmr.code.compile.translate import Facts, translate
from instar.hmr.code.errors import CompileError


def seen(unit: Unit) -> tuple[object, ...]:
    """What can be seen of a unit: the bytes of its code depend on who else refers to its constants."""

    def names(code: CodeType) -> list[str]:
        inside = [name for one in code.co_consts if isinstance(one, CodeType) for name in names(one)]
        return [code.co_filename, *inside]

    code = marshal.loads(unit.code)
    return replace(unit, code=b""), code, names(code)


class Compiler:
    """Counts what it compiles."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def __call__(self, path: Path, data: bytes) -> Facts:
        self.asked.append(data)
        return translate(str(path), data, 0)


def source(data: bytes, path: str = "/scene/flock.py") -> Source:
    return Source.of(Path(path), "flock", data)


def test_a_content_is_compiled_once() -> None:
    cache = UnitCache(compiler := Compiler())
    for data in (b"x = 1\n", b"x = 2\n", b"x = 1\n"):
        cache.begin()
        assert seen(cache.compile(source(data))) == seen(compile_source(source(data)))
    assert compiler.asked == [b"x = 1\n", b"x = 2\n"]
    assert (cache.use.compiled, cache.use.predicted) == (0, "known version")
    assert cache.use.saved_ns > 0
    assert cache.use.done_ns > 0


def test_a_known_content_has_the_name_of_its_file() -> None:
    cache = UnitCache(Compiler())
    data = b"def f():\n    def g(): pass\n"
    cache.compile(source(data))
    other = source(data, "/scene/other.py")
    assert seen(cache.compile(other)) == seen(compile_source(other))


def test_errors_are_known_too_and_name_the_file() -> None:
    cache = UnitCache(compiler := Compiler())
    for path in ("/scene/a.py", "/scene/b.py"):
        with pytest.raises(CompileError) as caught:
            cache.compile(source(b"x = (\n", path))
        assert str(caught.value.path) == path
    assert len(compiler.asked) == 1


def test_what_the_compiler_did_not_survive_is_asked_again() -> None:
    asked = []

    def fails(path: Path, data: bytes) -> Facts:
        asked.append(data)
        raise CompileError("it ended", path=path)

    cache = UnitCache(fails)
    for _ in range(2):
        with pytest.raises(CompileError):
            cache.compile(source(b"x = 1\n"))
    assert len(asked) == 2


def test_what_was_foreseen_is_told_once() -> None:
    cache = UnitCache(compiler := Compiler())
    data = b"x = 1\n"
    cache.fill(digest_of(data), Path("/scene/flock.py.tmp"), data, "temp file", compiler)
    assert digest_of(data) in cache
    for origin in ("temp file", "known version"):
        cache.begin()
        assert seen(cache.compile(source(data))) == seen(compile_source(source(data)))
        assert cache.use.predicted == origin


def test_a_second_attempt_of_the_same_edit_is_no_prediction() -> None:
    cache = UnitCache(Compiler())
    for _ in range(2):
        cache.compile(source(b"x = 1\n"))
        assert (cache.use.compiled, cache.use.saved_ns, cache.use.predicted) == (1, 0, None)


def test_what_was_only_looked_at_is_no_prediction() -> None:
    cache = UnitCache(compiler := Compiler())
    assert cache.is_valid(Path("a.py"), b"x = 1\n")
    assert not cache.is_valid(Path("a.py"), b"x = (\n")
    cache.compile(source(b"x = 1\n"))
    assert (len(compiler.asked), cache.use.predicted) == (2, None)


def test_what_is_being_compiled_is_waited_for() -> None:
    data = b"x = 1\n"
    begun, go_on = threading.Event(), threading.Event()

    def slow(path: Path, data: bytes) -> Facts:
        begun.set()
        go_on.wait(10)
        return translate(str(path), data, 0)

    cache = UnitCache(compiler := Compiler())
    thread = threading.Thread(target=cache.fill, args=(digest_of(data), Path("t"), data, "sibling", slow))
    thread.start()
    begun.wait(10)
    wait = cache._busy[digest_of(data)].wait
    cache._busy[digest_of(data)].wait = lambda seconds: (go_on.set(), wait(10))[1]  # type: ignore[method-assign]
    assert seen(cache.compile(source(data))) == seen(compile_source(source(data)))
    assert compiler.asked == []
    thread.join()


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(1, 2000))
def test_memory_is_bounded_and_what_comes_back_is_right(numbers: list[int], most_bytes: int) -> None:
    cache = UnitCache(Compiler(), most_bytes)
    for number in numbers:
        one = source(b"x = %d\n" % number * (number + 1))
        assert seen(cache.compile(one)) == seen(compile_source(one))
        assert cache._bytes == sum(entry.size for entry in cache._entries.values())
        assert cache._bytes <= most_bytes or len(cache._entries) == 1
