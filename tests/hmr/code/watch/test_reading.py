from __future__ import annotations

import errno
import os
import sys
import threading
from pathlib import Path

import pytest

from instar.hmr.code.watch import reading
from instar.hmr.code.watch.reading import BeingWrittenError, read_as_it_is, read_closed, read_whole

of_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="leases are of Linux")


@pytest.mark.parametrize("read", [read_as_it_is, read_whole])
def test_content_of_a_file_that_is_closed(tmp_path: Path, read):  # type: ignore[no-untyped-def]
    path = tmp_path / "flock.py"
    path.write_bytes(b"x" * 100_000)
    assert read(path) == b"x" * 100_000
    path.write_bytes(b"")
    assert read(path) == b""
    with path.open("rb"):
        assert read(path) == b""


@pytest.mark.parametrize("read", [read_as_it_is, read_whole])
def test_nothing_to_read(tmp_path: Path, read):  # type: ignore[no-untyped-def]
    os.mkfifo(tmp_path / "pipe.py")
    for name in ("nothing.py", "pipe.py", "."):
        assert read(tmp_path / name) is None


@of_linux
def test_file_that_is_open_for_writing_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "flock.py"
    path.write_bytes(b"x")
    with path.open("ab"):
        with pytest.raises(BeingWrittenError):
            read_whole(path)
        assert read_as_it_is(path) == b"x"
    assert read_whole(path) == b"x"


@of_linux
def test_writer_waits_until_the_reader_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "flock.py"
    path.write_bytes(b"old")
    lease, begun = reading._lease, threading.Event()

    def write() -> None:
        begun.set()
        path.write_bytes(b"new")

    writer = threading.Thread(target=write)

    def leased(descriptor: int) -> None:
        lease(descriptor)
        writer.start()
        begun.wait(10)

    monkeypatch.setattr(reading, "_lease", leased)
    assert read_whole(path) == b"old"
    writer.join(10)
    assert read_as_it_is(path) == b"new"


@of_linux
def test_without_leases_files_are_read_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "flock.py"
    path.write_bytes(b"x")

    def refuse(*arguments: object) -> None:
        raise OSError(errno.EACCES, "not the owner")

    monkeypatch.setattr(reading.fcntl, "fcntl", refuse)
    with path.open("ab"):
        assert read_whole(path) == b"x"


def test_file_that_changes_while_it_is_read_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "flock.py"
    path.write_bytes(b"x")
    first = os.fstat

    def changing(descriptor: int) -> os.stat_result:
        found = first(descriptor)
        os.truncate(path, found.st_size + 1)
        return found

    monkeypatch.setattr(reading.os, "fstat", changing)
    assert read_as_it_is(path) is None


@of_linux
def test_file_whose_writer_is_about_to_go_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.py"
    path.write_text("x")
    file = path.open("r+")
    monkeypatch.setattr(reading, "CLOSING_SECONDS", 60.0)
    monkeypatch.setattr(reading.time, "sleep", lambda _seconds: file.close())
    assert read_closed(path) == b"x"


@of_linux
def test_file_that_is_opened_again_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.py"
    path.write_text("x")
    monkeypatch.setattr(reading, "CLOSING_SECONDS", 0.0)
    with path.open("r+"), pytest.raises(BeingWrittenError):
        read_closed(path)


@of_linux
def test_file_that_is_given_another_time_while_it_is_read_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.py"
    path.write_text("x")
    lease = reading._lease

    def lease_and_touch(descriptor: int) -> bool:
        leased = lease(descriptor)
        os.utime(path, (1, 1))
        return leased

    monkeypatch.setattr(reading, "_lease", lease_and_touch)
    assert read_whole(path) == b"x"
