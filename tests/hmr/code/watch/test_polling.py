from __future__ import annotations

from pathlib import Path

from instar.hmr.code.watch.feed import Kind, Touch
from instar.hmr.code.watch.polling import PollingFeed


def test_first_look_reports_all_and_later_ones_differences(tmp_path: Path) -> None:
    feed = PollingFeed(tmp_path, interval=0.001)
    path = tmp_path / "flock.py"
    path.write_text("x")
    assert feed.wait(None) == [Touch(path, Kind.UNSURE)]
    assert feed.wait(None) == []
    path.write_text("xy")
    assert feed.wait(None) == [Touch(path, Kind.UNSURE)]
    path.unlink()
    assert feed.wait(None) == [Touch(path, Kind.GONE)]


def test_vanished_folder_is_waited_for(tmp_path: Path) -> None:
    root = tmp_path / "scene"
    feed = PollingFeed(root, interval=0.001)
    assert feed.wait(None) == []
    root.mkdir()
    (root / "flock.py").write_text("x")
    assert feed.wait(None) == [Touch(root / "flock.py", Kind.UNSURE)]


def test_wake_ends_a_wait(tmp_path: Path) -> None:
    feed = PollingFeed(tmp_path, interval=1000.0)
    feed.wait(None)
    feed.wake()
    assert feed.wait(None) == []
