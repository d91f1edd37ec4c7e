"""Late frames: which they were, and why."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from instar.loop.timing.usage import Usage

Cause = Literal[
    "update",
    "swap",
    "commit",
    "input",
    "publish",
    "garbage",
    "maintenance",
    "preempted",
    "page faults",
    "catching up",
    "woken late",
]
"""``catching up``, ``woken late``: it would have been in time, but began late, because the one before it was or because the
system woke its thread late."""

KEPT = 256
"""Late frames that are kept, the newest."""
MANY_FAULTS = 64
"""Page faults from which on time in the system is put down to them."""
_BY_PHASE: Mapping[str, Cause] = {
    "boundary": "swap",
    "input": "input",
    "update": "update",
    "commit": "commit",
    "publish": "publish",
    "maintain": "maintenance",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One span of a late frame.

    Attributes:
        name: What it was.
        depth: In how many others it lay.
        ns: How long it took.
    """

    name: str
    depth: int
    ns: int


@dataclass(frozen=True, slots=True)
class LateFrame:
    """One frame whose work ended after its deadline.

    Attributes:
        frame: Its number.
        late_ns: How long after its deadline.
        cause: What took more of it than it usually takes.
        by_edit: Whether an edit was at work in it.
        phases: ns of each phase.
        queued_ns: How long its thread was ready to run while others had the processors.
        faults: Page faults in it.
        parts: Its spans.
    """

    frame: int
    late_ns: int
    cause: Cause
    by_edit: bool
    phases: Mapping[str, int]
    queued_ns: int
    faults: int
    parts: Sequence[Part] = ()

    @classmethod
    def of(
        cls,
        frame: int,
        late_ns: int,
        phases: Mapping[str, int],
        usual: Mapping[str, float],
        used: Usage,
        parts: Sequence[Part],
        *,
        period_ns: int,
        follows: bool,
        by_edit: bool,
    ) -> LateFrame:
        """A late frame, and its cause.

        Args:
            frame: Its number.
            late_ns: How long after its deadline its work ended.
            phases: ns of each phase, in order.
            usual: ns that each usually takes.
            used: What the system counted for it.
            parts: Its spans.
            period_ns: From one deadline to the next.
            follows: Whether the frame before it was late.
            by_edit: Whether an edit was at work in it.
        """
        cause: Cause = "catching up" if follows else "woken late"
        if sum(phases.values()) > period_ns:
            cause = _cause(phases, usual, used, parts)
        return cls(frame, late_ns, cause, by_edit, dict(phases), used.queued_ns, used.faults, tuple(parts))

    def document(self) -> dict[str, Any]:
        """The frame as plain data for JSON."""
        return {
            "frame": self.frame,
            "late_ms": _ms(self.late_ns),
            "cause": self.cause,
            "by_edit": self.by_edit,
            "phases_ms": {phase: _ms(ns) for phase, ns in self.phases.items()},
            "queued_ms": _ms(self.queued_ns),
            "faults": self.faults,
            "spans": [{"name": part.name, "depth": part.depth, "ms": _ms(part.ns)} for part in self.parts],
        }


class LateFrames:
    """The late frames of a run: all counted by cause, the newest kept."""

    def __init__(self) -> None:
        self.causes: Counter[Cause] = Counter()
        self.newest: deque[LateFrame] = deque(maxlen=KEPT)

    @property
    def is_last_by_edit(self) -> bool:
        """Whether an edit was at work in the last of them."""
        return bool(self.newest) and self.newest[-1].by_edit

    def add(self, frame: LateFrame) -> None:
        """Note a late frame."""
        self.causes[frame.cause] += 1
        self.newest.append(frame)

    def document(self, newest: int = KEPT) -> dict[str, Any]:
        """How many there were by cause, and so many of the newest of them, oldest first."""
        told = list(self.newest)[-newest:]
        return {"causes": dict(self.causes), "newest": [frame.document() for frame in told]}


def _cause(phases: Mapping[str, int], usual: Mapping[str, float], used: Usage, parts: Sequence[Part]) -> Cause:
    """What took more of a frame than it usually takes; what kept the thread from its work comes first."""
    excess = {phase: ns - usual.get(phase, 0.0) for phase, ns in phases.items() if phase in _BY_PHASE}
    total = sum(more for more in excess.values() if more > 0)
    if 2 * used.queued_ns > total:
        return "preempted"
    if used.faults >= MANY_FAULTS and 2 * used.system_ns > total:
        return "page faults"
    worst = max(excess, key=lambda phase: excess[phase], default="update")
    if worst == "maintain":
        inside = max((part for part in parts if part.depth == 1), key=lambda part: part.ns, default=None)
        return "garbage" if inside is not None and inside.name == "garbage" else "maintenance"
    return _BY_PHASE[worst]


def _ms(ns: int) -> float:
    return round(ns / 1e6, 4)
