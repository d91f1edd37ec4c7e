"""What can go wrong with persisted values."""

from __future__ import annotations

from instar.native.errors import InstarError


class PersistError(InstarError):
    """A persisted value is not plain data, too large, or asked for where there is none.

    Attributes:
        key: The value's key, module and name.
    """

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


class UnknownValueError(PersistError, KeyError):
    """There is no persisted value of that key."""

    __str__ = Exception.__str__
