"""The persisted values of a state, which lie as bytes in a table of their own that no schema names."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, TypeVar

from instar.hmr.state.aging import Timeline
from instar.hmr.state.catalog import Catalog
from instar.hmr.state.catalog.travel import forget_redo
from instar.hmr.state.errors import MemoryLimitError
from instar.hmr.state.memory import MemoryLimit
from instar.hmr.state.persistence.box import ABSENT, Entry, Persisted
from instar.hmr.state.persistence.errors import PersistError, UnknownValueError
from instar.hmr.state.persistence.plain import NotTold
from instar.hmr.state.persistence.records import MOST_KEY_BYTES, Slot, fits, lay_out, parse, write
from instar.hmr.state.persistence.storage import ROW_BYTES, SCHEMA
from instar.hmr.state.table import Table
from instar.native import crc64

# Values and the table that holds them are one concept in two files.
# ruff: noqa: SLF001

T = TypeVar("T")


class PersistedValues(MutableMapping[str, Any]):
    """All persisted values of a state by key: ``state.persisted["score"]``, in a world ``world.persisted["game.score"]``.

    Values can be read and assigned; `begin` adds one, and nothing removes any: what no module names any more waits for its
    return.

    Attributes:
        limit: What they have to live within, if memory is limited.

    Args:
        catalog: Where the table of the values is.
        history: Whose frames they are part of.
        limit: As the attribute.
    """

    def __init__(self, catalog: Catalog, history: Timeline, limit: MemoryLimit | None) -> None:
        self._catalog = catalog
        self._history = history
        self.limit = limit
        self._entries: dict[str, Entry] = {}
        self._slots: dict[str, Slot] = {}

    def __getitem__(self, key: str) -> Any:
        return self._found(key).value

    def __setitem__(self, key: str, value: object) -> None:
        self._found(key).assign(value)

    def __delitem__(self, key: str) -> None:
        self._found(key)
        raise PersistError(f"{key} stays: a persisted value that no module names waits for its return", key)

    def __contains__(self, key: object) -> bool:
        entry = self._entries.get(key) if isinstance(key, str) else None
        return entry is not None and entry.value is not ABSENT

    def __iter__(self) -> Iterator[str]:
        return iter([key for key, entry in self._entries.items() if entry.value is not ABSENT])

    def __len__(self) -> int:
        return sum(entry.value is not ABSENT for entry in self._entries.values())

    def __repr__(self) -> str:
        return f"<persisted {', '.join(f'{key}: {value!r}' for key, value in self.items()) or 'nothing'}>"

    def entry(self, key: str) -> Entry:
        """The entry of a key, the same one for good, whether or not it has a value.

        Raises:
            PersistError: If the key is none.
        """
        if not (isinstance(key, str) and 0 < len(key.encode("utf-8", "surrogatepass")) <= MOST_KEY_BYTES):
            raise PersistError(f"{key!r} cannot name a value: use a text of 1 to {MOST_KEY_BYTES} bytes")
        if key not in self._entries:
            self._entries[key] = Entry(key)
        return self._entries[key]

    def begin(self, key: str, default: T) -> Persisted[T]:
        """A value of plain data that is committed, rolled back and saved with the tables.

        Args:
            key: Its name.
            default: What it begins with, as part of the committed frame, if there is none of that name yet.

        Returns:
            A box with its value.

        Raises:
            PersistError: If the key or the default is none that can be; nothing has changed.
        """
        entry = self.entry(key)
        if entry.value is ABSENT:
            encoded = entry.encode(default, "Nothing has changed")
            forget_redo(self._catalog, self._history)
            table = self._write({key: encoded})
            self._history.commit(self._history.current, tuple(table._changeable()))
            table._settled()
            entry.become(encoded)
        return Persisted(entry)

    def flush(self) -> None:
        """Write what has changed into the live bytes of the table.

        Raises:
            PersistError: If something was put into a value that is no plain data; nothing is written.
        """
        changed = {}
        for key, entry in self._entries.items():
            encoded = entry.changed()
            if encoded is not None:
                changed[key] = encoded
        if changed:
            self._write(changed)
            for key, encoded in changed.items():
                self._entries[key].settle(encoded)

    def uncommitted(self) -> str | None:
        """What differs from the bytes of the table, for people; None if nothing does."""
        for key, entry in self._entries.items():
            try:
                changed = entry.changed() is not None
            except PersistError:
                changed = True
            if changed:
                return f"the persisted value {key} was changed"
        return None

    def reload(self) -> None:
        """Have the values that lie in the live bytes of the table: new objects, wherever they can change.

        Raises:
            PersistError: If the bytes are none that values are written as.
        """
        try:
            values, self._slots = parse(self._bytes())
            for key in values:
                self.entry(key)
            for key, entry in self._entries.items():
                entry.become(values.get(key, b""))
        except NotTold as error:
            raise PersistError(f"the persisted values cannot be read: {error}. Return to another frame") from None

    def fold_crc(self, crc: int) -> int:
        """Fold the committed bytes of the values, if there ever were some, into a CRC-64/NVME."""
        table = self._catalog.all.get(SCHEMA.table)
        return crc if table is None else crc64(table._columns.visible["data"].column.chunk_crcs(), crc)

    def _found(self, key: str) -> Entry:
        if key not in self:
            known = list(self)
            near = difflib.get_close_matches(str(key), known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UnknownValueError(
                f"there is no persisted value {key!r}{hint} (there are {', '.join(known) or 'none'})", str(key)
            )
        return self._entries[key]

    def _bytes(self) -> bytes:
        table = self._catalog.all.get(SCHEMA.table)
        return b"" if table is None else bytes(table._columns.visible["data"].column.live[: len(table) * ROW_BYTES])

    def _write(self, changed: Mapping[str, bytes]) -> Table:
        """Write values into the live bytes of their table, which is there afterwards."""
        table = self._catalog.all.get(SCHEMA.table) or self._reserve()
        lineage = table._columns.visible["data"]
        slots = self._slots
        if all(key in slots and fits(slots[key], encoded) for key, encoded in changed.items()):
            live = lineage.column.live
            for key, encoded in changed.items():
                write(live, slots[key], encoded, len(self._entries[key].encoded))
        else:
            kept = {key: entry.encoded for key, entry in self._entries.items() if entry.encoded}
            data, slots = lay_out({**kept, **changed})
            try:
                _resize(table, -(-len(data) // ROW_BYTES))
            except MemoryLimitError as error:
                raise PersistError(
                    f"there is no memory for the persisted values: {error}", next(iter(changed))
                ) from None
            self._slots = slots
            lineage.column.live[: len(table) * ROW_BYTES] = data.ljust(len(table) * ROW_BYTES, b"\0")
        table._views.mark(lineage)
        return table

    def _reserve(self) -> Table:
        table = self._catalog.reserve(SCHEMA, self._history)
        if self.limit is not None:
            self.limit.watch([table])
        return table


def _resize(table: Table, rows: int) -> None:
    """Give the table so many rows, or a few more."""
    if rows > len(table):
        table.spawn(rows - len(table))
    elif rows < len(table) // 4:
        table.despawn(slice(rows, None))
        table._flush()
