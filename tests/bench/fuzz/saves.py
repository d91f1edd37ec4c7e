"""The ways in which editors and tools save a file, each with the pauses that a slow one makes.

Every way returns when the save was done, in monotonic ns: from then on the new content is what the file holds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

Way = Callable[[Path, bytes, Random], int]


def _now() -> int:
    return time.monotonic_ns()


def in_place(path: Path, data: bytes, _moments: Random) -> int:
    """nano, VS Code: truncate and write."""
    with path.open("wb", buffering=0) as file:
        file.write(data)
    return _now()


def in_pieces(path: Path, data: bytes, moments: Random) -> int:
    """An editor with a small buffer on a slow disk: the file is cut off at several places for a while."""
    cuts = sorted(moments.randrange(len(data)) for _ in range(moments.randint(1, 4)))
    with path.open("wb", buffering=0) as file:
        for start, stop in zip([0, *cuts], [*cuts, len(data)], strict=True):
            file.write(data[start:stop])
            if stop < len(data):
                time.sleep(moments.choice((0, 0.0005, 0.004, 0.02, 0.04)))
    return _now()


def over_old(path: Path, data: bytes, moments: Random) -> int:
    """Written over the old bytes in two pieces, then cut to its length: new head, old tail in between."""
    with path.open("r+b" if path.exists() else "wb", buffering=0) as file:
        middle = moments.randrange(len(data))
        file.write(data[:middle])
        time.sleep(moments.choice((0, 0.001, 0.02)))
        file.write(data[middle:])
        file.truncate()
    return _now()


def emptied_first(path: Path, data: bytes, moments: Random) -> int:
    """The file is emptied and closed; then opened again and written."""
    path.write_bytes(b"")
    time.sleep(moments.choice((0, 0.002, 0.03)))
    with path.open("ab", buffering=0) as file:
        file.write(data)
    return _now()


def by_rename(path: Path, data: bytes, moments: Random) -> int:
    """Emacs, PyCharm, rsync: a temporary file beside it takes its name."""
    names = ("{0}.tmp", ".{0}.swp~", "{0}___jb_tmp___", ".{0}.Xa7dQ2", "{1}_tmp.py", "#{0}#")
    beside = path.with_name(moments.choice(names).format(path.name, path.stem))
    beside.write_bytes(data)
    time.sleep(moments.choice((0, 0, 0.003, 0.02)))
    beside.replace(path)
    return _now()


def from_elsewhere(path: Path, data: bytes, moments: Random) -> int:
    """Made in another folder and moved in."""
    elsewhere = path.parents[2] / f"elsewhere-{moments.randrange(10)}"
    elsewhere.mkdir(exist_ok=True)
    made = elsewhere / path.name
    made.write_bytes(data)
    made.replace(path)
    return _now()


def backup_first(path: Path, data: bytes, moments: Random) -> int:
    """The old file becomes the backup, the new one is written under the name."""
    if path.exists():
        path.replace(path.with_name(moments.choice(("{}~", "{}.bak", "{}.orig")).format(path.name)))
    time.sleep(moments.choice((0, 0, 0.002)))
    return in_place(path, data, moments) if moments.random() < 0.5 else in_pieces(path, data, moments)


def like_vim(path: Path, data: bytes, moments: Random) -> int:
    """vim: probe the folder with a file 4913, back up by renaming, write, remove the backup."""
    probe = path.with_name("4913")
    probe.touch()
    probe.unlink()
    backup = path.with_name(f"{path.name}~")
    if path.exists():
        path.replace(backup)
    with path.open("wb", buffering=0) as file:
        file.write(data)
        os.fsync(file.fileno()) if moments.random() < 0.2 else None
    done = _now()
    backup.unlink(missing_ok=True)
    return done


def by_sed(path: Path, data: bytes, _moments: Random) -> int:
    """`sed -i`, which only changes the tags; where the rest differs too, a script that does the same by itself."""
    old = path.read_bytes() if path.exists() else b""
    before, after = old[6:13], data[6:13]
    if shutil.which("sed") is None or old.replace(before, after) != data:
        return by_rename(path, data, Random(0))
    subprocess.run(["sed", "-i", f"s/{before.decode()}/{after.decode()}/g", str(path)], check=True)
    return _now()


def anew(path: Path, data: bytes, moments: Random) -> int:
    """Deleted, then created and written."""
    path.unlink(missing_ok=True)
    time.sleep(moments.choice((0, 0.001, 0.01)))
    return in_place(path, data, moments) if moments.random() < 0.5 else in_pieces(path, data, moments)


def by_hard_link(path: Path, data: bytes, _moments: Random) -> int:
    """A finished file gets the name as its second one: nothing is ever written or moved there."""
    made = path.with_name(f".{path.name}.new")
    made.write_bytes(data)
    path.unlink(missing_ok=True)
    os.link(made, path)
    done = _now()
    made.unlink()
    return done


def backup_by_link(path: Path, data: bytes, moments: Random) -> int:
    """The old content keeps a second name; a temporary file takes the first."""
    backup = path.with_name(f"{path.name}~")
    backup.unlink(missing_ok=True)
    if path.exists():
        os.link(path, backup)
    return by_rename(path, data, moments)


def same_time(path: Path, data: bytes, moments: Random) -> int:
    """Written in place, and given the time of the content before: tools that go by time see no change."""
    before = path.stat() if path.exists() else None
    done = in_place(path, data, moments)
    if before is not None:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return done


def by_copy(path: Path, data: bytes, moments: Random) -> int:
    """`cp -p other file`: written in place, with the times and mode of another file."""
    other = path.parents[2] / f"copied-{moments.randrange(10)}"
    other.write_bytes(data)
    shutil.copy2(other, path)
    return _now()


WAYS: Mapping[str, tuple[Way, int]] = {
    "in place": (in_place, 12),
    "in pieces": (in_pieces, 14),
    "over old": (over_old, 4),
    "emptied first": (emptied_first, 3),
    "rename": (by_rename, 14),
    "from elsewhere": (from_elsewhere, 5),
    "backup first": (backup_first, 6),
    "vim": (like_vim, 8),
    "sed -i": (by_sed, 1),
    "anew": (anew, 5),
    "hard link": (by_hard_link, 4),
    "backup by link": (backup_by_link, 3),
    "same time": (same_time, 6),
    "copy": (by_copy, 4),
}
"""Name → way and how often it is taken."""


def choose(moments: Random) -> str:
    """A way to save."""
    return moments.choices(list(WAYS), [weight for _, weight in WAYS.values()])[0]


# what is no save


def touch(path: Path, moments: Random) -> None:
    """Another time, the same content."""
    if path.exists():
        os.utime(path) if moments.random() < 0.5 else os.utime(path, (1, 1))


def litter(path: Path, moments: Random) -> None:
    """What editors leave beside a file: locks, swap files, auto-saves, backups, caches."""
    garbage = b"this is = no python\n"
    name = moments.choice(
        (f".{path.name}.swp", f"#{path.name}#", f"{path.name}~", "4913", f"{path.stem}.py.orig", "lock")
    )
    if name == "lock":
        lock = path.with_name(f".#{path.name}")
        lock.unlink(missing_ok=True)
        lock.symlink_to("user@host.1234:1")
        lock.unlink()
        return
    beside = path.with_name(name)
    beside.write_bytes(garbage)
    if moments.random() < 0.5:
        beside.unlink()


def chmod(path: Path, moments: Random) -> None:
    """Permissions go and come back."""
    if path.exists():
        path.chmod(0o000 if moments.random() < 0.5 else 0o444)
        time.sleep(moments.choice((0, 0.002)))
        path.chmod(0o644)
