"""What can be wrong with a command line."""

from __future__ import annotations

from instar.native.errors import InstarError

__all__ = ["InstarError", "UsageError"]


class UsageError(InstarError):
    """The command was written wrong; the command ends with exit code 2."""
