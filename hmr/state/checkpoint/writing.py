"""Files that are either as before or complete: written beside, brought to the disk, and moved to their name."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

from instar.hmr.state.checkpoint.errors import CheckpointError

_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space or save elsewhere",
    errno.EDQUOT: "your disk quota is used up; free some space or save elsewhere",
    errno.EFBIG: "the file would be larger than the system allows (ulimit -f)",
    errno.EROFS: "the file system is read-only; save elsewhere",
    errno.EACCES: "the folder may not be written to; change its permissions or save elsewhere",
    errno.EPERM: "the system does not permit it; save elsewhere",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def _nothing(operation: str) -> None:
    """What happens before a file operation, but in tests of what happens when one fails."""


before_operation: Callable[[str], None] = _nothing
"""Called before each file operation of a save with its name; `instar.testing` makes it raise."""


def write_atomically(path: str | os.PathLike[str], parts: Iterable[bytes]) -> None:
    """Write a file so that a kill at any instant leaves the old one or the new one, whole.

    A link is followed; what is written is on the disk when this returns. A temporary file ``.NAME.*.saving`` lies beside
    it meanwhile; one that a killed process left is removed.

    Args:
        path: The file.
        parts: Its content.

    Raises:
        CheckpointError: If it cannot be written; the file there was is kept.
    """
    try:
        target = Path(os.path.realpath(path))
        _check_place(target, path)
        _remove_leftovers(target)
        before_operation("create")
        temporary, descriptor = _create_beside(target)
        try:
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                for part in parts:
                    before_operation("write")
                    _write_all(file.write, part)
                before_operation("sync")
                _to_disk(file.fileno())
                before_operation("replace")
                temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _folder_to_disk(target.parent)
    except OSError as error:
        why = _ADVICE.get(error.errno or 0, f"the system refused: {error.strerror}")
        raise CheckpointError(f"{path} was not saved: {why}. What was there before is kept") from error
    except ValueError as error:
        raise CheckpointError(f"{path!r} was not saved: it can be no file's name ({error})") from None


def _check_place(target: Path, path: str | os.PathLike[str]) -> None:
    if target.is_dir():
        raise CheckpointError(
            f"{path} was not saved: it is a folder. Give the name of a file, such as {path}/world.instar"
        )
    if not target.parent.is_dir():
        raise CheckpointError(
            f"{path} was not saved: there is no folder {target.parent}. Make it first, or save elsewhere"
        )
    if target.exists() and not target.is_file():
        raise CheckpointError(f"{path} was not saved: it is no ordinary file and was left alone. Save elsewhere")


def _create_beside(target: Path) -> tuple[Path, int]:
    """A new file in the same folder, locked for as long as it is open, so that others see that it is in use."""
    while True:
        temporary = target.with_name(f"{_prefix(target)}{secrets.token_hex(4)}.saving")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        _lock(descriptor)
        if os.fstat(descriptor).st_nlink:
            return temporary, descriptor
        os.close(descriptor)  # somebody took it for a leftover before it was locked


def _remove_leftovers(target: Path) -> None:
    prefix = _prefix(target)
    for entry in os.scandir(target.parent):
        if entry.name.startswith(prefix) and entry.name.endswith(".saving"):
            _remove_unless_locked(Path(entry.path))


def _remove_unless_locked(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return
    try:
        if _lock(descriptor):
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _prefix(target: Path) -> str:
    """How the temporary names of a file begin; short enough for every file system."""
    return f".{target.name[:60]}."


def _lock(descriptor: int) -> bool:
    """Lock a file; whether that worked. Where there are no locks, files are left alone."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _write_all(write: Callable[[memoryview], int | None], part: bytes) -> None:
    left = memoryview(part)
    while left:
        left = left[write(left) or 0 :]


def _to_disk(descriptor: int) -> None:
    full = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: fsync alone stops at the drive's cache
    if full is None:
        os.fsync(descriptor)
    else:
        fcntl.fcntl(descriptor, full)


def _folder_to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # file systems that know no such thing
            raise
    finally:
        os.close(descriptor)
