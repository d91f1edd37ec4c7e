"""One persisted value: as modules see it, and as commits do."""

from __future__ import annotations

import marshal
from typing import Any, Generic, TypeVar

from instar.hmr.state.persistence.errors import PersistError
from instar.hmr.state.persistence.plain import HOLDS, MOST_BYTES, NotPlain, decode, encode, is_frozen

_MARSHAL_VERSION = 2
"""The last one whose bytes do not depend on how often an object is referred to."""
_ATOMS = frozenset((int, float, bool, type(None)))

T = TypeVar("T")


class _Absent:
    def __repr__(self) -> str:
        return "<not there>"


ABSENT: Any = _Absent()


class Entry:
    """One value of a state: the object that modules have, and the bytes that were last taken of it.

    Attributes:
        key: Module and name.
        place: `file:line` of what persists it; empty where no file does.
        value: The object; `ABSENT` where the frame has none.
        encoded: The bytes in the state; empty where it has none.
    """

    __slots__ = ("_frozen", "_mark", "_next_mark", "_taken", "encoded", "key", "place", "value")

    def __init__(self, key: str, place: str = "") -> None:
        self.key = key
        self.place = place
        self.value: Any = ABSENT
        self.encoded = b""
        self._taken: Any = ABSENT
        self._frozen = True
        self._mark = b""
        self._next_mark = b""

    @property
    def name(self) -> str:
        """The name that modules call it by."""
        return self.key.rpartition(".")[2]

    def assign(self, value: object) -> None:
        """Have another value.

        Raises:
            PersistError: If it is no plain data; the value before is kept.
        """
        if type(value) not in _ATOMS:
            self.encode(value, "The value before is kept")
        self.value = value

    def encode(self, value: object, kept: str) -> bytes:
        """The bytes of a value for this entry.

        Raises:
            PersistError: If it is no plain data; says what ``kept`` says.
        """
        try:
            return encode(value)
        except NotPlain as error:
            problem = str(error)
            limits = "" if "bytes" in problem else f"; what is persisted is {HOLDS}, {MOST_BYTES >> 10} KB of it"
            advice = (
                "Keep objects such as windows and sockets with keep(), and write numbers of NumPy as int(…) or float(…)"
            )
            where = f"{self.place}: " if self.place else ""
            raise PersistError(f"{where}{self.name}.value{problem}{limits}. {kept}. {advice}", self.key) from None

    def changed(self) -> bytes | None:
        """The bytes of the value as it is now; None if those in the state are.

        Raises:
            PersistError: If something was put into it that is no plain data.
        """
        value = self.value
        if value is ABSENT or (self._frozen and value is self._taken):
            return None
        mark = b"" if type(value) in _ATOMS else _marked(value)
        if mark and mark == self._mark:
            return None
        encoded = self.encode(value, "What is committed is kept")
        if encoded == self.encoded:
            self._take(value, mark)
            return None
        self._next_mark = mark
        return encoded

    def settle(self, encoded: bytes) -> None:
        """Note that these bytes of the value are in the state now."""
        self.encoded = encoded
        self._take(self.value, self._next_mark)

    def become(self, encoded: bytes) -> None:
        """Have the value of some bytes of the state: a new object, unless it could not change; none for no bytes.

        Raises:
            NotTold: If they tell none.
        """
        if encoded and encoded == self.encoded and self._frozen and self.value is self._taken:
            return
        value = decode(encoded) if encoded else ABSENT
        self.encoded = encoded
        self.value = value
        self._take(value, b"" if type(value) in _ATOMS or value is ABSENT else _marked(value))

    def _take(self, value: object, mark: bytes) -> None:
        self._taken = value
        self._mark = mark
        self._frozen = type(value) in _ATOMS or value is ABSENT or is_frozen(value)


class Persisted(Generic[T]):
    """A box with a value of plain data, which is part of the world: committed, rolled back, saved with each frame.

    Attributes:
        value: None, bool, int, float, str, bytes, list, tuple, dict, set, nested, 64 KB at most. It may be assigned, and lists,
            dicts and sets changed in place. After a rollback it is another object.
    """

    __slots__ = ("_entry",)

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    @property
    def value(self) -> T:  # noqa: D102 - told by the class
        value = self._entry.value
        if value is ABSENT:
            raise PersistError(_missing(self._entry), self._entry.key)
        return value  # type: ignore[no-any-return]

    @value.setter
    def value(self, value: T) -> None:
        if self._entry.value is ABSENT:
            raise PersistError(_missing(self._entry), self._entry.key)
        self._entry.assign(value)

    def bind(self, entry: Entry) -> None:
        """Stand for an entry of a state from now on."""
        entry.place = self._entry.place or entry.place
        self._entry = entry

    def __repr__(self) -> str:
        return f"<persisted {self._entry.key}: {self._entry.value!r}>"


def _missing(entry: Entry) -> str:
    where = f"{entry.place}: " if entry.place else ""
    return (
        f"{where}{entry.name}.value is asked for where the world has none: while the file is imported, or in a frame before it "
        f"was persisted. Nothing has changed; use it in hooks, and begin it with persist({entry.name!r}, …)"
    )


def _marked(value: object) -> bytes:
    """Bytes that are others if the value is another one; far cheaper than to encode it, but only for this process."""
    try:
        return marshal.dumps(value, _MARSHAL_VERSION)  # type: ignore[arg-type]
    except ValueError:
        return b""
