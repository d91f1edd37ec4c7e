from __future__ import annotations

from pathlib import Path
from typing import Any

from instar.hmr.code.backlog import Backlog, content
from instar.hmr.code.compile.source import digest_of
from instar.hmr.code.errors import EditError
from instar.hmr.code.watch import Change
from instar.native.errors import InstarError

from .conftest import Scene

BAD = InstarError("bad")


def change(path: Path, text: str) -> Change:
    return Change(path, text.encode(), digest_of(text.encode()), 1)


def test_what_differs_and_matters_is_pending(scene: Scene) -> None:
    flock = scene.write("flock.py", "x = 1\n")
    head = scene.load()
    backlog = Backlog()
    backlog.put([change(flock, "x = 1\n"), change(scene.root / "notes.py", "y")], head)
    assert backlog.pending(head, None) == {}
    backlog.put([change(flock, "x = 2\n")], head)
    assert backlog.attempts(head, None, {}, {}) == [{flock: change(flock, "x = 2\n")}]
    backlog.put([change(flock, "x = 1\n")], head)
    assert backlog.attempts(head, None, {}, {}) == []


def test_rejected_content_is_tried_with_newer_files_first(scene: Scene) -> None:
    flock, hunt = scene.write("flock.py", ""), scene.write("hunt.py", "")
    head = scene.load("flock", "hunt")
    backlog = Backlog()
    bad, good = change(flock, "1 /"), change(hunt, "x = 1\n")
    backlog.put([bad], head)
    backlog.reject([bad], {flock: bad}, BAD)
    assert backlog.attempts(head, None, {}, {}) == [{flock: bad}]
    assert backlog.wanted(head, None, {}) == {}
    backlog.put([good], head)
    assert backlog.attempts(head, None, {}, {}) == [{flock: bad, hunt: good}, {hunt: good}]
    backlog.put([change(flock, "x = 1\n")], head)
    assert len(backlog.attempts(head, None, {}, {})) == 1


def test_newer_content_is_not_rejected_with_older(scene: Scene) -> None:
    flock = scene.write("flock.py", "")
    head = scene.load()
    backlog = Backlog()
    backlog.put([change(flock, "new")], head)
    backlog.reject([change(flock, "old")], {}, BAD)
    assert backlog.wanted(head, None, {}) == {flock: change(flock, "new")}


def test_what_was_ready_goes_on_where_newer_content_was_rejected(scene: Scene) -> None:
    flock = scene.write("flock.py", "")
    head = scene.load()
    backlog = Backlog()
    held = {flock: change(flock, "x = 1\n")}
    backlog.put([change(flock, "1 /")], head)
    backlog.reject([change(flock, "1 /")], {}, BAD)
    assert backlog.wanted(head, None, held) == held
    backlog.put([change(flock, "")], head)
    assert backlog.wanted(head, None, held) == {}


def test_new_files_matter_once_something_was_rejected(scene: Scene) -> None:
    flock = scene.write("flock.py", "")
    head = scene.load()
    backlog = Backlog()
    bad, helper = change(flock, "import helper"), change(scene.root / "helper.py", "x = 1\n")
    backlog.put([bad], head)
    backlog.reject([bad], {flock: bad}, BAD)
    backlog.put([helper], head)
    assert backlog.pending(head, None) == {flock: bad, helper.path: helper}
    backlog.accept(head, {helper.path: helper})
    assert backlog.pending(head, None) == {flock: bad}


def test_content_identifies_files_and_bytes() -> None:
    path = Path("a.py")
    assert content({path: change(path, "a")}) == content({path: change(path, "a")})
    assert content({path: change(path, "a")}) != content({path: change(path, "b")})


def test_content_that_worked_since_is_not_taken_for_rejected(scene: Scene) -> None:
    flock = scene.write("flock.py", "")
    head = scene.load()
    backlog = Backlog()
    bad, good = change(flock, "1 /"), change(flock, "x = 1\n")
    backlog.put([bad], head)
    backlog.reject([bad], {flock: bad}, BAD)
    backlog.put([good], head)
    backlog.accept(head, {flock: good})
    backlog.put([bad], head)
    assert backlog.wanted(head, None, {}) == {flock: bad}


def test_newer_error_is_a_rejected_files_own_only_where_it_is_to_blame(scene: Scene) -> None:
    m, n = scene.write("m.py", ""), scene.write("n.py", "")
    head = scene.load("m", "n")
    backlog = Backlog()
    bad, other = change(m, "1 /"), change(n, "2 /")
    backlog.put([bad, other], head)
    assert backlog.errors(head, str) == ()
    backlog.reject([bad], {m: bad}, EditError("first", path=m))
    assert backlog.errors(head, str) == (f"{m}: first",)
    backlog.fail({m: bad, n: other}, EditError("of n", path=n))
    assert backlog.errors(head, str) == (f"{m}: first",)
    backlog.fail({m: bad, n: other}, EditError("of m", path=m))
    assert backlog.errors(head, str) == (f"{m}: of m",)
    backlog.fail({m: bad}, InstarError("alone"))
    assert backlog.errors(head, str) == (f"alone\nSaved but not running: {m}.",)


def test_error_of_a_file_that_was_mended_is_no_longer_that_of_others(scene: Scene) -> None:
    m, n = scene.write("m.py", ""), scene.write("n.py", "")
    head = scene.load("m", "n")
    backlog = Backlog()
    both = {m: change(m, "1 /"), n: change(n, "x = 1\n")}
    backlog.put(both.values(), head)
    backlog.reject(both.values(), both, EditError("of m", path=m))
    backlog.fail(both, InstarError("of both"))
    assert backlog.errors(head, lambda path: path.name) == (f"{m}: of m\nSaved but not running: m.py, n.py.",)
    mended = {**both, m: change(m, "x = 1\n")}
    backlog.put(mended.values(), head)
    backlog.fail(mended, InstarError("of both"))
    assert backlog.errors(head, lambda path: path.name) == ("of both\nSaved but not running: n.py.",)


def test_a_file_that_is_back_is_not_forgotten(scene: Scene) -> None:
    flock = scene.write("flock.py", "")
    head = scene.load()
    backlog = Backlog()
    bad = change(flock, "x = 1\n")
    backlog.put([bad], head)
    backlog.reject([bad], {flock: bad}, BAD)
    backlog.forget(flock, head, back=[flock])
    assert backlog.attempts(head, None, {}, {}) == [{flock: bad}]
    backlog.forget(flock, head)
    assert backlog.attempts(head, None, {}, {}) == []


def test_what_nothing_uses_is_forgotten_but_not_what_was_rejected(scene: Scene) -> None:
    flock, unused, bad = scene.write("flock.py", ""), scene.root / "unused.py", scene.root / "bad.py"
    head = scene.load()
    backlog = Backlog()
    backlog.put([change(flock, "x = 1\n"), change(unused, "y"), change(bad, "z")], head)
    backlog.reject([change(bad, "z")], {}, BAD)
    backlog.forget_unused(head)
    assert backlog.pending(head, None).keys() == {flock, bad}


def test_what_is_broken_is_left_out_one_after_the_other(scene: Scene) -> None:
    m, n, helper = scene.write("m.py", ""), scene.write("n.py", ""), scene.write("helper.py", "")
    head = scene.load("m", "n")
    backlog = Backlog()
    changes = {path: change(path, "new") for path in (m, n, helper)}
    of_m, of_n = EditError("of m", path=m), EditError("of n", path=n)
    backlog.put(changes.values(), head)
    for path, error in ((m, of_m), (n, of_n), (helper, InstarError("alone"))):
        backlog.reject([changes[path]], {path: changes[path]}, error)
    new = change(scene.root / "other.py", "new")
    backlog.put([new], head)
    everything = {**changes, new.path: new}
    without_m = {path: everything[path] for path in (n, helper, new.path)}
    without_both = {path: everything[path] for path in (helper, new.path)}
    failures: dict[Any, InstarError] = {}
    for attempt, error in ((everything, of_m), (without_m, of_n), (without_both, EditError("of other", path=new.path))):
        assert backlog.attempts(head, None, {}, failures)[-2:] == [attempt, {new.path: new}]
        failures[head, content(attempt)] = error
        backlog.fail(attempt, error)
    assert backlog.attempts(head, None, {}, failures)[-2:] == [without_both, {new.path: new}]


def test_what_is_left_out_has_the_content_that_worked(scene: Scene) -> None:
    m, n = scene.write("m.py", ""), scene.write("n.py", "")
    head = scene.load("m", "n")
    backlog = Backlog()
    held = {m: change(m, "held")}
    bad, waits, new = change(m, "bad"), change(n, "waits"), change(scene.root / "other.py", "new")
    backlog.put([bad, waits, new], head)
    backlog.reject([bad], {m: bad}, EditError("of m", path=m))
    backlog.reject([waits], {n: waits}, EditError("of n", path=n))
    failures = {(head, content({m: bad, n: waits, new.path: new})): EditError("of m", path=m)}
    assert backlog.attempts(head, None, held, failures)[1] == {**held, n: waits, new.path: new}
