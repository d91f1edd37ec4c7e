"""What can be wrong with a checkpoint, in memory or in a file."""

from __future__ import annotations

from instar.native.errors import InstarError


class CheckpointError(InstarError):
    """A checkpoint cannot be taken, written, read or trusted; the world and the files there were are as before."""


class DamagedError(CheckpointError):
    """A checkpoint holds something else than what was written: truncated, flipped, or never a checkpoint at all."""


def damaged(source: str, what: str) -> DamagedError:
    """The error for bytes that cannot be trusted.

    Args:
        source: The file, or which checkpoint in memory.
        what: What was found, and where.
    """
    return DamagedError(
        f"{source} is damaged: {what}. Nothing was loaded and the file was left as it is; load an older save, or start anew"
    )
