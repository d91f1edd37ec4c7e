"""What may stand in place of the scene file's words for one run."""

from __future__ import annotations

from instar.faults import WorldError

MAX_FPS = 1000


def check_overrides(seed: object, fps: object) -> None:
    """See that a seed and frames per second, where given, are possible.

    Raises:
        WorldError: They are not.
    """
    if seed is not None and not (isinstance(seed, int) and 0 <= seed < 1 << 64):
        raise WorldError(f"seed={seed!r} is no whole number from 0 to 2^64 - 1; no world was opened")
    if fps is not None and not (isinstance(fps, int | float) and 0 < fps <= MAX_FPS):
        raise WorldError(f"fps={fps!r} is no number above 0 and up to {MAX_FPS}; no world was opened")
