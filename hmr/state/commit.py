"""What a commit reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Commit:
    """What one commit did.

    Attributes:
        frame: The frame that is now committed.
        lines: How many 64-byte lines had changed.
        bytes: The bytes of those lines.
        seconds: How long it took.
    """

    frame: int
    lines: int
    bytes: int
    seconds: float
