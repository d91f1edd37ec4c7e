"""The header of a checkpoint: what is in it, as plain values that JSON can hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from instar.hmr.state.checkpoint.header.document import BadHeader, Part, parse
from instar.hmr.state.checkpoint.header.fields import field_document, read_field
from instar.hmr.state.errors import SchemaError
from instar.hmr.state.fields import Field
from instar.hmr.state.schema import MAX_CAPACITY, Schema

MOST_TABLES = 4096
MOST_COLUMNS = 4096
MOST_FRAME = 2**62

INDEX_COLUMNS = {"header": 8, "id": 8, "slots": 8, "free": 4}
"""The columns of every table besides its fields, with their element's bytes."""


@dataclass(frozen=True, slots=True)
class SavedColumn:
    """One column of a checkpoint.

    Attributes:
        name: The field's, or one of `INDEX_COLUMNS`.
        field: The field whose cells it holds; None for a column of the index.
        visible: Whether the field is one of the schema's; if not, it is parked.
        born: The frame since which there is the column.
        bytes: The bytes in use.
        formers: The names the field had before, oldest first.
    """

    name: str
    field: Field | None
    visible: bool
    born: int
    bytes: int
    formers: tuple[str, ...] = ()

    @property
    def element_bytes(self) -> int:
        """The bytes of one number in it."""
        return INDEX_COLUMNS[self.name] if self.field is None else self.field.type.dtype.itemsize

    @property
    def kind(self) -> str:
        """Its type, for people."""
        return f"u{8 * INDEX_COLUMNS[self.name]}" if self.field is None else str(self.field.type)


@dataclass(frozen=True, slots=True)
class SavedTable:
    """One table of a checkpoint.

    Attributes:
        schema: Its schema.
        visible: Whether the program showed it; if not, it is parked.
        born: The frame since which there is the table.
        rows: Its rows.
        slots: How many slots were ever handed out.
        free: How many slots wait on the free list.
        columns: Its columns: those of the index first, then the fields' in order of their creation.
        formers: The names it had before, oldest first.
    """

    schema: Schema
    visible: bool
    born: int
    rows: int
    slots: int
    free: int
    columns: tuple[SavedColumn, ...]
    formers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The table's name."""
        return self.schema.table


@dataclass(frozen=True, slots=True)
class Header:
    """What a checkpoint holds.

    Attributes:
        frame: The frame it was taken at.
        meta: What the layer above remembers with it: any JSON.
        tables: Its tables in order of their creation.
    """

    frame: int
    meta: Mapping[str, Any]
    tables: tuple[SavedTable, ...]

    def encode(self) -> bytes:
        """The header as JSON text."""
        document = {"frame": self.frame, "meta": self.meta, "tables": [_table_document(table) for table in self.tables]}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()

    @classmethod
    def decode(cls, data: bytes) -> Header:
        """Read a header that was checked to be what was written, but trust nothing in it.

        Raises:
            BadHeader: If it makes no sense; says what and where.
        """
        root = parse(data)
        frame = root.whole("frame", MOST_FRAME)
        tables = tuple(_table(part, frame) for part in root.parts("tables", MOST_TABLES))
        names = [table.name for table in tables]
        for name in names:
            if names.count(name) > 1:
                raise BadHeader(f"table {name} is there twice")
        return cls(frame, root.mapping("meta"), tables)


def _table_document(table: SavedTable) -> dict[str, Any]:
    return {
        "name": table.name,
        "visible": table.visible,
        "born": table.born,
        "capacity": table.schema.capacity,
        "rows": table.rows,
        "slots": table.slots,
        "free": table.free,
        "schema": list(table.schema.fields),
        "columns": [
            {
                "name": column.name,
                "born": column.born,
                "visible": column.visible,
                "field": None if column.field is None else field_document(column.field),
            }
            | _formers_document(column.formers)
            for column in table.columns
        ],
    } | _formers_document(table.formers)


def _formers_document(formers: tuple[str, ...]) -> dict[str, Any]:
    return {"formers": list(formers)} if formers else {}


def _formers(part: Part) -> tuple[str, ...]:
    return tuple(part.texts("formers", MOST_COLUMNS)) if part.has("formers") else ()


def _table(part: Part, frame: int) -> SavedTable:
    name = part.text("name")
    if not name.isidentifier():
        raise BadHeader(f"{part.place}: {name!r} cannot name a table")
    capacity = part.whole("capacity", MAX_CAPACITY)
    rows, slots = part.whole("rows", capacity), part.whole("slots", MAX_CAPACITY)
    free = part.whole("free", slots)
    columns = tuple(_column(one, frame, rows, slots, free) for one in part.parts("columns", MOST_COLUMNS))
    schema = _schema(part, name, capacity, columns)
    if [column.name for column in columns if column.field is None] != list(INDEX_COLUMNS):
        raise BadHeader(f"{part.place}: its index is not made of {', '.join(INDEX_COLUMNS)}")
    if rows + free > slots:
        raise BadHeader(f"{part.place}: {rows} rows and {free} free slots do not fit into {slots} slots")
    born = part.whole("born", frame)
    return SavedTable(schema, part.flag("visible"), born, rows, slots, free, columns, _formers(part))


def _schema(part: Part, name: str, capacity: int, columns: tuple[SavedColumn, ...]) -> Schema:
    keys = [(column.name, column.field.type) for column in columns if column.field is not None]
    if len(set(keys)) != len(keys):
        raise BadHeader(f"{part.place}: a column is there twice")
    shown = {column.name: column.field for column in columns if column.field is not None and column.visible}
    order = part.texts("schema", MOST_COLUMNS)
    if sorted(order) != sorted(column.name for column in columns if column.field is not None and column.visible):
        raise BadHeader(f"{part.place}: its schema names other fields than its columns")
    try:
        return Schema.build(name, {field: shown[field] for field in order}, capacity)
    except SchemaError as error:
        raise BadHeader(f"{part.place}: {error}") from None


def _column(part: Part, frame: int, rows: int, slots: int, free: int) -> SavedColumn:
    name, born, visible = part.text("name"), part.whole("born", frame), part.flag("visible")
    described = part.part("field")
    if described is None:
        sizes = {"header": 24, "id": 8 * rows, "slots": 8 * slots, "free": 4 * free}
        if name not in sizes:
            raise BadHeader(f"{part.place}: {name!r} is no column of an index")
        return SavedColumn(name, None, visible, born, sizes[name])
    field = read_field(described, name)
    return SavedColumn(name, field, visible, born, rows * field.type.cell_bytes, _formers(part))
