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


def test_folders_of_linked_files_are_watched_for_as_long_as_there_are_links(feed: InotifyFeed, tmp_path: Path) -> None:
    root = tmp_path / "scene"
    (root / "rules").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    real = tmp_path / "other" / "real.txt"
    link = root / "rules" / "seek.py"
    feed.wait(10)
    link.symlink_to(real)
    feed.wait(10)
    real.write_text("x")
    assert feed.wait(10)[-1] == Touch(link, Kind.WRITTEN)
    (tmp_path / "other" / "flock.txt").write_text("x")
    assert feed.wait(0) == []
    (root / "rules").rename(root / ".rules")
    assert feed.wait(10) == [Touch(root / "rules", Kind.GONE)]
    real.write_text("xy")
    assert feed.wait(0) == []
    assert not feed._links


def test_link_to_a_file_beside_it(feed: InotifyFeed, tmp_path: Path) -> None:
    (tmp_path / "a.py").symlink_to("b.py")
    (tmp_path / "b.py").write_text("x")
    feed.wait(10)
    (tmp_path / "b.py").unlink()
    assert sorted(path.name for path, kind in feed.wait(10) if kind is Kind.GONE) == ["a.py", "b.py"]


def test_overflow_looks_at_everything_again(feed: InotifyFeed, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "seek.py").write_text("x")
    touches: list[Touch] = []
    feed._take(b"\xff\xff\xff\xff" + int(In.IN_Q_OVERFLOW).to_bytes(4, sys.byteorder) + bytes(8), touches)
    assert touches == [Touch(tmp_path, Kind.LOST), Touch(tmp_path / "rules" / "seek.py", Kind.UNSURE)]
    assert feed.folders == (tmp_path, tmp_path / "rules")
    (tmp_path / "rules" / "seek.py").unlink()
    assert feed.wait(10) == [Touch(tmp_path / "rules" / "seek.py", Kind.GONE)]


def test_temporary_file_is_told_when_it_is_closed(feed: InotifyFeed, tmp_path: Path) -> None:
    with (tmp_path / "flock.py.tmp").open("w") as file:
        file.write("x")
        file.flush()
        assert feed.wait(0) == []
    assert feed.wait(10) == [Touch(tmp_path / "flock.py.tmp", Kind.ASIDE)]
    (tmp_path / "notes.txt").write_text("x")
    assert feed.wait(0) == []


def test_file_with_two_names_is_told_under_both_until_it_is_replaced(feed: InotifyFeed, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x")
    (tmp_path / "b.py").hardlink_to(tmp_path / "a.py")
    feed.wait(10)
    (tmp_path / "a.py").write_text("xy")
    told = feed.wait(10)
    assert {path.name for path, kind in told if kind is Kind.WRITTEN} == {"a.py", "b.py"}
    (tmp_path / "b.py").unlink()
    (tmp_path / "b.py").write_text("z")
    feed.wait(10)
    (tmp_path / "a.py").write_text("xyz")
    assert {path.name for path, kind in feed.wait(10) if kind is Kind.WRITTEN} == {"a.py"}


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
