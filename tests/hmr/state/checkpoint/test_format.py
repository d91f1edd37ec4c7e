"""The file format: nothing in a file is believed, and files of every version stay readable."""

from __future__ import annotations

import json
import os
import struct
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from instar.hmr.state import Checkpoint, CheckpointError, StateManager, f64
from instar.hmr.state.checkpoint import DamagedError
from instar.hmr.state.checkpoint.blocks import Block, Filter
from instar.hmr.state.checkpoint.layout import PREAMBLE, lay_out
from instar.hmr.state.checkpoint.packing import PackedColumn
from instar.native import InstarError, crc64

GOLDEN = Path(__file__).parent / "golden"
HUGE = 2**31
STATM = Path("/proc/self/statm")


def resident_bytes() -> int:
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_a_flipped_bit_anywhere_is_an_error(small_file):
    for place in range(len(small_file)):
        for bit in range(8):
            torn = bytearray(small_file)
            torn[place] ^= 1 << bit
            with pytest.raises(CheckpointError):
                Checkpoint.from_bytes(bytes(torn), "test").verify()


def test_a_byte_too_few_or_too_many_is_an_error(small_file):
    for length in range(len(small_file)):
        with pytest.raises(CheckpointError):
            Checkpoint.from_bytes(small_file[:length], "test")
    with pytest.raises(DamagedError, match=r"it has [\d,]+ bytes and was written with"):
        Checkpoint.from_bytes(small_file + b"\0", "test")


def test_a_truncated_file_is_noticed_before_it_is_read(small_file, tmp_path):
    (tmp_path / "torn").write_bytes(small_file[:-1])
    with pytest.raises(DamagedError, match="torn is damaged: it has"):
        Checkpoint.read(tmp_path / "torn")


def resealed(data: bytes, place: int, value: bytes) -> bytes:
    """A file whose preamble says something else, with the checksum that fits it."""
    changed = bytearray(data)
    changed[place : place + len(value)] = value
    changed[56:64] = struct.pack("<Q", crc64(changed[:56]))
    return bytes(changed)


def test_a_newer_version_says_so(small_file):
    with pytest.raises(CheckpointError, match=r"format version 2, and this Instar reads up to version 1.*newer Instar"):
        Checkpoint.from_bytes(resealed(small_file, 8, struct.pack("<I", 2)), "test")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (8, struct.pack("<I", 0)),
        (12, struct.pack("<I", 1)),
        *[(place, struct.pack("<Q", size)) for place in (16, 24, 32) for size in (0, 2**63, 2**64 - 1)],
        (16, struct.pack("<QQ", 2**64 - 200, 200)),
    ],
)
def test_sizes_are_checked_against_the_file(small_file, place, value):
    with pytest.raises(DamagedError):
        Checkpoint.from_bytes(resealed(small_file, place, value), "test")


def forge(data: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """A file with another header, whose checksums are right."""
    checkpoint = Checkpoint.from_bytes(data, "test")
    document = json.loads(checkpoint._encoded)
    changed = change(document)
    header = changed if isinstance(changed, bytes) else json.dumps(document).encode()
    return b"".join(lay_out(header, checkpoint._columns.result()))


def table(document: dict[str, Any]) -> dict[str, Any]:
    return document["tables"][0]


def column(document: dict[str, Any], name: str = "x") -> dict[str, Any]:
    return next(one for one in table(document)["columns"] if one["name"] == name)


HOSTILE = {
    "no JSON": lambda d: b"\xff\xfe",
    "no object": lambda d: b"[]",
    "nested too deeply": lambda d: b"[" * 100_000,
    "not a number": lambda d: b'{"frame": NaN}',
    "a number of many digits": lambda d: b'{"frame": ' + b"9" * 5000 + b"}",
    "a key twice": lambda d: b'{"frame": 1, "frame": 1, "meta": {}, "tables": []}',
    "no frame": lambda d: d.pop("frame"),
    "a negative frame": lambda d: d.update(frame=-1),
    "a huge frame": lambda d: d.update(frame=2**63),
    "a frame of text": lambda d: d.update(frame="2"),
    "a true frame": lambda d: d.update(frame=True),
    "no metadata": lambda d: d.update(meta=[]),
    "no tables": lambda d: d.update(tables=None),
    "a table twice": lambda d: d["tables"].append(table(d)),
    "many tables": lambda d: d.update(tables=[table(d)] * 5000),
    "a table that is none": lambda d: d.update(tables=[7]),
    "a table without a name": lambda d: table(d).pop("name"),
    "a table of another name": lambda d: table(d).update(name="no name"),
    "more rows than fit": lambda d: table(d).update(rows=101),
    "huge rows": lambda d: table(d).update(rows=HUGE, capacity=HUGE, slots=HUGE),
    "negative rows": lambda d: table(d).update(rows=-1),
    "rows of fractions": lambda d: table(d).update(rows=1.5),
    "other rows": lambda d: table(d).update(rows=1),
    "a huge capacity": lambda d: table(d).update(capacity=2**40),
    "no capacity": lambda d: table(d).update(capacity=0),
    "huge slots": lambda d: table(d).update(slots=HUGE),
    "fewer slots than rows": lambda d: table(d).update(slots=1),
    "more free slots than slots": lambda d: table(d).update(free=4),
    "other free slots": lambda d: table(d).update(free=0),
    "born later": lambda d: table(d).update(born=3),
    "no schema": lambda d: table(d).update(schema=[]),
    "another schema": lambda d: table(d).update(schema=["x", "y"]),
    "a field twice in the schema": lambda d: table(d).update(schema=["x", "x"]),
    "schema of numbers": lambda d: table(d).update(schema=[1, 2]),
    "no columns": lambda d: table(d).update(columns=[]),
    "many columns": lambda d: table(d).update(columns=[column(d)] * 5000),
    "a column twice": lambda d: table(d)["columns"].append(column(d)),
    "no id column": lambda d: table(d)["columns"].remove(column(d, "id")),
    "an index column of another name": lambda d: column(d, "id").update(name="ids"),
    "index columns in another order": lambda d: table(d)["columns"].insert(0, table(d)["columns"].pop(1)),
    "a column of text": lambda d: table(d)["columns"].append("x"),
    "a visible flag of 1": lambda d: column(d).update(visible=1),
    "hidden": lambda d: column(d).update(visible=False),
    "an unknown type": lambda d: column(d)["field"].update(type="f33"),
    "a type of a name": lambda d: column(d)["field"].update(type="__class__"),
    "another type": lambda d: column(d)["field"].update(type="f64"),
    "a huge cell": lambda d: column(d)["field"].update(shape=[2**31, 2**31]),
    "a negative cell": lambda d: column(d)["field"].update(shape=[-1]),
    "a cell of nothing": lambda d: column(d)["field"].update(shape=[0]),
    "a cell of many dimensions": lambda d: column(d)["field"].update(shape=[1] * 100),
    "a default of text": lambda d: column(d)["field"].update(default="zero"),
    "a default of null": lambda d: column(d)["field"].update(default=None),
    "a default that does not fit": lambda d: column(d, "kind")["field"].update(default=300),
    "a deep default": lambda d: column(d)["field"].update(default=json.loads("[" * 90 + "]" * 90)),
    "a step of zero": lambda d: column(d)["field"].update(step=0),
    "a step below zero": lambda d: column(d)["field"].update(step=-1),
    "an infinite step": lambda d: column(d)["field"].update(step="inf"),
    "a step of text": lambda d: column(d)["field"].update(step="1"),
    "a target of no name": lambda d: column(d, "kind")["field"].update(type="u64", target="no name"),
    "a target of bytes": lambda d: column(d, "kind")["field"].update(target="owls"),
    "min above max": lambda d: column(d)["field"].update(min=200),
    "a name of the table's own": lambda d: column(d).update(name="spawn"),
    "a field that is none": lambda d: column(d).update(field=7),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_hostile_headers_are_refused(small_file, everything, change):
    state = StateManager(history_bytes=1 << 20)
    before = everything(state)
    with pytest.raises(DamagedError) as caught:
        state.restore(Checkpoint.from_bytes(forge(small_file, change), "test"))
    assert "Nothing was loaded" in str(caught.value)
    assert everything(state) == before


@pytest.mark.parametrize("change", [lambda field: field.pop("step"), lambda field: field.update(step=1 / 8)])
def test_rounded_values_need_the_step_they_were_rounded_to(small, bytes_of, change):
    small["hares"].spawn(90, x=np.arange(90) / 4)
    small.commit()
    with pytest.raises(DamagedError, match=r"of hares\.x.*(rounded|checksum)"):
        Checkpoint.from_bytes(
            forge(bytes_of(small.checkpoint()), lambda d: change(column(d)["field"])), "test"
        ).verify()


def packed(data: bytes, name: str, change: Callable[[PackedColumn], object]) -> bytes:
    """A file in which one column is stored otherwise, with checksums that are right."""
    checkpoint = Checkpoint.from_bytes(data, "test")
    for saved, stored in zip(checkpoint.tables["hares"].columns, checkpoint.columns["hares"], strict=True):
        if saved.name == name:
            change(stored)
    return b"".join(lay_out(checkpoint._encoded, checkpoint._columns.result()))


def block(**other: Any) -> Callable[[PackedColumn], None]:
    def change(column: PackedColumn) -> None:
        column.blocks[0] = column.blocks[0]._replace(**other)

    return change


def contents(values: Any) -> Callable[[PackedColumn], None]:
    data = np.asarray(values).tobytes()

    def change(column: PackedColumn) -> None:
        column.blocks[0] = Block(Filter.RAW, 1, False, crc64(data), data)
        column.crcs = array("Q", [crc64(data + bytes(16384 - len(data)))])

    return change


LZ4_BOMB = b"\x1f\0\1\0" + b"\xff" * 5000 + b"\0"

HOSTILE_BLOCKS = {
    "an unknown filter": ("x", block(filter=9)),
    "elements of three bytes": ("x", block(element=3)),
    "rounded twice": ("x", block(rounded=2)),
    "rounded without a step": ("kind", block(rounded=True)),
    "zero with bytes": ("x", block(filter=0)),
    "no bytes": ("x", block(data=b"")),
    "raw and short": ("x", block(filter=1, data=b"abc", crc=crc64(b"abc"))),
    "raw and long": ("x", block(filter=1, data=b"a" * 99, crc=crc64(b"a" * 99))),
    "no LZ4": ("x", block(filter=4, data=b"\xff" * 9, crc=crc64(b"\xff" * 9))),
    "an LZ4 bomb": ("x", block(filter=2, data=LZ4_BOMB, crc=crc64(LZ4_BOMB))),
    "another filter": ("kind", block(filter=2)),
    "two blocks": ("x", lambda column: column.blocks.append(column.blocks[0])),
    "no chunk": ("x", lambda column: column.crcs.pop()),
    "another chunk's checksum": ("x", lambda column: column.crcs.__setitem__(0, 1)),
    "other counts": ("header", contents(np.array([3, 3, 1], np.uint64))),
    "an id of none": ("id", contents(np.array([0, 2], np.uint64))),
    "an id of another row": ("id", contents(np.array([2, 3], np.uint64))),
    "an id of a slot that is not there": ("id", contents(np.array([3, 2**32 - 1], np.uint64))),
    "an id of another generation": ("id", contents(np.array([3, 2 + 2**32], np.uint64))),
    "a slot of a row that is not there": ("slots", contents(np.array([5, 1, 0], np.uint64))),
    "a free slot that is not there": ("free", contents(np.array([2**32 - 1], np.uint32))),
    "a free slot in use": ("free", contents(np.array([1], np.uint32))),
}


@pytest.mark.parametrize(("name", "change"), HOSTILE_BLOCKS.values(), ids=HOSTILE_BLOCKS)
def test_hostile_blocks_are_refused(small_file, everything, name, change):
    state = StateManager(history_bytes=1 << 20)
    before = everything(state)
    with pytest.raises(DamagedError):
        state.restore(Checkpoint.from_bytes(packed(small_file, name, change), "test"))
    assert everything(state) == before


@pytest.mark.skipif(not STATM.exists(), reason="only Linux says how much memory is in use")
def test_a_world_of_zeros_takes_no_memory_to_read():
    state = StateManager(history_bytes=1 << 20)
    state.table("hares", {"x": f64[1000]}, capacity=50_000).spawn(50_000)
    state.commit()
    checkpoint = state.checkpoint()
    assert checkpoint.raw_bytes > 400_000_000
    fresh = StateManager(history_bytes=1 << 20)
    checkpoint.wait()
    before = resident_bytes()
    fresh.restore(checkpoint)
    assert resident_bytes() - before < checkpoint.raw_bytes / 2
    assert not fresh["hares"].x[49_999].any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "there is no file"),
        (lambda path: path.mkdir(), "is a folder|is no ordinary file"),
        (lambda path: path.write_bytes(b""), "is no checkpoint of Instar"),
        (lambda path: path.write_bytes(b"import instar\n" * 9), "is no checkpoint of Instar"),
        (lambda path: path.write_bytes(b"\x89INS"), "it ends after 4 bytes, within its preamble"),
        (lambda path: path.symlink_to("/dev/zero"), "is no ordinary file"),
        (lambda path: path.symlink_to(path), "cannot be read"),
    ],
)
def test_other_files_are_named_as_what_they_are(tmp_path, make, message):
    make(tmp_path / "file")
    with pytest.raises(CheckpointError, match=message):
        Checkpoint.read(tmp_path / "file")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match="no ordinary file"):
        Checkpoint.read(tmp_path / "pipe")


def test_a_name_that_cannot_be():
    with pytest.raises(CheckpointError, match="cannot be read"):
        Checkpoint.read("a\0b")


def test_golden_files_of_every_version_are_read(restored):
    state = restored((GOLDEN / "version-1.instar").read_bytes())
    hares = state["hares"]
    assert state.frame == 3
    assert hares.id.tolist() == [3, 2, 1 + 2**32]
    assert hares.x.tolist() == [77.0, 2.5, 0.5]
    assert hares.kind.tolist() == [3, 2, 0]
    assert (hares.schema.fields["x"].min, hares.schema.fields["x"].max, hares.schema.fields["x"].step) == (0, 100, 0.25)
    assert hares.schema.fields["spot"].default == (1.0, -1.0)
    assert hares.spot.tolist() == [[1, -1]] * 3
    assert hares.energy.tolist() == list(range(3))
    assert len(state["owls"]) == 5000
    assert state["owls"].age.tolist() == [n % 7 for n in range(5000)]
    assert state["owls"].wing.tolist() == [n // 2 for n in range(5000)]
    assert crc64(state["owls"].weight) == 0x634BC17D78E567E6
    assert crc64(state["owls"].height) == 0x272851F498C34F68
    assert not np.fmod(state["owls"].height, 0.125).any()
    assert hares.spawn(1) == slice(3, 4)
    assert hares.id[3] == 4
    checkpoint = Checkpoint.read(GOLDEN / "version-1.instar")
    assert checkpoint.meta == {"note": "golden"}
    assert "old" in [c.name for c in checkpoint.tables["hares"].columns if not c.visible]
    assert {str(b.filter) for columns in checkpoint.columns.values() for c in columns for b in c.blocks} == {
        "zero", "raw", "lz4", "shuffle+lz4", "bitshuffle+lz4",
    }  # fmt: skip


def test_damage_is_an_instar_error():
    assert issubclass(DamagedError, CheckpointError)
    assert issubclass(CheckpointError, InstarError)
    assert PREAMBLE.size == 64
