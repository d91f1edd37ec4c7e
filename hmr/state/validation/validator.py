"""The validator: one round of validation, at once or in slices between commits."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from instar.hmr.metrics import Metrics
from instar.hmr.state.validation.kept import Kept, carried_forward, check_checkpoint, check_history, from_nothing
from instar.hmr.state.validation.lost import stop_if_lost
from instar.hmr.state.validation.passes import (
    Circumstances,
    Pass,
    check_column,
    check_ids,
    check_references,
)
from instar.hmr.state.validation.repair import Medic
from instar.hmr.state.validation.report import Fault, Report
from instar.hmr.state.validation.target import Guarded, Target
from instar.native import History
from instar.native.integrity import mend_past_end


@dataclass(frozen=True, slots=True)
class Subject:
    """What is validated.

    Attributes:
        tables: The tables as they are now; the same object as long as no schema changes.
        history: The committed frames.
        checkpoints: The checkpoints that somebody keeps.
        recommit: Makes what was mended in live part of the committed frame.
        metrics: Hear how long a round took.
    """

    tables: Callable[[], Mapping[str, Guarded]]
    history: History
    checkpoints: Callable[[], Iterable[Kept]]
    recommit: Callable[[], object]
    metrics: Metrics

    def medic(self) -> Medic:
        """Someone who knows the sources that are kept beside the live copy."""
        return Medic(
            (
                lambda damage: carried_forward(damage, self.history, self.checkpoints()),
                lambda damage: from_nothing(damage, self.history),
            )
        )


Key = tuple[str, object]
"""What a pass does, and the column, table, history or checkpoint to which."""


class Validator:
    """One round over everything that can be damaged: each call of `advance` does a bounded piece of it.

    Commits, growth, despawns, rollbacks and schema edits may come between the calls. What is added meanwhile belongs to the
    round; a column whose schema changes is begun anew.

    Attributes:
        report: What was found so far.
        done: Whether the round is complete.
    """

    def __init__(self, subject: Subject, *, repair: bool, known: Iterable[Fault] = ()) -> None:
        """Begin a round.

        Args:
            subject: What is validated.
            repair: Whether to mend what can be mended.
            known: Faults that were found between validations, to be told with this one's.
        """
        self.report = Report(subject.history.current, [*known])
        self.done = False
        self._subject = subject
        self._now = Circumstances(0, True, subject.medic(), repair, False, {})
        self._begun: set[Key] = set()
        self._present: set[object] = set()
        self._pending: deque[tuple[Key, Callable[[], Pass]]] = deque()
        self._current: tuple[Key, Pass] | None = None
        self._total = 1

    @property
    def progress(self) -> float:
        """The share of the round that is done, from 0 to 1; an estimate while the world grows."""
        return 1.0 if self.done else min(1.0, self._now.weight / self._total)

    def advance(self, seconds: float | None = None, *, least: float = 0.0, settled: bool = True) -> bool:
        """Do a part of the round.

        Args:
            seconds: About how long; the piece in hand is finished. None does all that is left.
            least: Go on past that time until `progress` has come so far.
            settled: Whether nothing can have written since the commit, so that live must equal committed.

        Returns:
            Whether the round is complete.
        """
        done_before = self.done
        started = time.perf_counter()
        self._look(settled, whole=seconds is None)
        while not self.done:
            faults = self._piece()
            if faults is None:
                break
            self.report.faults += faults
            if seconds is not None and time.perf_counter() - started >= seconds and self.progress >= least:
                break
        self.report.frame = self._now.frame
        self.report.bytes = self._now.bytes
        self.report.seconds += time.perf_counter() - started
        if self.done and not done_before:
            self._subject.metrics.add("validate", self.report.seconds, self.report.bytes)
        return self.done

    def stop_if_lost(self) -> None:
        """See whether all that was damaged could be mended.

        Raises:
            DamageError: If there are committed bytes that nothing reproduces.
        """
        stop_if_lost(self.report, self._subject.history, self._subject.checkpoints())

    def _look(self, settled: bool, whole: bool) -> None:
        """See how the world is now, before a slice."""
        now, subject = self._now, self._subject
        now.frame, now.settled, now.whole = subject.history.current, settled, whole
        tables = subject.tables()
        if tables is not now.tables:
            now.tables = tables
            self._present = {key for table in tables.values() for key in (table, *table.targets)}
        if not whole:
            self._total = subject.history.used_bytes + sum(table.weight for table in tables.values()) + 1

    def _piece(self) -> list[Fault] | None:
        """The faults of the next piece; None if there is nothing to do for now."""
        while True:
            if self._current is None and not self._begin_next():
                self._finish()
                return []
            assert self._current is not None
            key, current = self._current
            if not isinstance(key[1], Target | Guarded) or key[1] in self._present:
                for faults in current:
                    return faults
            self._current = None

    def _begin_next(self) -> bool:
        """Begin the next pass that is due; False if there is none."""
        if not self._pending:
            self._plan()
        if not self._pending:
            return False
        key, begin = self._pending.popleft()
        self._current = key, begin()
        return True

    def _plan(self) -> None:
        """Line up the passes that have not been begun: bytes first, as all others rely on them."""
        now, subject = self._now, self._subject
        tables = now.tables.values()
        targets = [target for table in tables for target in table.targets]
        plan: list[tuple[Key, Callable[[], Pass]]] = []
        plan += [(("bytes", target), partial(check_column, target, now)) for target in targets]
        plan += [(("ids", table), partial(check_ids, table, now)) for table in tables]
        plan += [(("references", it), partial(check_references, it, now)) for it in targets if it.refers_to]
        plan.append((("records", subject.history), partial(check_history, subject.history, now)))
        plan += [(("checkpoint", one), partial(check_checkpoint, one, now)) for one in subject.checkpoints()]
        self._pending.extend(entry for entry in plan if entry[0] not in self._begun)
        self._begun.update(key for key, _ in plan)

    def _finish(self) -> None:
        """What must wait until nothing is looked at any more."""
        self.done = True
        medic = self._now.medic
        for target in medic.untidy:
            mend_past_end(target.column)
        if medic.untidy:
            self._subject.recommit()
        if medic.doubtful:
            self._subject.history.reset(self._subject.history.current)
