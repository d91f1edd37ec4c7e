from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instar.hmr.code import Edit, EditError, LoadError, Program
from instar.hmr.code.arrivals import Arrivals
from instar.hmr.code.compile.source import digest_of
from instar.hmr.code.watch import Repository
from instar.native.errors import InstarError

from .conftest import Live, Scene, scene_modules


def value(program: Program, name: str = "flock") -> Any:
    return program.modules[name].module.value


def test_edit_becomes_ready_and_is_swapped(scene: Scene) -> None:
    path = scene.write("flock.py", "value = 1\n")
    live = Live(scene.codebase())
    with live.pipeline as pipeline:
        assert (pipeline.mode, pipeline.notice, pipeline.folders) == ("events", None, (scene.root,))
        assert pipeline.take() is None
        path.write_text("value = 2\n")
        edit = live.edit("flock.py")
        assert (edit.base, value(edit.program), value(live.program)) == (live.program, 2, 1)
        assert edit.digests == {"flock.py": edit.program.sources[path].digest}
        assert 0 < edit.event_ns <= edit.ready_ns
        assert pipeline.program is edit.program
        live.swap(edit)
        assert pipeline.take() is None
        assert scene_modules() == {edit.program.modules["flock"].module.__name__}


def test_rejected_edit_tells_why_and_the_next_one_works(scene: Scene) -> None:
    path = scene.write("flock.py", "value = 1\n")
    live = Live(scene.codebase())
    with live.pipeline as pipeline:
        listed = scene_modules()
        for text, problem in (("value = (\n", "never closed"), ("value = 1 / 0\n", "ZeroDivisionError")):
            path.write_text(text)
            rejection = live.rejection()
            assert rejection.files == ("flock.py",)
            assert problem in str(rejection.error)
            assert "The running version goes on" in str(rejection.error)
            assert 0 < rejection.event_ns <= rejection.ready_ns
        assert scene_modules() == listed
        assert pipeline.take() is None
        path.write_text("value = 3\n")
        assert value(live.swap(live.edit("flock.py")).program) == 3


def test_files_saved_before_an_edit_is_taken_join_it(scene: Scene) -> None:
    flock, hunt = scene.write("flock.py", "value = 1\n"), scene.write("hunt.py", "value = 1\n")
    live = Live(scene.codebase("flock", "hunt"))
    with live.pipeline:
        flock.write_text("value = 2\n")
        live.heard()
        hunt.write_text("value = 3\n")
        edit = live.edit("flock.py", "hunt.py")
        assert (value(edit.program), value(edit.program, "hunt")) == (2, 3)
        assert len(scene_modules()) == 4


def test_rejected_files_are_tried_again_with_the_next(scene: Scene) -> None:
    flock, helper = scene.write("flock.py", "from helper import value\n"), scene.write("helper.py", "value = 1\n")
    live = Live(scene.codebase())
    with live.pipeline:
        flock.write_text("from helper import value, more\n")
        assert "cannot import name 'more'" in str(live.rejection().error)
        helper.write_text("value = more = 2\n")
        edit = live.edit("flock.py", "helper.py")
        assert edit.program.modules["flock"].module.more == 2


def test_helper_that_was_missing_is_enough(scene: Scene) -> None:
    flock = scene.write("flock.py", "value = 1\n")
    live = Live(scene.codebase())
    with live.pipeline:
        flock.write_text("from helper import value\n")
        assert "No module named 'helper'" in str(live.rejection().error)
        scene.write("helper.py", "value = 7\n")
        assert value(live.edit("flock.py", "helper.py").program) == 7


def test_files_that_work_alone_do_not_wait_for_rejected_ones(scene: Scene) -> None:
    flock, hunt = scene.write("flock.py", "value = 1\n"), scene.write("hunt.py", "value = 1\n")
    live = Live(scene.codebase("flock", "hunt"))
    with live.pipeline:
        flock.write_text("value = (\n")
        live.rejection()
        hunt.write_text("value = 2\n")
        live.swap(live.edit("hunt.py"))
        assert (value(live.program), value(live.program, "hunt")) == (1, 2)
        flock.write_text("value = 5\n")
        live.swap(live.edit("flock.py"))
        assert (value(live.program), value(live.program, "hunt")) == (5, 2)


def test_ready_edit_survives_a_broken_save(scene: Scene) -> None:
    path = scene.write("flock.py", "value = 1\n")
    live = Live(scene.codebase())
    with live.pipeline as pipeline:
        path.write_text("value = 2\n")
        live.heard()
        path.write_text("value = (\n")
        live.rejection()
        edit = pipeline.take()
        assert edit is not None
        assert value(edit.program) == 2


def test_undo_of_an_edit_that_was_not_taken_drops_it(scene: Scene) -> None:
    flock, hunt = scene.write("flock.py", "value = 1\n"), scene.write("hunt.py", "value = 1\n")
    live = Live(scene.codebase("flock", "hunt"))
    with live.pipeline:
        listed = scene_modules()
        flock.write_text("value = 2\n")
        live.heard()
        flock.write_text("value = 1\n")
        hunt.write_text("value = 2\n")
        edit = live.edit("hunt.py")
        assert (value(edit.program), value(edit.program, "hunt")) == (1, 2)
        assert edit.program.modules["flock"] is live.program.modules["flock"]
        assert len(scene_modules()) == len(listed) + 1


def test_undo_of_an_edit_that_runs_is_an_edit(scene: Scene) -> None:
    path = scene.write("flock.py", "value = 1\n")
    live = Live(scene.codebase())
    with live.pipeline:
        for number in (2, 1, 2):
            path.write_text(f"value = {number}\n")
            assert value(live.swap(live.edit("flock.py")).program) == number


def test_refused_edit_leaves_the_program_before_it(scene: Scene) -> None:
    flock, hunt = scene.write("flock.py", "value = 1\n"), scene.write("hunt.py", "value = 1\n")
    live = Live(scene.codebase("flock", "hunt"))
    with live.pipeline as pipeline:
        flock.write_text("value = 2\n")
        edit = live.edit("flock.py")
        hunt.write_text("value = 3\n")
        live.heard()
        pipeline.refused(edit, InstarError("the table cannot take it"))
        assert pipeline.program is live.program
        newer = live.edit("flock.py", "hunt.py")
        assert newer.base is live.program
        assert (value(newer.program), value(newer.program, "hunt")) == (2, 3)
        assert len(scene_modules()) == 4


def test_refused_edit_leaves_nothing_behind(scene: Scene) -> None:
    flock, hunt = scene.write("flock.py", "value = 1\n"), scene.write("hunt.py", "value = 1\n")
    live = Live(scene.codebase("flock", "hunt"), refuse_two)
    with live.pipeline as pipeline:
        flock.write_text("value = 3\n")
        pipeline.refused(live.edit("flock.py"), InstarError("the table cannot take it"))
        flock.write_text("value = 2\n")
        live.rejection()
        hunt.write_text("value = 4\n")
        live.edit("hunt.py")
        assert len(scene_modules()) == 3


def test_edit_that_is_refused_before_its_turn_is_over_is_not_offered_again(scene: Scene) -> None:
    flock, hunt = scene.write("flock.py", "value = 1\n"), scene.write("hunt.py", "value = 1\n")
    live = Live(scene.codebase("flock", "hunt"))
    offered: list[tuple[str, ...]] = []

    def refuse_at_once() -> None:
        edit = live.pipeline.take() if len(offered) < 5 else None
        if edit is not None:
            offered.append(edit.files)
            live.pipeline.refused(edit, InstarError("the table cannot take it"))
        live._tell()

    live.pipeline._on_event = refuse_at_once
    with live.pipeline as pipeline:
        flock.write_text("value = 2\n")
        while not pipeline.errors:
            live.heard()
        hunt.write_text("value = 3\n")
        while len(offered) < 3:
            live.heard()
        assert pipeline.rejections() == []
    assert offered[:2] == [("flock.py",), ("flock.py", "hunt.py")]


def test_refused_edit_is_offered_again_with_others_only_and_they_alone_after_that(scene: Scene) -> None:
    flock, hunt = scene.write("flock.py", "value = 1\n"), scene.write("hunt.py", "value = 1\n")
    live = Live(scene.codebase("flock", "hunt"))
    with live.pipeline as pipeline:
        flock.write_text("value = 2\n")
        pipeline.refused(live.edit(), InstarError("the table cannot take it"))
        hunt.write_text("value = 3\n")
        edit = live.edit()
        assert edit.files == ("flock.py", "hunt.py")
        pipeline.refused(edit, InstarError("the table cannot take it"))
        edit = live.edit()
        assert edit.files == ("hunt.py",)
        live.swap(edit)
        assert pipeline.rejections() == []
        flock.write_text("value = 4\n")
        assert live.edit().files == ("flock.py",)


def test_refused_edit_is_not_offered_again_with_files_that_it_does_not_use(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = scene.write("flock.py", "value = 1\n")
    live = Live(scene.codebase())
    with live.pipeline as pipeline:
        flock.write_text("value = 2\n")
        pipeline.refused(live.edit(), InstarError("the table cannot take it"))
        publish, published = pipeline._publish, []

        def noting(head: Program, program: Program, changes: Any, event_ns: int) -> None:
            published.append(set(changes))
            publish(head, program, changes, event_ns)

        monkeypatch.setattr(pipeline, "_publish", noting)
        beside = scene.write("flock_tmp.py", "value = 3\n")
        while not published:
            all_told(live)
        assert published == [{beside}]
        assert pipeline.take() is None
        assert pipeline.rejections() == []


def refuse_two(program: Program) -> None:
    if value(program) == 2:
        raise InstarError("two is too much")


def test_edit_built_while_another_was_taken_is_built_again(scene: Scene) -> None:
    flock, hunt = scene.write("flock.py", "value = 1\n"), scene.write("hunt.py", "value = 1\n")
    taken: list[Edit | None] = []

    def check(program: Program) -> None:
        if value(program, "hunt") == 3 and not taken:
            taken.append(live.pipeline.take())

    live = Live(scene.codebase("flock", "hunt"), check)
    with live.pipeline:
        flock.write_text("value = 2\n")
        live.heard()
        hunt.write_text("value = 3\n")
        edit = live.edit("hunt.py")
        assert live.stale == []
        first = taken[0]
        assert first is not None
        assert (edit.base, first.files) == (first.program, ("flock.py",))
        assert (value(edit.program), value(edit.program, "hunt")) == (2, 3)
        assert len(scene_modules()) == 4


def test_activity_is_odd_while_an_edit_is_being_prepared(scene: Scene) -> None:
    flock = scene.write("flock.py", "value = 1\n")
    seen: list[int] = []
    live = Live(scene.codebase("flock"), lambda _: seen.append(live.pipeline.activity))
    with live.pipeline:
        before = live.pipeline.activity
        flock.write_text("value = 2\n")
        live.swap(live.edit("flock.py"))
    assert (before, seen) == (0, [1])
    assert live.pipeline.activity == 4  # the save, and that it runs


def test_file_of_a_check_that_fails_does_not_hold_up_others(scene: Scene) -> None:
    flock, hunt = scene.write("flock.py", "value = 1\n"), scene.write("hunt.py", "value = 1\n")
    refused: list[Program] = []

    def check(program: Program) -> None:
        if value(program) == 2:
            refused.append(program)
            raise LoadError("two is too much")

    live = Live(scene.codebase("flock", "hunt"), check)
    with live.pipeline:
        flock.write_text("value = 2\n")
        assert str(live.rejection().error) == "two is too much"
        hunt.write_text("value = 3\n")
        edit = live.edit("hunt.py")
        assert (value(edit.program), value(edit.program, "hunt")) == (1, 3)
        assert refused
        assert len(scene_modules()) == 3


def errors(live: Live, count: int) -> tuple[str, ...]:
    """Waits until so many errors stand."""
    while len(found := live.pipeline.errors) != count:
        live.heard()
    return found


def delete_and_write(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text)


def replaced_by_rename(path: Path, text: str) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text)
    temporary.replace(path)


@pytest.mark.parametrize("restore", [Path.write_text, replaced_by_rename, delete_and_write])
@pytest.mark.parametrize("broken", ["value = (\n", "value = 1 / 0\n"])
def test_error_stands_until_the_content_that_runs_is_restored(
    scene: Scene, restore: Callable[[Path, str], object], broken: str
) -> None:
    path = scene.write("sparks.py", "value = 1\n")
    live = Live(scene.codebase("sparks"))
    with live.pipeline as pipeline:
        assert pipeline.errors == ()
        path.write_text(broken)
        (text,) = errors(live, 1)
        assert text.startswith(f"{path}:1: ")
        assert "Saved but not running" not in text
        restore(path, "value = 1\n")
        assert errors(live, 0) == ()
        assert pipeline.take() is None


def test_each_file_that_is_left_shows_its_own_error(scene: Scene) -> None:
    m, n = scene.write("m.py", "value = 1\n"), scene.write("n.py", "value = 1\n")
    live = Live(scene.codebase("m", "n"))
    m.write_text("value = 1 / 0\n")
    n.write_text("value = [][1]\n")
    with live.pipeline:  # one burst: what was saved before the start is told together
        (text,) = errors(live, 1)
        assert text.startswith(f"{m}:1: ")
        assert text.endswith("\nSaved but not running: m.py, n.py.")
        m.write_text("value = 2\n")
        live.swap(live.edit("m.py"))
        assert value(live.program, "m") == 2
        (text,) = errors(live, 1)
        assert text.startswith(f"{n}:1: IndexError")
        assert "Saved but not running" not in text
        n.write_text("value = 2\n")
        live.swap(live.edit("n.py"))
        assert errors(live, 0) == ()


def test_files_that_were_broken_one_after_the_other_show_one_error_each(scene: Scene) -> None:
    m, n = scene.write("m.py", "value = 1\n"), scene.write("n.py", "value = 1\n")
    live = Live(scene.codebase("m", "n"))
    with live.pipeline:
        n.write_text("value = (\n")
        errors(live, 1)
        m.write_text("value = [\n")
        first, second = errors(live, 2)
        assert (first.startswith(f"{m}:1: "), second.startswith(f"{n}:1: ")) == (True, True)
        replaced_by_rename(n, "value = 1\n")
        assert errors(live, 1) == (first,)


def test_files_that_wait_with_a_broken_one_are_named(scene: Scene) -> None:
    m = scene.write("m.py", "from helper import value\n")
    helper, n = scene.write("helper.py", "value = 1\n"), scene.write("n.py", "value = 1\n")
    live = Live(scene.codebase("m", "n"))
    m.write_text("from helper import value\nmore = 1\n")
    helper.write_text("value = 2\n")
    n.write_text("value = 1 / 0\n")
    with live.pipeline:
        (text,) = errors(live, 1)
        assert text.endswith("\nSaved but not running: helper.py, m.py, n.py.")
        m.write_text("from helper import value\nmore = 2\n")
        live.swap(live.edit("m.py"))
        assert (value(live.program, "m"), live.program.modules["m"].module.more) == (1, 2)
        (text,) = errors(live, 1)
        assert text.startswith(f"{n}:1: ZeroDivisionError")
        assert text.endswith("\nSaved but not running: helper.py, n.py.")
        n.write_text("value = 3\n")
        live.swap(live.edit("helper.py", "n.py"))
        assert (value(live.program, "m"), errors(live, 0)) == (2, ())


def test_file_that_waited_with_one_that_was_mended_shows_what_is_wrong_now(scene: Scene) -> None:
    scene.write("m.py", "from helper import value\n")
    helper, n = scene.write("helper.py", "value = 1\n"), scene.write("n.py", "value = 1\n")
    live = Live(scene.codebase("m", "n"))
    helper.write_text("other = 2\n")
    n.write_text("value = 1 / 0\n")
    with live.pipeline:
        errors(live, 1)
        n.write_text("value = 2\n")
        live.swap(live.edit("n.py"))
        while "cannot import name 'value'" not in errors(live, 1)[0]:
            live.heard()


@pytest.mark.parametrize("text", ["value = 1\n", "value = 3\n"])
def test_refused_edit_is_an_error_until_its_file_has_another_content(scene: Scene, text: str) -> None:
    path = scene.write("flock.py", "value = 1\n")
    live = Live(scene.codebase())
    with live.pipeline as pipeline:
        path.write_text("value = 2\n")
        pipeline.refused(live.edit("flock.py"), InstarError("the table cannot take it"))
        assert errors(live, 1) == ("the table cannot take it\nSaved but not running: flock.py.",)
        replaced_by_rename(path, text)
        assert errors(live, 0) == ()
        assert pipeline.rejections() == []


def test_error_stands_while_the_content_before_it_is_ready(scene: Scene) -> None:
    flock, hunt = scene.write("flock.py", "value = 1\n"), scene.write("hunt.py", "value = 1\n")
    live = Live(scene.codebase("flock", "hunt"))
    with live.pipeline as pipeline:
        flock.write_text("value = 2\n")
        live.heard()
        flock.write_text("value = (\n")
        standing = errors(live, 1)
        pipeline.rejections()
        hunt.write_text("value = 2\n")
        live.swap(live.edit("flock.py", "hunt.py"))
        assert (value(live.program), value(live.program, "hunt")) == (2, 2)
        path = scene.write("hunt.py", "value = 3\n")
        live.swap(live.edit(path.name))
        assert pipeline.errors == standing
        assert pipeline.rejections() == []


def test_file_of_no_concern_is_no_edit(scene: Scene) -> None:
    path = scene.write("flock.py", "value = 1\n")
    live = Live(scene.codebase())
    with live.pipeline:
        scene.write("notes.py", "1 / 0\n")
        path.write_text("value = 2\n")
        assert live.edit("flock.py").files == ("flock.py",)


def test_new_file_that_an_import_meant_is_an_edit(scene: Scene) -> None:
    scene.write("flock.py", "try:\n    from extra import value\nexcept ImportError:\n    value = 0\n")
    live = Live(scene.codebase())
    with live.pipeline:
        scene.write("extra.py", "value = 4\n")
        assert value(live.edit("extra.py").program) == 4


@pytest.mark.parametrize("away", [Path.unlink, lambda path: path.write_text("")])
def test_broken_file_that_is_deleted_or_emptied_is_no_error_any_more(
    scene: Scene, away: Callable[[Path], object]
) -> None:
    path = scene.write("flock.py", "value = 1\n")
    live = Live(scene.codebase())
    with live.pipeline as pipeline:
        path.write_text("value = (\n")
        errors(live, 1)
        pipeline.rejections()
        away(path)
        assert errors(live, 0) == ()
        path.write_text("value = (\n")
        errors(live, 1)
        assert live.pipeline.rejections()[0].files == ("flock.py",)
        path.write_text("value = 2\n")
        assert value(live.edit("flock.py").program) == 2


def test_helper_that_was_deleted_before_anything_used_it_is_forgotten(scene: Scene) -> None:
    flock, helper = scene.write("flock.py", "value = 1\n"), scene.root / "helper.py"
    live = Live(scene.codebase())
    with live.pipeline:
        flock.write_text("from helper import more\n")
        assert "No module named 'helper'" in str(live.rejection().error)
        helper.write_text("value = 1\n")
        assert "cannot import name 'more'" in str(live.rejection().error)
        helper.unlink()
        flock.write_text("from helper import value\n")
        assert "No module named 'helper'" in str(live.rejection().error)


def all_told(live: Live) -> None:
    told = threading.Event()
    live.pipeline._watcher.settle(lambda busy: told.set())
    assert told.wait(10)


def test_what_is_saved_while_an_edit_is_built_joins_it(scene: Scene) -> None:
    flock, hunt = scene.write("flock.py", "value = 1\n"), scene.write("hunt.py", "value = 1\n")

    def check(program: Program) -> None:
        if (value(program), value(program, "hunt")) == (2, 1):
            hunt.write_text("value = 3\n")
            all_told(live)

    live = Live(scene.codebase("flock", "hunt"), check)
    with live.pipeline as pipeline:
        flock.write_text("value = 2\n")
        live.heard()
        edit = pipeline.take()
        assert edit is not None
        assert edit.files == ("flock.py", "hunt.py")
        assert (value(edit.program), value(edit.program, "hunt")) == (2, 3)
        assert edit.program.number == 2
        assert len(scene_modules()) == 4


def test_what_is_replaced_before_it_could_run_is_told_with_what_replaced_it(scene: Scene) -> None:
    path = scene.write("flock.py", "value = 1\n")
    live = Live(scene.codebase())
    with live.pipeline as pipeline:
        replaced = []
        for number in (2, 1, 3):
            path.write_text(f"value = {number}\n")
            all_told(live)
            replaced.append(digest_of(path.read_bytes()))
            while path not in pipeline._backlog._newest or pipeline._backlog._newest[path].digest != replaced[-1]:
                all_told(live)
        while pipeline._ready is None or value(pipeline._ready.program) != 3:
            all_told(live)
        edit = pipeline.take()
        assert edit is not None
        assert edit.superseded == (("flock.py", replaced[0]),)
        live.swap(edit)
        path.write_text("value = 4\n")
        assert live.swap(live.edit()).superseded == ()


def test_temporary_file_is_compiled_before_it_is_moved_in(scene: Scene) -> None:
    path = scene.write("flock.py", "value = 1\n")
    live = Live(scene.codebase())
    with live.pipeline as pipeline:
        temporary = scene.write("flock.py.tmp", "value = 2\ndef f(): pass\n")
        while pipeline.prediction["guesses"] < 1:
            all_told(live)
        temporary.replace(path)
        edit = live.swap(live.edit("flock.py"))
        assert edit.predicted == "temp file"
        assert edit.saved_ns > 0
        assert 0 < edit.event_ns <= edit.compiled_ns <= edit.ready_ns
        assert live.program.modules["flock"].module.f.__code__.co_filename == str(path)
        path.write_text("value = 3\n")
        assert live.swap(live.edit()).predicted is None
        path.write_text("value = 2\ndef f(): pass\n")
        assert live.swap(live.edit()).predicted == "known version"
        while pipeline.prediction["edits"] < 3:
            all_told(live)
        assert pipeline.prediction["hits"] == {"temp file": 1, "sibling": 0, "known version": 1}
        assert pipeline.prediction["hit_rate"] == pytest.approx(2 / 3, abs=1e-3)
        assert pipeline.prediction["saved_ms"] > 0


def test_file_that_is_usually_saved_with_another_joins_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instar.hmr.code.arrivals.SIBLING_SECONDS", 10.0)
    flock, hunt = scene.write("flock.py", "value = 1\n"), scene.write("hunt.py", "value = 1\n")
    live = Live(scene.codebase("flock", "hunt"))
    flock.write_text("value = 2\n")
    hunt.write_text("value = 2\n")
    with live.pipeline:  # what was saved before the start is told together
        assert live.swap(live.edit()).files == ("flock.py", "hunt.py")
        while not live.pipeline._predictor._siblings._siblings.get(flock):
            all_told(live)
        with hunt.open("w") as file:
            file.write("value = 3\n")
            file.flush()
            all_told(live)
            waits = watched(monkeypatch, Arrivals, "_all_told")
            flock.write_text("value = 3\n")
            assert waits.wait(10)
        edit = live.edit()
        assert edit.files == ("flock.py", "hunt.py")
        assert (value(edit.program), value(edit.program, "hunt")) == (3, 3)


def watched(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> threading.Event:
    """Tells when a method was called for the second time."""
    called, twice = [], threading.Event()
    method = getattr(owner, name)

    def counting(*given: Any) -> Any:
        called.append(given)
        if len(called) > 1:
            twice.set()
        return method(*given)

    monkeypatch.setattr(owner, name, counting)
    return twice


def test_edit_waits_while_git_exchanges_files(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    flock, hunt = scene.write("flock.py", "value = 1\n"), scene.write("hunt.py", "value = 1\n")
    lock = scene.write(".git/index.lock", "")
    live = Live(scene.codebase("flock", "hunt"))
    looked = watched(monkeypatch, Repository, "busy")
    with live.pipeline as pipeline:
        flock.write_text("value = 2\n")
        assert looked.wait(10)
        hunt.write_text("value = 3\n")
        assert pipeline.take() is None
        lock.unlink()
        assert live.edit().files == ("flock.py", "hunt.py")
        assert pipeline.notice is None


def test_lock_that_git_left_behind_is_not_waited_for(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instar.hmr.code.watch.repository.HOLD_SECONDS", 0.0)
    flock = scene.write("flock.py", "value = 1\n")
    scene.write(".git/index.lock", "")
    live = Live(scene.codebase())
    with live.pipeline as pipeline:
        flock.write_text("value = 2\n")
        assert live.edit().files == ("flock.py",)
        assert "index.lock has been there for" in str(pipeline.notice)


def test_error_that_a_file_being_written_may_cure_is_not_told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instar.hmr.code.arrivals.WRITING_SECONDS", 10.0)
    flock = scene.write("flock.py", "value = 1\n")
    live = Live(scene.codebase())
    waits = watched(monkeypatch, Arrivals, "_all_told")
    with live.pipeline as pipeline, (scene.root / "helper.py").open("w") as helper:
        helper.write("value = 1\n")
        helper.flush()
        flock.write_text("from helper import value, other\n")
        assert waits.wait(10)
        helper.write("other = 2\n")
        helper.close()
        edit = live.edit()
        assert edit.files == ("flock.py", "helper.py")
        assert edit.program.modules["flock"].module.other == 2
        assert pipeline.rejections() == []


@pytest.mark.skipif(shutil.which("git") is None and "CI" not in os.environ, reason="there is no git")
def test_branch_back_and_forth_is_one_edit_each(scene: Scene) -> None:
    def git(*words: str) -> None:
        settings = ("-c", "user.name=x", "-c", "user.email=x@y", "-c", "core.hooksPath=/dev/null")
        subprocess.run(["git", *settings, *words], cwd=scene.root, check=True, capture_output=True)

    names = [f"m{number}" for number in range(8)]
    git("init", "-b", "one")
    for number in (1, 2):
        for name in names:
            scene.write(f"{name}.py", f"value = {number}\n")
        git("add", ".")
        git("commit", "-m", "x", "--no-gpg-sign")
        git("checkout", "-b", "two") if number == 1 else None
    live = Live(scene.codebase(*names))
    with live.pipeline:
        for branch, number in (("one", 1), ("two", 2), ("one", 1)):
            git("checkout", branch)
            edit = live.swap(live.edit())
            assert edit.files == tuple(f"{name}.py" for name in names)
            assert {value(live.program, name) for name in names} == {number}
        assert edit.predicted == "known version"
        assert edit.saved_ns > 0


def test_file_becomes_a_package_and_a_file_again(scene: Scene) -> None:
    scene.write("flock.py", "from rules import value\n")
    rules = scene.write("rules.py", "value = 1\n")
    live = Live(scene.codebase())
    with live.pipeline:
        rules.unlink()
        scene.write("rules/__init__.py", "from .seek import value\n")
        scene.write("rules/seek.py", "value = 2\n")
        while value(live.program) != 2:
            live.swap(live.edit())
        shutil.rmtree(scene.root / "rules")
        rules.write_text("value = 3\n")
        while value(live.program) != 3:
            live.swap(live.edit())
        assert "rules.seek" not in live.program.helpers


def test_deleted_module_goes_on_and_its_return_counts(scene: Scene) -> None:
    path = scene.write("flock.py", "value = 1\n")
    hunt = scene.write("hunt.py", "value = 1\n")
    live = Live(scene.codebase("flock", "hunt"))
    with live.pipeline:
        path.unlink()
        hunt.write_text("value = 2\n")
        live.swap(live.edit("hunt.py"))
        assert value(live.program) == 1
        path.write_text("value = 3\n")
        live.swap(live.edit("flock.py"))
        assert (value(live.program), value(live.program, "hunt")) == (3, 2)


def test_edit_of_a_file_that_a_module_links_to(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> None:
    real = tmp_path_factory.mktemp("real") / "m.py"
    real.write_text("value = 1\n")
    (scene.root / "m.py").symlink_to(real)
    live = Live(scene.codebase("m"))
    with live.pipeline:
        real.write_text("value = 2\n")
        assert value(live.edit("m.py").program, "m") == 2


def test_save_between_load_and_start_is_noticed(scene: Scene) -> None:
    path = scene.write("flock.py", "value = 1\n")
    live = Live(scene.codebase())
    path.write_text("value = 2\n")
    with live.pipeline:
        assert value(live.edit("flock.py").program) == 2


def test_polling(scene: Scene) -> None:
    path = scene.write("flock.py", "value = 1\n")
    live = Live(scene.codebase(), polling=True)
    with live.pipeline as pipeline:
        assert pipeline.mode == "polling"
        path.write_text("value = 2\n")
        assert value(live.edit("flock.py").program) == 2


def test_failure_of_its_own_is_a_rejection_and_the_thread_goes_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = scene.write("flock.py", "value = 1\n")

    def check(program: Program) -> None:
        if value(program) == 2:
            raise RuntimeError("a bug")

    live = Live(scene.codebase(), check)
    with live.pipeline:
        path.write_text("value = 2\n")
        assert "Instar itself failed on this edit: RuntimeError: a bug" in str(live.rejection().error)
        path.write_text("value = 3\n")
        assert value(live.edit("flock.py").program) == 3


def test_close_leaves_no_thread_process_or_module(scene: Scene) -> None:
    path = scene.write("flock.py", "value = 1\n")
    before = set(threading.enumerate())
    live = Live(scene.codebase())
    listed = scene_modules()
    with live.pipeline as pipeline:
        path.write_text("value = 2\n")
        live.heard()
        pid = pipeline._builder._helper.pid
    assert set(threading.enumerate()) == before
    assert scene_modules() == listed
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_versions_that_ran_are_collected(scene: Scene) -> None:
    path = scene.write("flock.py", "value = 0\ndef update(): return value\n")
    live = Live(scene.codebase())
    with live.pipeline:
        seen: list[weakref.ref[Any]] = []
        for number in range(1, 4):
            path.write_text("value = (\n")
            live.rejection()
            path.write_text(f"value = {number}\ndef update(): return value\n")
            live.swap(live.edit("flock.py"))
            seen.append(weakref.ref(live.program.modules["flock"].module))
        path.write_text("value = 9\n")
        live.swap(live.edit("flock.py"))
        # the loader lets go of what it built when it is asked for something else
        path.write_text("value = (\n")
        live.rejection()
        gc.collect()
        assert [found() for found in seen] == [None, None, None]


TEXTS = (
    "value = 1\n",
    "value = 2\n",
    "value = (\n",
    "value = 1 / 0\n",
    "from helper import value\n",
    "from helper import other as value\n",
    "value = 3\nother = 4\n",
)


class Model:
    """What the pipeline must do with each save, by trying with fresh scenes."""

    def __init__(self, tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]) -> None:
        self._factory = tmp_path_factory
        self.newest = dict(files)
        self.live = dict(files)
        self._rejected: dict[str, tuple[str, str]] = {}

    def save(self, name: str, text: str) -> Literal["edit", "rejection", "nothing"]:
        """Returns what comes of a save."""
        self.newest[name] = text
        pending = {name: text for name, text in self.newest.items() if self.live.get(name) != text}
        rejected = {name for name, text in pending.items() if self._is_rejected(name, text)}
        wanted = {name: text for name, text in pending.items() if name not in rejected}
        attempt, blame = pending, None
        while attempt:
            used = self.used(attempt)
            if isinstance(used, set):
                files = {**self.newest, **self.live, **attempt}
                self._rejected = {name: found for name, found in self._rejected.items() if name not in attempt}
                before, self.live = self.live, {name: files[name] for name in used}
                return "nothing" if self.live == before else "edit"
            blame = used
            if attempt == wanted:
                break
            waiting = {name: self._rejected[name][1] for name, text in attempt.items() if self._is_rejected(name, text)}
            to_blame = {blame}
            for _ in waiting:
                to_blame |= {name for name in waiting if waiting[name] in to_blame}
            to_blame &= waiting.keys()
            attempt = {name: attempt[name] for name in attempt.keys() - to_blame} if to_blame else wanted
        if name not in wanted:
            return "nothing"
        assert blame is not None
        self._rejected[name] = text, blame
        return "rejection"

    def _is_rejected(self, name: str, text: str) -> bool:
        return name in self._rejected and self._rejected[name][0] == text

    def used(self, attempt: dict[str, str]) -> set[str] | str:
        """Returns the files that the scene is made of with an attempt; if it cannot run, the file to blame."""
        fresh = Scene(self._factory.mktemp("fresh"))
        for name, text in {**self.newest, **self.live, **attempt}.items():  # what no program holds is read from disk
            fresh.write(name, text)
        try:
            program = fresh.load("flock", "hunt")
        except EditError as error:
            return error.path.relative_to(fresh.root).as_posix() if error.path else ""
        for instance in program.instances.values():
            instance.delist()
        return set(running(program, fresh.root))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    saves=st.lists(
        st.tuples(st.sampled_from(("flock.py", "hunt.py", "helper.py")), st.sampled_from(TEXTS)), max_size=10
    )
)
def test_program_is_always_the_last_valid_transaction(
    tmp_path_factory: pytest.TempPathFactory, saves: list[tuple[str, str]]
) -> None:
    for name in scene_modules():
        del sys.modules[name]
    files = {"flock.py": "from helper import value\n", "hunt.py": "value = 0\n", "helper.py": "value = 0\nother = 0\n"}
    scene = Scene(tmp_path_factory.mktemp("scene"))
    for name, text in files.items():
        scene.write(name, text)
    model = Model(tmp_path_factory, files)
    live = Live(scene.codebase("flock", "hunt"))
    with live.pipeline:
        for name, text in saves:
            if model.newest[name] == text:
                continue
            expected = model.save(name, text)
            replaced_by_rename(scene.root / name, text)
            if expected == "rejection":
                assert name in live.rejection(name).files
            elif expected == "edit":
                live.swap(live.edit())
                assert running(live.program, scene.root) == model.live
                assert scene_modules() == {found.module.__name__ for found in live.program.instances.values()}


def running(program: Program, root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): source.data.decode() for path, source in program.sources.items()}


def test_files_that_need_each_other_run_while_another_is_broken(scene: Scene) -> None:
    other = scene.write("other.py", "value = 1\n")
    m, helper = scene.write("m.py", "from helper import value\n"), scene.write("helper.py", "value = 1\n")
    live = Live(scene.codebase("other", "m"))
    with live.pipeline:
        other.write_text("value = (\n")
        errors(live, 1)
        helper.write_text("amount = 2\n")
        while not any("cannot import name 'value'" in text for text in live.pipeline.errors):
            live.heard()
        m.write_text("from helper import amount as value\n")
        live.swap(live.edit("helper.py", "m.py"))
        assert value(live.program, "m") == 2
        (text,) = errors(live, 1)
        assert text.startswith(f"{other}:1: ")


def test_files_that_were_saved_with_a_broken_one_wait_for_it(scene: Scene) -> None:
    broken, m, n = (scene.write(f"{name}.py", "value = 1\n") for name in ("broken", "m", "n"))
    live = Live(scene.codebase("broken", "m", "n"))
    broken.write_text("value = 1 / 0\n")
    m.write_text("value = 2\n")
    with live.pipeline:  # what was saved before the start is told together
        errors(live, 1)
        n.write_text("value = 2\n")
        live.swap(live.edit("n.py"))
        assert value(live.program, "m") == 1
        broken.write_text("value = [][1]\n")
        while "IndexError" not in live.pipeline.errors[0]:
            live.heard()
        n.write_text("value = 3\n")
        live.swap(live.edit("n.py"))
        broken.write_text("value = 2\n")
        live.swap(live.edit("broken.py", "m.py"))
