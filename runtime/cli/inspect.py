"""`instar inspect`: what a saved world holds, and whether it can be trusted."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from instar.hmr.state import Checkpoint, CheckpointError
from instar.hmr.state.checkpoint import PackedColumn, SavedColumn


def inspect(args: argparse.Namespace) -> int:
    """Print what a file holds; 1 if it is damaged, or no file of ours."""
    error: CheckpointError | None = None
    document: dict[str, Any] = {"file": args.file}
    try:
        checkpoint = Checkpoint.read(args.file)
        document |= _document(checkpoint)
        checkpoint.verify()
    except CheckpointError as found:
        error = found
    document |= {"ok": error is None, "error": None if error is None else str(error)}
    if args.json:
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        return int(error is not None)
    if "tables" in document:
        sys.stdout.write("\n".join(_lines(document)) + "\n")
    if error is not None:
        raise error
    sys.stdout.write("verified: every byte fits its checksum, and every id leads to its row\n")
    return 0


def _document(checkpoint: Checkpoint) -> dict[str, Any]:
    world = checkpoint.meta.get("world")
    return {
        "format": checkpoint.version,
        "frame": checkpoint.frame,
        **{
            key: world.get(key) if isinstance(world, dict) else None
            for key in ("scene", "title", "seed", "fps", "params")
        },
        "bytes": checkpoint.bytes,
        "raw_bytes": checkpoint.raw_bytes,
        "tables": {
            name: {
                "rows": table.rows,
                "capacity": table.schema.capacity,
                "parked": not table.visible,
                "columns": [
                    _column(column, packed)
                    for column, packed in zip(table.columns, checkpoint.columns[name], strict=True)
                ],
            }
            for name, table in checkpoint.tables.items()
        },
    }


def _column(column: SavedColumn, packed: PackedColumn) -> dict[str, Any]:
    filters = Counter(str(block.filter) for block in packed.blocks)
    rounded = any(block.rounded for block in packed.blocks)
    return {
        "name": column.name,
        "type": column.kind,
        "raw_bytes": column.bytes,
        "bytes": packed.stored_bytes,
        "saved_percent": round(100 * (1 - packed.stored_bytes / column.bytes), 2) if column.bytes else None,
        "filters": dict(filters),
        "rounded_to": column.field.step if rounded and column.field is not None else None,
        "parked": not column.visible,
        "index": column.field is None,
    }


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield f"{document['file']}: frame {document['frame']}, format version {document['format']}"
    if document["scene"] is not None:
        yield f"  scene   {document['title']} ({document['scene']})"
        yield f"  seed    {document['seed']}, {document['fps']:g} frames per second"
        params = {
            f"{file}.{name}": value for file, found in document["params"].items() for name, value in found.items()
        }
        if params:
            yield "  params  " + ", ".join(f"{name} = {value}" for name, value in params.items())
    yield f"  stored  {document['bytes']:,} bytes for {document['raw_bytes']:,}"
    for name, table in document["tables"].items():
        parked = ", parked" if table["parked"] else ""
        yield f"{name}: {table['rows']:,} of {table['capacity']:,} rows{parked}"
        yield from _aligned([("column", "type", "bytes", "stored", "saved", "filter"), *map(_cells, table["columns"])])


def _cells(column: dict[str, Any]) -> tuple[str, ...]:
    kinds = " ".join(column["filters"]) or "-"
    notes = f", rounded to {column['rounded_to']:g}" if column["rounded_to"] is not None else ""
    saved = "-" if column["saved_percent"] is None else f"{column['saved_percent']:.1f} %"
    name = column["name"] + (" (index)" if column["index"] else " (parked)" if column["parked"] else "")
    return name, column["type"], f"{column['raw_bytes']:,}", f"{column['bytes']:,}", saved, kinds + notes


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as a table: texts to the left, numbers to the right."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if 2 <= place <= 4 else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield ("  " + "  ".join(cells)).rstrip()
