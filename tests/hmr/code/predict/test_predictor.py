from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from instar.hmr.code.compile.cache import UnitCache
from instar.hmr.code.compile.pieces.incremental import Incremental
from instar.hmr.code.compile.process import CompileHelper
from instar.hmr.code.compile.source import Source, digest_of
from instar.hmr.code.compile.translate import PIECES_KNOWN
from instar.hmr.code.errors import CompileError
from instar.hmr.code.predict import Predictor


class Made:
    """A predictor, and what it has compiled."""

    def __init__(self) -> None:
        self.cache = UnitCache(self.refuse)
        self.predictor = Predictor(self.cache, Incremental(CompileHelper()))
        self.compiled: queue.SimpleQueue[Path] = queue.SimpleQueue()
        fill = self.cache.fill

        def noted(digest: str, path: Path, *arguments: Any) -> Any:
            try:
                return fill(digest, path, *arguments)
            finally:
                self.compiled.put(path)

        self.cache.fill = noted  # type: ignore[method-assign]

    def refuse(self, path: Path, data: bytes) -> NoReturn:
        raise AssertionError(f"{path} was compiled when it was asked for")

    def heard(self) -> Path:
        return self.compiled.get(timeout=10)


@pytest.fixture
def made() -> Iterator[Made]:
    made = Made()
    made.predictor.start()
    yield made
    made.predictor.close()


@pytest.mark.parametrize("data", [b"x = 1\n", b"x = (\n"])
def test_what_is_guessed_needs_no_compiling(made: Made, data: bytes) -> None:
    path = Path("/scene/flock.py")
    made.predictor.aside(Path("/scene/flock.py.tmp"), data, [path])
    assert made.heard() == path
    made.predictor.guess(path, data, "sibling")
    made.predictor.guess(path, b"y = 2\n", "sibling")
    assert made.heard() == path
    try:
        made.cache.compile(Source.of(path, "flock", data))
    except CompileError:
        assert b"(" in data
    assert made.cache.use.predicted == "temp file"
    made.predictor.close()
    assert made.predictor.guesses == 2
    assert made.compiled.empty()


def test_process_that_dies_of_a_guess_changes_nothing(made: Made) -> None:
    def dies(path: Path, data: bytes) -> NoReturn:
        made.compiled.put(path)
        raise CompileError("it died", path=path)

    made.predictor.guess(Path("a.py"), b"x = 1\n", "sibling")
    made.heard()
    made.predictor._helper.translate = dies  # type: ignore[method-assign]
    made.predictor.guess(Path("b.py"), b"x = 2\n", "sibling")
    assert made.heard() == Path("b.py")
    made.predictor.close()
    assert made.predictor.guesses == 1
    assert digest_of(b"x = 2\n") not in made.cache


def test_sibling_that_has_changed_is_compiled(made: Made, tmp_path: Path) -> None:
    a, b = tmp_path / "a.py", tmp_path / "b.py"
    made.predictor.note([a, b])
    assert not made.predictor.read_siblings([a])
    b.write_text("x = 1\n")
    assert made.predictor.read_siblings([a])
    assert made.heard() == b


def test_nothing_was_foreseen_before_anything_ran() -> None:
    assert Made().predictor.document() == {
        "guesses": 0,
        "edits": 0,
        "hits": {"temp file": 0, "sibling": 0, "known version": 0},
        "hit_rate": None,
        "saved_ms": 0.0,
    }


@pytest.mark.skipif(not PIECES_KNOWN, reason="this Python compiles whole modules")
def test_what_runs_is_learned_and_what_had_to_be_compiled_as_a_whole() -> None:
    helper = CompileHelper()
    incremental = Incremental(helper)
    predictor = Predictor(UnitCache(incremental.translate), incremental)
    learned: queue.SimpleQueue[Path] = queue.SimpleQueue()
    learn = incremental.learn

    def noted(path: Path, *arguments: Any) -> None:
        learn(path, *arguments)
        learned.put(path)

    incremental.learn = noted  # type: ignore[method-assign]
    running, later = Path("/scene/flock.py"), Path("/scene/later.py")
    text = b"import os\n\n\ndef f(): return os.sep\n\n\nx = 1\n"
    predictor.start([Source.of(running, "flock", text), Source.of(Path("/scene/scene.toml"), "scene", b"x = 1\n")])
    try:
        assert learned.get(timeout=10) == running
        asked = helper.pid
        assert incremental.translate(running, text.replace(b"1", b"2"))["text"].endswith("x = 2\n")
        assert (asked, helper.pid) == (None, None)
        incremental.translate(later, text)
        assert learned.get(timeout=10) == later
        assert learned.empty()
    finally:
        predictor.close()
        helper.close()
