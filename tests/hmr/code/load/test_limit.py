from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from instar.hmr.code import LoadError
from instar.hmr.code.load.limit import LoadLimit

from ..conftest import Live, Scene


class Told:
    """What a limit has told."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.limit = LoadLimit(self.texts.append, 0.2, 5.0)


@pytest.fixture
def told() -> Iterator[Told]:
    told = Told()
    yield told
    told.limit.close()


@pytest.mark.parametrize(
    "loop", ["while True: pass\n", "while True:\n    try:\n        while True: pass\n    except Exception: pass\n"]
)
def test_a_load_that_hangs_is_interrupted(scene: Scene, told: Told, loop: str) -> None:
    path = scene.write("flock.py", "x = 1\n" + loop)
    with pytest.raises(LoadError) as caught, told.limit.watching():
        scene.load()
    assert caught.value.path == path
    assert "did not finish within 2 s when it was imported, though it did in another process" in caught.value.problem
    (text,) = told.texts
    assert text.startswith(f"{path}:")
    assert "it has been executing for more than 0.2 s" in text


def test_a_slow_import_from_outside_is_not(
    scene: Scene, told: Told, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "sluggish_package.py").write_text("import threading\nthreading.Event().wait(0.6)\n")
    monkeypatch.syspath_prepend(str(outside))
    scene.write("flock.py", "import sluggish_package\n")
    with told.limit.watching():
        scene.load()
    assert told.texts == []


def test_what_is_no_load_may_take_long(scene: Scene, told: Told) -> None:
    with told.limit.watching():
        threading.Event().wait(0.5)
    assert told.texts == []


def test_a_load_after_one_that_was_interrupted_is_not(scene: Scene, told: Told) -> None:
    scene.write("flock.py", "while True: pass\n")
    with pytest.raises(LoadError), told.limit.watching():
        scene.load()
    scene.write("flock.py", "x = 1\n")
    for _ in range(50):
        with told.limit.watching():
            scene.load()
    assert len(told.texts) == 1


def test_edit_that_hangs_only_here_is_told_of_and_rejected(scene: Scene) -> None:
    path = scene.write("flock.py", "value = 1\n")
    live = Live(scene.codebase())
    with live.pipeline as pipeline:
        path.write_text(
            "import threading\nfrom instar.hmr.code.trial import trying\nif not trying():\n    threading.Event().wait(3.5)\n"
        )
        live.heard()
        (text,) = pipeline.errors
        assert "is being interrupted" in text
        rejection = live.rejection()
        assert "was interrupted" in str(rejection.error)
        while pipeline.errors != (str(rejection.error),):
            live.heard()
        path.write_text("value = 3\n")
        assert live.edit("flock.py").program.modules["flock"].module.__dict__["value"] == 3


def test_what_is_traced_after_an_interruption_goes_on(scene: Scene, told: Told) -> None:
    scene.write("flock.py", "while True: pass\n")
    with pytest.raises(LoadError), told.limit.watching():
        scene.load()
    lines = []

    def trace(frame, event, argument):
        lines.append(event)
        return trace

    def traced() -> int:
        return len(lines)

    sys.settrace(trace)
    try:
        assert traced() == 2
    finally:
        sys.settrace(None)
