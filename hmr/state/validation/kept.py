"""What is kept beside the committed bytes: the history's records and checkpoints, verified and used as sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from instar.hmr.state.validation.passes import EVERYTHING, Circumstances, Pass
from instar.hmr.state.validation.report import Fault
from instar.hmr.state.validation.sources import Cure, Damage
from instar.native import CHUNK_BYTES, History, InstarError
from instar.native.integrity import RecordWalk

PIECE_BYTES = 1 << 19
MOST_WALKS = 3
"""How often the records are walked anew after a rollback; then they are checked at once."""

_worker = ThreadPoolExecutor(1, "instar-verify")


class Kept(Protocol):
    """A checkpoint, as far as validation needs it."""

    @property
    def frame(self) -> int:
        """The frame that it keeps."""

    def chunk(self, table: str, name: str, chunk: int, /) -> Any:
        """The verified bytes of a chunk; KeyError or InstarError if it has none."""

    def verify(self) -> object:
        """Raise InstarError if something in it is damaged."""


def newest_first(checkpoints: Iterable[Kept]) -> list[Kept]:
    """Checkpoints in the order in which they are asked."""
    return sorted(checkpoints, key=lambda one: -one.frame)


def carried_forward(damage: Damage, history: History, checkpoints: Iterable[Kept]) -> Iterator[Cure]:
    """The chunk of each kept checkpoint, led to the present frame by the history's deltas."""
    for checkpoint in newest_first(checkpoints):
        try:
            data = bytearray(checkpoint.chunk(damage.target.table, damage.target.name, damage.chunk))
            history.carry(damage.target.column, damage.chunk, data, checkpoint.frame, history.current)
        except (InstarError, KeyError):
            continue
        yield Cure(f"from the checkpoint of frame {checkpoint.frame}, carried forward by the history", data)


def from_nothing(damage: Damage, history: History) -> Iterator[Cure]:
    """A chunk of zeros with all deltas held: right where the chunk's first write is still in the history."""
    data = bytearray(CHUNK_BYTES)
    try:
        history.carry(damage.target.column, damage.chunk, data, history.oldest, history.current)
    except InstarError:
        return
    yield Cure("from the history, which holds all that was ever written to the chunk", data)


def check_history(history: History, now: Circumstances) -> Pass:
    """The records of all frames held; damaged ones are corrected where a single bit has flipped."""
    sound, begun = True, 0
    walk = RecordWalk(history)
    while sound and not walk.done and begun < MOST_WALKS:
        if walk.astray:
            walk = RecordWalk(history)
            begun += 1
        seen, sound = walk.advance(EVERYTHING if now.whole else PIECE_BYTES)
        now.weight += seen
        if sound:
            yield []
    for stretch in history.packed:
        sound = sound and stretch.is_whole
        now.weight += stretch.stored_bytes
        if sound and not now.whole:
            yield []
    if not walk.done or not sound or history.newest > history.current:
        damaged = history.check()
        yield _mended(history, damaged, now) if damaged else []


def _mended(history: History, damaged: list[int], now: Circumstances) -> list[Fault]:
    if not now.repair:
        return [_record_fault(frame) for frame in damaged]
    mended, lost = history.mend()
    held = f"the frames beyond it are no longer held, {history.oldest} to {history.newest} are"
    how = "the one bit that had flipped was flipped back, as the record's checksum tells"
    return [*(_record_fault(frame, mended=how) for frame in mended), *(_record_fault(frame, held) for frame in lost)]


def _record_fault(frame: int, cost: str = "", mended: str | None = None) -> Fault:
    what = f"the record of frame {frame} in the history is damaged"
    return Fault("history", "", "", frame, f"{what}; {cost}" if cost else what, mended=mended)


def check_checkpoint(checkpoint: Kept, now: Circumstances) -> Pass:
    """One checkpoint, decompressed and compared; by a worker while frames go on, if validation goes in slices."""
    if now.whole:
        yield _verify(checkpoint)
        return
    verified = _worker.submit(_verify, checkpoint)
    while not verified.done():
        yield None
    yield verified.result()


def _verify(checkpoint: Kept) -> list[Fault]:
    try:
        checkpoint.verify()
    except InstarError as error:
        what = f"the checkpoint is damaged: {error}"
        return [Fault("checkpoint", "", "", checkpoint.frame, what)]
    return []
