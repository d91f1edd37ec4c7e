from __future__ import annotations

from pathlib import Path

import pytest

from instar.cli.checks import files


def test_a_saved_file_is_noticed_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(files, "_PATIENCE", 10.0)
    found = list(files.write_events())
    assert [(check.name, check.verdict) for check in found] == [("temporary folder", "ok"), ("current folder", "ok")]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_or_is_gone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setattr(files.tempfile, "gettempdir", lambda: str(gone))
    temporary, current = files.write_events()
    assert (temporary.verdict, current.verdict) == ("warn", "warn")
    assert "No such file" in temporary.found
    assert current.found == "is gone"


def test_a_folder_without_news_says_that_edits_come_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(files, "_PATIENCE", 0.0)
    monkeypatch.setattr(files, "_Heard", files.FileSystemEventHandler)
    monkeypatch.setattr(files.FileSystemEventHandler, "event", files.threading.Event(), raising=False)
    found = list(files.write_events())
    assert all("polling" in check.advice for check in found)


@pytest.mark.parametrize(
    ("watches", "instances", "used", "verdict"),
    [("100000", "128", 3, "ok"), ("1000", "128", 3, "warn"), ("100000", "128", 120, "warn")],
)
def test_scarce_watches_come_with_the_line_that_gives_more(
    monkeypatch: pytest.MonkeyPatch, watches: str, instances: str, used: int, verdict: str
) -> None:
    limits = {"max_user_watches": watches, "max_user_instances": instances}
    monkeypatch.setattr(files, "setting", lambda path: limits[Path(path).name])
    monkeypatch.setattr(files, "_instances_in_use", lambda: used)
    (check,) = files.watch_limits()
    assert check.verdict == verdict
    assert ("sudo sysctl" in check.advice) == (verdict == "warn")


def test_a_system_without_inotify_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "setting", lambda _: None)
    assert list(files.watch_limits()) == []


def test_missing_examples_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "examples", dict)
    (check,) = files.examples_installed()
    assert check.verdict == "warn"
