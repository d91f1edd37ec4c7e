"""The three standard streams, present even where the caller closed them."""

from __future__ import annotations

import os
import sys


def open_missing_streams() -> None:
    """Opens /dev/null in place of standard streams that are closed, so that no other file takes their number."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != fd:
                os.dup2(opened, fd)
                os.close(opened)
            os.set_inheritable(fd, True)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  lives as long as the process
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def flush_output() -> bool:
    """Writes out what standard output still holds; False where nobody can take it any more."""
    try:
        sys.stdout.flush()
    except OSError:
        abandon_output()
        return False
    return True


def abandon_output() -> None:
    """Sends what is left of standard output nowhere, so that the interpreter does not complain when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
