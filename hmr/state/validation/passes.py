"""Passes: what validation does with one column or one table, a bounded piece at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from instar.hmr.state.validation.cold import is_packed_and_sound, packed_faults
from instar.hmr.state.validation.repair import Medic
from instar.hmr.state.validation.report import Fault
from instar.hmr.state.validation.sources import Damage
from instar.hmr.state.validation.target import Guarded, Target
from instar.hmr.state.validation.values import BadValues
from instar.native import CHUNK_BYTES
from instar.native.integrity import (
    Suspect,
    bad_free,
    check_chunks,
    dangling,
    dead_slots,
    mend_live,
    stray_rows,
)

PIECE_CHUNKS = 16
PIECE_ROWS = 1 << 14
EVERYTHING = 1 << 48


@dataclass(slots=True)
class Circumstances:
    """What a piece of a pass needs to know; it changes from piece to piece.

    Attributes:
        frame: The committed frame.
        settled: Whether nothing can have written since the commit, so that live must equal committed.
        medic: Who finds cures.
        repair: Whether to carry them out.
        whole: Whether to do all of a pass in one piece.
        tables: The tables by name.
        bytes: How many bytes of columns have been read.
        weight: How much of the round is done, in bytes that are looked at.
    """

    frame: int
    settled: bool
    medic: Medic
    repair: bool
    whole: bool
    tables: Mapping[str, Guarded]
    bytes: int = 0
    weight: int = 0


Pass = Iterator[list[Fault] | None]
"""Yields the faults of one piece after another, each under the present circumstances; None where there is nothing to do yet."""


def check_column(target: Target, now: Circumstances) -> Pass:
    """Checksums, live copies, bytes past the end and bounds of one column; follows its growth."""
    values = BadValues(target)
    chunk = 0
    while chunk * CHUNK_BYTES < target.column.committed_extent:
        count = EVERYTHING if now.whole else PIECE_CHUNKS
        with_live = now.settled
        faults, suspects = _look_at(target, chunk, chunk + count, now, with_live=with_live)
        read = min(count * CHUNK_BYTES, target.column.committed_extent - chunk * CHUNK_BYTES)
        now.bytes += read * (1 + with_live)
        now.weight += read
        chunk += count
        for suspect in suspects:
            faults += _examine(target, suspect, now, values)
        yield faults
    bad = values.faults(now.frame)
    if bad:
        yield bad


def _look_at(
    target: Target, first: int, stop: int, now: Circumstances, *, with_live: bool
) -> tuple[list[Fault], list[Suspect]]:
    if is_packed_and_sound(target.column, first, stop, with_live=with_live):
        return [], []
    faults = packed_faults(target, first, stop, now.frame)
    return faults, check_chunks(target.column, first, stop, with_live=with_live, bounds=target.bounds)


def _examine(target: Target, suspect: Suspect, now: Circumstances, values: BadValues) -> Iterator[Fault]:
    """Tell, and where wished mend, what is wrong with one chunk."""
    rows = target.rows_of(suspect.chunk)
    sound = suspect.syndrome == 0
    if not sound:
        fault = _damaged(target, suspect, now, rows)
        yield fault
        sound = fault.mended is not None
    if now.settled:
        # The lines were counted before committed was mended; after it they tell of live alone.
        lines = suspect.lines if suspect.syndrome == 0 else _lines_that_differ(target, suspect.chunk)
        if lines and sound:
            mended = None
            if now.repair:
                mend_live(target.column, suspect.chunk)
                mended = "from the committed copy, whose checksum is right"
            what = f"live differs from what was committed in {lines} of the {len(rows):,} rows' 64-byte lines"
            yield Fault("live_differs", target.table, target.name, now.frame, what, suspect.chunk, rows, lines, mended)
    if suspect.outside and sound:
        values.note(suspect.chunk)
    if suspect.past_end and sound:
        what = f"{suspect.past_end} bytes past the last row are not zero"
        mended = None
        if now.repair:
            now.medic.clear_past_end(target)
            mended = "they are zero again, as part of the same frame"
        yield Fault(
            "past_end", target.table, target.name, now.frame, what, suspect.chunk, count=suspect.past_end, mended=mended
        )


def _damaged(target: Target, suspect: Suspect, now: Circumstances, rows: range) -> Fault:
    damage = Damage.of(target, suspect.chunk, suspect.syndrome)
    cure = now.medic.diagnose(damage)
    mended = None
    if cure is not None and now.repair:
        now.medic.mend(damage, cure)
        mended = cure.how
    what = f"the committed bytes of chunk {suspect.chunk} and their checksum disagree"
    return Fault(
        "crc",
        target.table,
        target.name,
        now.frame,
        what,
        suspect.chunk,
        rows,
        max(1, len(rows)),
        mended,
        lost=cure is None,
    )


def _lines_that_differ(target: Target, chunk: int) -> int:
    found = check_chunks(target.column, chunk, chunk + 1, with_live=True)
    return found[0].lines if found else 0


def check_before_travel(now: Circumstances) -> list[Fault]:
    """Checksums of all that a rollback or redo may change: it would carry a damage into both copies."""
    faults = []
    for target in (target for table in now.tables.values() for target in table.targets):
        found, suspects = _look_at(target, 0, EVERYTHING, now, with_live=False)
        faults += found
        faults += [_damaged(target, one, now, target.rows_of(one.chunk)) for one in suspects if one.syndrome]
    return faults


def _unless_damaged(check: Callable[[], list[Fault]], relied_on: Iterable[Target], now: Circumstances) -> list[Fault]:
    """What a check finds, unless bytes that it relies on turn out to be damaged: those are mended first.

    Damage that cannot be mended now is not told here, but by the pass over its column.
    """
    faults = check()
    if not faults:
        return []
    damage = [fault for target in relied_on for piece in check_column(target, now) for fault in piece or ()]
    mended = [fault for fault in damage if fault.mended is not None]
    return mended + check() if len(mended) == len(damage) else mended


def check_ids(table: Guarded, now: Circumstances) -> Pass:
    """Every row's id leads back to the row, every slot that nobody has waits on the free list once."""
    relied_on = (table.header, table.slots, table.ids, table.free)
    row = 0
    while row * 8 < table.ids.column.committed_extent:
        count = EVERYTHING if now.whole else PIECE_ROWS
        now.weight += min(8 * count, table.ids.column.committed_extent - 8 * row)
        yield _unless_damaged(partial(_check_rows, table, row, row + count, now), relied_on, now)
        row += count
    yield _unless_damaged(partial(_check_slots, table, now), relied_on, now)


def _check_rows(table: Guarded, row: int, stop: int, now: Circumstances) -> list[Fault]:
    held = table.ids.column.committed_extent // 8
    slots = table.slots.column.committed_extent // 8
    strays, first = stray_rows(table.ids.column, row, min(held, stop), table.slots.column, slots)
    what = f"the ids of {strays:,} rows do not lead back to them"
    return [Fault("id_index", table.name, "id", now.frame, what, rows=(first,), count=strays)] if strays else []


def _check_slots(table: Guarded, now: Circumstances) -> list[Fault]:
    rows, slots, free = table.counts()
    held = (table.ids.column, table.slots.column, table.free.column)
    if [column.committed_extent for column in held] != [8 * rows, 8 * slots, 4 * free]:
        what = (
            f"its header says {rows:,} rows, {slots:,} slots and {free:,} free ones, which is not what its columns hold"
        )
        return [Fault("id_index", table.name, "header", now.frame, what)]
    dead, retired = dead_slots(table.slots.column, slots)
    bad = bad_free(table.free.column, free, table.slots.column, slots)
    faults = []
    if slots - dead != rows:
        what = f"{slots - dead:,} slots are taken by {rows:,} rows"
        faults.append(Fault("id_index", table.name, "slots", now.frame, what, count=abs(slots - dead - rows)))
    if bad or dead - retired != free:
        what = f"of {free:,} free slots {bad:,} are taken or named twice, and {dead - retired:,} slots are free"
        faults.append(Fault("id_index", table.name, "free", now.frame, what, count=max(bad, 1)))
    return faults


def check_references(target: Target, now: Circumstances) -> Pass:
    """Every reference is 0 or the id of somebody alive in the table it names."""
    at = 0
    while at * 8 < target.column.committed_extent:
        table = now.tables.get(target.refers_to or "")
        if table is None:
            return
        count = EVERYTHING if now.whole else PIECE_ROWS
        now.weight += min(8 * count, target.column.committed_extent - 8 * at)
        check = partial(_check_references, target, table, at, at + count, now)
        yield _unless_damaged(check, (target, table.slots), now)
        at += count


def _check_references(target: Target, table: Guarded, at: int, stop: int, now: Circumstances) -> list[Fault]:
    held = target.column.committed_extent // 8
    slots = table.slots.column.committed_extent // 8
    bad, first = dangling(target.column, at, min(held, stop), table.slots.column, slots)
    what = f"{bad:,} references to {table.name} name nobody alive"
    row = first * 8 // target.row_bytes
    return [Fault("reference", target.table, target.name, now.frame, what, rows=(row,), count=bad)] if bad else []
