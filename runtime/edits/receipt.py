"""Receipts: what one edit did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from instar.hmr.code import Edit, Rejection

Verdict = Literal["live", "rejected", "rolled_back"]


def _now() -> str:
    return datetime.now().astimezone().strftime("%H:%M:%S")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one edit did.

    Attributes:
        files: The files saved together, relative to the scene.
        verdict: ``live``: the new code runs. ``rejected``: the old code runs on. ``rolled_back``: the old code came back.
        frame: The frame at whose boundary it was decided.
        event_to_ready_ms: From the first event of the watcher until the new code was ready, or refused.
        ready_to_swap_ms: From there to the frame boundary.
        swap_ms: How long the swap took, migration of tables and all.
        migrated: What was done to tables, for people.
        error: Why the edit was refused.
        event_ns: Monotonic time of the first event.
        at: Time of day.
    """

    files: tuple[str, ...]
    verdict: Verdict
    frame: int
    event_to_ready_ms: float
    ready_to_swap_ms: float
    swap_ms: float
    migrated: tuple[str, ...] = ()
    error: str | None = None
    event_ns: int = 0
    at: str = field(default_factory=_now)

    @classmethod
    def of(
        cls,
        edit: Edit | Rejection,
        frame: int,
        swap_began: int,
        swap_ended: int,
        migrated: Sequence[str] = (),
        error: object | None = None,
    ) -> Receipt:
        """The receipt of an edit decided at a frame's boundary; times in monotonic ns."""
        return cls(
            files=tuple(edit.files),
            verdict="live" if error is None else "rejected",
            frame=frame,
            event_to_ready_ms=_ms(edit.ready_ns - edit.event_ns),
            ready_to_swap_ms=_ms(swap_began - edit.ready_ns),
            swap_ms=_ms(swap_ended - swap_began),
            migrated=tuple(migrated),
            error=None if error is None else str(error),
            event_ns=edit.event_ns,
        )

    def document(self) -> dict[str, Any]:
        """The receipt as plain data for JSON."""
        return {**asdict(self), "files": list(self.files), "migrated": list(self.migrated)}

    def __str__(self) -> str:
        files = ", ".join(self.files)
        if self.error is not None:
            return f"{files}: {self.verdict}\n{self.error}"
        steps = "".join(f"; {step}" for step in self.migrated)
        times = f"{self.event_to_ready_ms:.1f} ms to ready, swap {self.swap_ms:.2f} ms"
        return f"{files}: live at frame {self.frame} ({times}){steps}"


def _ms(ns: int) -> float:
    return round(ns / 1e6, 4)
