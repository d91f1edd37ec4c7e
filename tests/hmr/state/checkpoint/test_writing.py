"""A file is complete or as it was before, whatever the disk, the system or a kill does."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from instar.hmr.state import Checkpoint, CheckpointError
from instar.hmr.state.checkpoint import writing
from instar.hmr.state.checkpoint.writing import write_atomically

KILLS = 25

SAVER = """\
import sys
import numpy as np
from instar import f32, u8
from instar.hmr import StateManager

state = StateManager(history_bytes=1 << 20)
table = state.table("hares", {"x": f32, "kind": u8}, capacity=30_000)
table.spawn(20_000)
rng = np.random.default_rng(int(sys.argv[2]))
while True:
    table.x[:] = state.frame
    table.kind[:] = rng.integers(0, 9, len(table))
    state.commit()
    state.save(sys.argv[1])
    print(state.frame, flush=True)
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "world.instar"
    path.write_bytes(b"before")
    return path


def assert_kept(old: Path) -> None:
    assert old.read_bytes() == b"before"
    assert list(old.parent.iterdir()) == [old]


def test_the_parts_follow_each_other(old):
    write_atomically(old, [b"one", b"", b"two"])
    assert old.read_bytes() == b"onetwo"
    assert list(old.parent.iterdir()) == [old]


def test_a_link_stays_a_link(old, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(old)
    write_atomically(link, [b"after"])
    assert link.is_symlink()
    assert old.read_bytes() == b"after"


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EDQUOT, "quota is used up"),
        (errno.EIO, "the system refused: Input/output error"),
    ],
)
@pytest.mark.parametrize("step", ["fsync", "write", "replace"])
def test_what_the_disk_refuses(old, monkeypatch, step, code, advice):
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    if step == "fsync":
        monkeypatch.setattr(writing, "_to_disk", refuse)
    elif step == "write":
        monkeypatch.setattr(writing, "_write_all", refuse)
    else:
        monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(CheckpointError, match=advice) as caught:
        write_atomically(old, [b"after"])
    assert "What was there before is kept" in str(caught.value)
    assert_kept(old)


def test_a_file_that_would_be_too_large(old):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(CheckpointError, match="larger than the system allows"):
            write_atomically(old, [bytes(400)] * 3)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert_kept(old)


@pytest.mark.parametrize(
    ("code", "advice"), [(errno.EROFS, "read-only; save elsewhere"), (errno.EACCES, "may not be written to")]
)
def test_a_folder_that_may_not_be_written_to(old, monkeypatch, code, advice):
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(CheckpointError, match=advice):
        write_atomically(old, [b"after"])
    monkeypatch.undo()
    assert_kept(old)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(old):
    old.parent.chmod(0o500)
    try:
        with pytest.raises(CheckpointError, match="may not be written to"):
            write_atomically(old, [b"after"])
    finally:
        old.parent.chmod(0o700)
    assert_kept(old)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("", "it is a folder. Give the name of a file"),
        ("nowhere/world.instar", "there is no folder .*nowhere. Make it first"),
        ("world.instar/world.instar", "there is no folder"),
        ("a\0b", "it can be no file's name"),
        ("x" * 300, "the name is too long"),
    ],
)
def test_places_that_cannot_be(old, place, message):
    with pytest.raises(CheckpointError, match=message):
        write_atomically(old.parent / place, [b"after"])
    assert_kept(old)


def test_a_device_is_left_alone():
    with pytest.raises(CheckpointError, match="no ordinary file and was left alone"):
        write_atomically("/dev/null", [b"after"])


def test_leftovers_go_but_not_what_another_is_writing(old):
    leftover, in_use = old.with_name(".world.instar.1234.saving"), old.with_name(".world.instar.5678.saving")
    other = old.with_name(".other.instar.1234.saving")
    for path in (leftover, in_use, other):
        path.write_bytes(b"half")
    with in_use.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write_atomically(old, [b"after"])
    assert not leftover.exists()
    assert in_use.exists()
    assert other.exists()


def test_a_process_killed_while_it_saves_leaves_whole_files(tmp_path):
    """Progress is read from its output: each kill comes after one more saved frame, at some instant of the next save."""
    path = tmp_path / "world.instar"
    for turn in range(KILLS):
        command = [sys.executable, "-c", SAVER, str(path), str(turn)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            last = 0
            for _ in range(1 + turn % 3):
                last = int(process.stdout.readline())
            for _ in range(turn * 997):  # no sleep: some more of the processor's time, another one each turn
                pass
            process.send_signal(signal.SIGKILL)
            process.stdout.read()
        checkpoint = Checkpoint.read(path)
        checkpoint.verify()
        assert checkpoint.frame >= last
        assert set(checkpoint.column("hares", "x").view("f4").tolist()) == {checkpoint.frame - 1}
    write_atomically(path, [b"after"])
    assert list(tmp_path.iterdir()) == [path]
