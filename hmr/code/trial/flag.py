"""Whether this process is the one in which edits are tried."""

from __future__ import annotations

_trying = False


def trying() -> bool:
    """Returns whether what is executed now is only tried: nothing that lasts or that people see should be made."""
    return _trying


def begin_trying() -> None:
    """Makes this process one in which edits are tried, for good."""
    global _trying  # noqa: PLW0603 - it is a property of the process
    _trying = True
