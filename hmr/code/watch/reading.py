"""Reads files that others write, without ever taking a half-written one for a whole one."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
import time
from pathlib import Path

CLOSING_SECONDS = 0.001
"""A file that is written to for so long after it was closed is being written again."""


class BeingWrittenError(Exception):
    """Somebody has the file open for writing."""


def read_as_it_is(path: Path, most_bytes: int | None = None) -> bytes | None:
    """Returns the content of a file; None if there is none to read, it has more bytes, or was seen to change meanwhile."""
    return _read(path, whole=False, most_bytes=most_bytes)


def read_whole(path: Path) -> bytes | None:
    """Like `read_as_it_is`, of a file that nobody is writing to.

    The event of a write comes after its bytes can be read, so events alone do not tell. Linux does: it gives a read lease
    to a file's owner only while nobody has it open for writing, and has writers wait until the lease is given back.
    Where there are no leases (other systems, other people's files, some network mounts) this is `read_as_it_is`.

    Raises:
        BeingWrittenError: somebody has it open for writing, and will close it.
    """
    return _read(path, whole=True)


def read_closed(path: Path) -> bytes | None:
    """Like `read_whole`, of a file that was just closed: Linux tells of that some µs before it lets go of the writer.

    Raises:
        BeingWrittenError: somebody has opened it again.
    """
    until = time.monotonic() + CLOSING_SECONDS
    while True:
        try:
            return read_whole(path)
        except BeingWrittenError:
            if time.monotonic() >= until:
                raise
        time.sleep(CLOSING_SECONDS / 20)


def _read(path: Path, *, whole: bool, most_bytes: int | None = None) -> bytes | None:
    try:
        with open(path, "rb", buffering=0, opener=_without_waiting) as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode) or (most_bytes is not None and before.st_size > most_bytes):
                return None
            leased = whole and _lease(file.fileno())  # given back when the file is closed
            data = file.readall()
            after = os.fstat(file.fileno())
    except OSError:
        return None
    same = leased or (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    return data if same and len(data) == after.st_size else None


def _lease(descriptor: int) -> bool:
    """Has writers wait; returns whether they do: then only the times of the file can change."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)  # tells of a waiting writer; ignored, unlike SIGIO
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        if error.errno == errno.EAGAIN:
            raise BeingWrittenError from None
        return False
    return True


def _without_waiting(path: str, flags: int) -> int:
    """Opens a file; does not wait for a writer where it is a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)
