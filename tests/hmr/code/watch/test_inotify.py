from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from instar.hmr.code.watch.feed import FeedLostError, Kind, Touch

if not sys.platform.startswith("linux"):
    pytest.skip("inotify is of Linux", allow_module_level=True)

from instar.hmr.code.watch.inotify import In, InotifyFeed


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[InotifyFeed]:
    feed = InotifyFeed(tmp_path)
    yield feed
    feed.close()


def test_a_file_is_being_written_until_it_is_closed(feed: InotifyFeed, tmp_path: Path) -> None:
    path = tmp_path / "flock.py"
    with path.open("w") as file:
        file.write("x")
        file.flush()
        assert feed.wait(10) == [Touch(path, Kind.UNSURE), Touch(path, Kind.WRITING)]
        assert feed.wait(0) == []
    assert feed.wait(10) == [Touch(path, Kind.WRITTEN)]


def test_a_move_is_told_at_once_whether_it_has_a_pair_or_not(feed: InotifyFeed, tmp_path: Path) -> None:
    path = tmp_path / "flock.py"
    (tmp_path / "flock.tmp").write_text("x")
    feed.wait(10)
    (tmp_path / "flock.tmp").rename(path)
    assert feed.wait(10) == [Touch(path, Kind.WRITTEN)]
    path.rename(tmp_path / "flock.bak")
    assert feed.wait(10) == [Touch(path, Kind.GONE)]


def test_reading_is_no_event(feed: InotifyFeed, tmp_path: Path) -> None:
    (tmp_path / "flock.py").write_text("x")
    feed.wait(10)
    (tmp_path / "flock.py").read_text()
    assert feed.wait(0) == []


def test_wake_ends_a_wait(feed: InotifyFeed) -> None:
    feed.wake()
    assert feed.wait(None) == []


def test_overflow_looks_at_everything_again(feed: InotifyFeed, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "seek.py").write_text("x")
    touches: list[Touch] = []
    feed._take(b"\xff\xff\xff\xff" + int(In.IN_Q_OVERFLOW).to_bytes(4, sys.byteorder) + bytes(8), touches)
    assert touches == [Touch(tmp_path / "rules" / "seek.py", Kind.UNSURE)]
    assert feed.folders == (tmp_path, tmp_path / "rules")
    (tmp_path / "rules" / "seek.py").unlink()
    assert feed.wait(10) == [Touch(tmp_path / "rules" / "seek.py", Kind.GONE)]


def test_folder_that_cannot_be_watched(tmp_path: Path) -> None:
    with pytest.raises(FeedLostError, match="cannot be watched: No such file"):
        InotifyFeed(tmp_path / "nothing")


def test_lost_root(feed: InotifyFeed, tmp_path: Path) -> None:
    tmp_path.rmdir()
    with pytest.raises(FeedLostError, match="was moved or deleted"):
        feed.wait(10)


def test_descriptors_are_given_back(tmp_path: Path) -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    InotifyFeed(tmp_path).close()
    with pytest.raises(FeedLostError):
        InotifyFeed(tmp_path / "nothing")
    assert count() == before
