"""Timing: what the phases of a loop's frames take, and why frames are late."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType

from instar.loop.clock import Clock
from instar.loop.schedule import HookCall
from instar.loop.timing.budgets import Budgets
from instar.loop.timing.late import LateFrame, LateFrames, Part
from instar.loop.timing.meter import Meter
from instar.loop.timing.usage import Usage, UsageCounter
from instar.native import Spans

BOUNDARY_BUDGET_MS = 2.0
"""What an edit's swap may take of a frame where the scene says nothing."""


class Phase:
    """One phase of frames, measured: ``with timing.phase("update"): …``."""

    __slots__ = ("_name", "_span", "_timing")

    def __init__(self, timing: Timing, name: str, spans: Spans) -> None:
        self._timing = timing
        self._name = name
        self._span = spans.span(name)

    def __enter__(self) -> None:
        self._span.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._span.__exit__(kind, error, trace)
        self._timing.lap(self._name)


class Timing:
    """Measures the frames of a loop. Phases follow one another without a gap: each takes from the end of the one before.

    Attributes:
        meter: What they took.
        budgets: What they may take.
        late: Those that were late.
        is_measured: Whether the frame in hand is; not if a person stopped the clock in it.
    """

    def __init__(self, clock: Clock, spans: Spans, limits: Mapping[str, float]) -> None:
        """Prepares.

        Args:
            clock: The time to live by.
            spans: Where phases are recorded.
            limits: The ms that phases and modules may take of a frame, by name.
        """
        self.budgets = Budgets(limits)
        self.meter = Meter(_boundary_ns(limits))
        self.late = LateFrames()
        self.is_measured = True
        self._clock = clock
        self._spans = spans
        self._phases: dict[str, Phase] = {}
        self._last = clock.now()
        self._frame = -1
        self._recorded = 0
        self._was_late = False
        self._taken: dict[str, int] = {}
        self._by_module: dict[str, int] = {}
        self._counter = UsageCounter()
        self._used = Usage(0, 0, 0)

    def begin(self) -> None:
        """The thread that calls this runs the frames from now on."""
        self._counter.close()
        self._counter = UsageCounter()

    def close(self) -> None:
        """There are no more frames for now."""
        self._counter.close()

    def begin_frame(self, frame: int) -> None:
        """A frame begins with its first phase."""
        self._spans.begin_frame(frame)
        self.is_measured = True
        self._frame = frame
        self._recorded = self._spans.recorded
        self._taken.clear()
        self._by_module.clear()
        self._used = self._counter.now()
        self._last = self._clock.now()

    def phase(self, name: str) -> Phase:
        """A phase of the frame in hand, for ``with``."""
        found = self._phases.get(name)
        if found is None:
            found = self._phases[name] = Phase(self, name, self._spans)
        return found

    def lap(self, name: str) -> None:
        """Note that a phase has ended."""
        now = self._clock.now()
        taken, self._last = now - self._last, now
        self._taken[name] = self._taken.get(name, 0) + taken
        if self.is_measured:
            self.meter.phase(name, taken)

    def allow(self, limits: Mapping[str, float]) -> None:
        """Have other budgets."""
        self.budgets.limits = limits
        self.meter.allow_boundary(_boundary_ns(limits))

    def hooks(self, calls: Iterable[HookCall]) -> None:
        """Note what the hooks of the frame in hand took."""
        for call in calls if self.is_measured else ():
            module = call.hook.module
            self._by_module[module] = self._by_module.get(module, 0) + call.ns
            self.meter.modules[module].add(call.ns)

    def end_work(self) -> None:
        """The work of the frame in hand is done, and what it took is compared with the budgets."""
        if self.is_measured:
            self.budgets.look(self._frame, {**self._taken, **self._by_module})

    @property
    def last(self) -> int:
        """When the last phase ended, or the frame began."""
        return self._last

    def missed(self, late_ns: int, period_ns: int, *, by_edit: bool) -> LateFrame:
        """Note that the work of the frame in hand ended after its deadline.

        Args:
            late_ns: How long after it.
            period_ns: From one deadline to the next.
            by_edit: Whether an edit was at work in it. One that catches up with such a frame is late by the edit too.
        """
        is_short = sum(self._taken.values()) <= period_ns
        follows, self._was_late = self._was_late, True
        by_edit = self.meter.late(by_edit=by_edit or (follows and is_short and self.late.is_last_by_edit))
        usual = {name: series.percentile(50) for name, series in self.meter.phases.items()}
        used = self._counter.now().since(self._used)
        measured = self._taken, usual, used, self._parts()
        frame = LateFrame.of(self._frame, late_ns, *measured, period_ns=period_ns, follows=follows, by_edit=by_edit)
        self.late.add(frame)
        return frame

    def kept(self, error_ns: int) -> None:
        """Note that the frame in hand was in time, and went on so many ns after its deadline."""
        self._was_late = False
        self.meter.deadline_error.add(error_ns)

    def _parts(self) -> list[Part]:
        names = self._spans.names
        ended = self._spans.since(self._recorded)
        ended.sort(order="begin_ns")
        return [Part(names[span["name"]], int(span["depth"]), int(span["end_ns"] - span["begin_ns"])) for span in ended]


def _boundary_ns(limits: Mapping[str, float]) -> int:
    return round(limits.get("boundary", BOUNDARY_BUDGET_MS) * 1e6)
