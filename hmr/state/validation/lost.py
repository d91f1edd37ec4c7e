"""What is lost when nothing reproduces a damaged chunk, told so that a person can go on from the last good state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from instar.hmr.state.validation.kept import Kept, newest_first
from instar.hmr.state.validation.report import Fault, Report
from instar.native import History, InstarError


class DamageError(InstarError):
    """Committed bytes are damaged and no source reproduces them.

    Attributes:
        table: The table of the first damaged column.
        column: That column.
        rows: Its rows that are lost, as ranges.
        frames: The frames that are damaged.
        checkpoint: The frame of the last good checkpoint that is kept, or None.
        report: All that the validation found.
    """

    def __init__(
        self,
        message: str,
        table: str,
        column: str,
        rows: Sequence[range],
        frames: range,
        checkpoint: int | None,
        report: Report,
    ) -> None:
        super().__init__(message)
        self.table = table
        self.column = column
        self.rows = rows
        self.frames = frames
        self.checkpoint = checkpoint
        self.report = report


def stop_if_lost(report: Report, history: History, checkpoints: Iterable[Kept]) -> None:
    """Raise DamageError if a validation found committed bytes that nothing reproduces."""
    if report.lost:
        raise damage_error(report, range(history.oldest, history.newest + 1), checkpoints)


def damage_error(report: Report, frames: range, checkpoints: Iterable[Kept]) -> DamageError:
    """The error for a report with lost chunks.

    Args:
        report: The report.
        frames: The frames that are held: a damage in the present reaches through all differences to them.
        checkpoints: The checkpoints that are kept.
    """
    places: dict[tuple[str, str], list[Fault]] = {}
    for fault in report.lost:
        places.setdefault((fault.table, fault.column), []).append(fault)
    good = _last_good(checkpoints)
    lines = [_tell(table, column, faults) for (table, column), faults in places.items()]
    held = f"frame {frames[0]} is" if len(frames) == 1 else f"frames {frames[0]} to {frames[-1]} are"
    lines.append(
        f"No live copy, history, checkpoint or corrected bit reproduces their checksum; {held} damaged there. "
        f"Everything else is as it was committed."
    )
    lines.append(
        "No good checkpoint is kept: load the last file that was saved."
        if good is None
        else f"The last good checkpoint that is kept is of frame {good}: restore it to go on from there."
    )
    (table, column), faults = next(iter(places.items()))
    rows = [fault.rows for fault in faults if isinstance(fault.rows, range)]
    return DamageError("\n".join(lines), table, column, rows, frames, good, report)


def _tell(table: str, column: str, faults: list[Fault]) -> str:
    rows = ", ".join(f"{fault.rows[0]:,} to {fault.rows[-1]:,}" for fault in faults if fault.rows)
    chunks = ", ".join(str(fault.chunk) for fault in faults)
    what = f"rows {rows}" if rows else f"chunk {chunks}"
    return f"{table}.{column}: {what} are lost, found in frame {faults[-1].frame}."


def _last_good(checkpoints: Iterable[Kept]) -> int | None:
    for checkpoint in newest_first(checkpoints):
        try:
            checkpoint.verify()
        except InstarError:
            continue
        return checkpoint.frame
    return None
