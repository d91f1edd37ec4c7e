"""The guard: validation of one state manager, and what it has to tell between validations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from instar.hmr.metrics import Metrics
from instar.hmr.state.validation.kept import Kept
from instar.hmr.state.validation.lost import stop_if_lost
from instar.hmr.state.validation.passes import Circumstances, check_before_travel
from instar.hmr.state.validation.report import Fault, Report
from instar.hmr.state.validation.target import Guarded
from instar.hmr.state.validation.validator import Subject, Validator
from instar.native import History


class Guard:
    """Makes validations of one state manager."""

    def __init__(
        self,
        tables: Callable[[], Mapping[str, Guarded]],
        history: History,
        checkpoints: Callable[[], Iterable[Kept]],
        recommit: Callable[[], object],
        metrics: Metrics,
    ) -> None:
        """Guard what `Subject` describes."""
        self._subject = Subject(tables, history, checkpoints, recommit, metrics)
        self._untold: list[Fault] = []

    def validator(self, *, repair: bool) -> Validator:
        """A new round; its report begins with what was mended since the last one."""
        known, self._untold = self._untold, []
        return Validator(self._subject, repair=repair, known=known)

    def before_travel(self) -> None:
        """Mend what a rollback or redo may be about to change: it would carry a damage into both copies.

        Raises:
            DamageError: If one of them is lost; it is as it was.
        """
        history = self._subject.history
        now = Circumstances(history.current, False, self._subject.medic(), True, True, self._subject.tables())
        faults = check_before_travel(now)
        stop_if_lost(Report(history.current, faults), history, self._subject.checkpoints())
        if now.medic.doubtful:
            history.reset(history.current)
        self._untold += faults
