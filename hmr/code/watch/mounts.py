"""Folders that others can change without this system being told."""

from __future__ import annotations

import os
import re
import secrets
import time
from pathlib import Path

from instar.hmr.code.watch.feed import Feed, Kind

_REMOTE = re.compile(
    r"^(nfs4?|cifs|smb\w*|9p|virtiofs|vboxsf|prl_fs|drvfs|ceph|afs|lustre|gpfs|beegfs|coda|ncpfs|fuse(\.(?!portal).*)?)$"
)
"""File systems behind which another system may write: hosts of virtual machines and containers, other machines."""
_PROBE_SECONDS = 2.0
_OCTAL = re.compile(r"\\([0-7]{3})")


def remote_kind(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str | None:
    """Returns the kind of the file system that a folder is on, if others can write to it unnoticed; else None."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    real = Path(os.path.realpath(folder))
    nearest, found = -1, ""
    for line in lines:
        before, _, after = line.partition(" - ")
        place = Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), before.split()[4]))
        if real.is_relative_to(place) and len(place.parts) >= nearest:
            nearest, found = len(place.parts), after.split()[0]
    return found if _REMOTE.match(found) else None


def hears(feed: Feed, root: Path) -> bool:
    """Returns whether a feed tells of a file that is written now; true if none can be written."""
    probe = root / f".instar_{secrets.token_hex(4)}.tmp"
    try:
        probe.write_bytes(b"instar sees whether it is told of this file\n")
    except OSError:
        return True
    try:
        until = time.monotonic() + _PROBE_SECONDS
        while (left := until - time.monotonic()) > 0:
            if any(path == probe and kind is Kind.ASIDE for path, kind in feed.wait(left)):
                return True
        return False
    finally:
        probe.unlink(missing_ok=True)
