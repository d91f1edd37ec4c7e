from __future__ import annotations

from pathlib import Path

import pytest

from instar.hmr.code.watch import repository
from instar.hmr.code.watch.repository import Repository


def make(folder: Path, kind: str) -> Path:
    """Makes a repository; returns where git would lock it."""
    if kind == "folder":
        (folder / ".git").mkdir()
        return folder / ".git" / "index.lock"
    real = folder.parent / "real"
    (real / "worktrees" / "one").mkdir(parents=True)
    where = real / "worktrees" / "one" if kind == "worktree" else Path("../real/worktrees/one")
    (folder / ".git").write_text(f"gitdir: {where}\n")
    return real / "worktrees" / "one" / "index.lock"


@pytest.mark.parametrize("kind", ["folder", "worktree", "submodule"])
@pytest.mark.parametrize("inside", [".", "examples/boids"])
def test_repository_is_busy_while_its_index_is_locked(tmp_path: Path, kind: str, inside: str) -> None:
    root = tmp_path / "clone"
    (root / inside).mkdir(parents=True)
    lock = make(root, kind)
    found = Repository(root / inside)
    assert not found.busy()
    lock.touch()
    assert found.busy()
    assert found.busy()
    lock.unlink()
    assert not found.busy()
    assert found.notice is None


def test_folder_without_a_repository_is_never_busy(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("nothing that git wrote")
    assert not Repository(tmp_path).busy()
    assert not Repository(tmp_path).was_busy()


def test_lock_that_stays_is_given_up_with_a_notice_and_the_next_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = make(tmp_path, "folder")
    found = Repository(tmp_path)
    lock.touch()
    assert found.busy()
    monkeypatch.setattr(repository, "HOLD_SECONDS", 0.0)
    assert not found.busy()
    assert str(lock) in str(found.notice)
    monkeypatch.setattr(repository, "HOLD_SECONDS", 2.0)
    assert not found.busy()
    lock.unlink()
    assert not found.busy()
    assert found.notice is None
    lock.touch()
    assert found.busy()


def test_index_that_was_written_is_told_once(tmp_path: Path) -> None:
    lock = make(tmp_path, "folder")
    found = Repository(tmp_path)
    assert not found.was_busy()
    lock.with_name("index").write_text("new")
    assert found.was_busy()
    assert not found.was_busy()
