"""Receipts: what one edit did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Literal

from instar.hmr.code import Edit, Rejection
from instar.hmr.state import Step
from instar.scene.changes import Setting

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
        error: Why the edit was refused, or rolled back.
        event_ns: Monotonic time of the first event.
        number: Which edit of the run it is, from 1 on.
        version: The number of the world version that it made; of the one that runs on, if it was rejected.
        digests: The names of the files' contents, by file.
        event_to_compiled_ms: From the first event until all was compiled; None if no module was edited, or it was refused.
        trial_ms: How long the new code was tried in a process of its own; 0 if it was known to pass.
        imports: The ms that each module from outside of the scene took which the process had not imported before.
        predicted: Why nothing had to be compiled: ``temp file``, ``sibling``, ``known version``; None if something had to.
        saved_ms: The ms of compilation that were spared.
        settings: What the scene's file says otherwise since and what followed, for people.
        columns: The columns that were touched, as ``table.column``.
        rows: How many agents were touched.
        superseded: Files, with the names of their contents, that were saved again before those contents could run.
        rolled_back_frame: The frame at whose boundary the old code came back.
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
    number: int = 0
    version: int = 0
    digests: Mapping[str, str] = field(default_factory=dict)
    event_to_compiled_ms: float | None = None
    trial_ms: float = 0.0
    imports: Mapping[str, float] = field(default_factory=dict)
    predicted: str | None = None
    saved_ms: float = 0.0
    settings: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: int = 0
    superseded: tuple[tuple[str, str], ...] = ()
    rolled_back_frame: int | None = None
    at: str = field(default_factory=_now)

    @classmethod
    def of(
        cls,
        edit: Edit | Rejection,
        frame: int,
        swap_began: int,
        swap_ended: int,
        steps: Sequence[str] = (),
        error: object | None = None,
        version: int = 0,
    ) -> Receipt:
        """The receipt of an edit decided at a frame's boundary; times in monotonic ns.

        Args:
            edit: The edit.
            frame: The frame.
            swap_began: When the boundary was reached.
            swap_ended: When it was decided.
            steps: What was done to the world, see `World.swap`.
            error: Why it was refused.
            version: The number of the world version that runs then.
        """
        of_tables = [step for step in steps if isinstance(step, Step)]
        done = edit if isinstance(edit, Edit) else None
        return cls(
            files=tuple(edit.files),
            verdict="live" if error is None else "rejected",
            frame=frame,
            event_to_ready_ms=_ms(edit.ready_ns - edit.event_ns),
            ready_to_swap_ms=_ms(swap_began - edit.ready_ns),
            swap_ms=_ms(swap_ended - swap_began),
            migrated=tuple(str(step) for step in steps if not isinstance(step, Setting)),
            error=None if error is None else str(error),
            event_ns=edit.event_ns,
            version=version,
            digests=dict(edit.digests),
            event_to_compiled_ms=_ms(done.compiled_ns - edit.event_ns) if done and done.compiled_ns else None,
            trial_ms=_ms(done.trial_ns) if done else 0.0,
            imports={name: _ms(ns) for name, ns in done.imports.items()} if done else {},
            predicted=done.predicted if done else None,
            saved_ms=_ms(done.saved_ns) if done else 0.0,
            settings=tuple(str(step) for step in steps if isinstance(step, Setting)),
            columns=tuple(dict.fromkeys(f"{step.table}.{step.column}" for step in of_tables if step.column)),
            superseded=tuple(getattr(edit, "superseded", ())),
            rows=sum({step.table: step.rows for step in of_tables}.values()),
        )

    def roll_back(self, error: object, frame: int) -> Receipt:
        """The receipt of the same edit after the old code came back, and why."""
        return replace(self, verdict="rolled_back", error=str(error), rolled_back_frame=frame)

    def document(self) -> dict[str, Any]:
        """The receipt as plain data for JSON."""
        return {one.name: _plain(getattr(self, one.name)) for one in fields(self)}

    def __str__(self) -> str:
        files = ", ".join(self.files)
        if self.error is not None:
            return f"{files}: {self.verdict.replace('_', ' ')}\n{self.error}"
        steps = "".join(f"; {step}" for step in (*self.migrated, *self.settings))
        known = f", {self.predicted}" if self.predicted else ""
        times = f"{self.event_to_ready_ms:.1f} ms to ready{known}, swap {self.swap_ms:.2f} ms"
        touched = f"; {self.rows:,} agents touched" if self.rows else ""
        touched += (
            f"; {len(self.superseded)} earlier saves were replaced before they could run" if self.superseded else ""
        )
        return f"{files}: live at frame {self.frame} as version {self.version} ({times}){steps}{touched}"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _ms(ns: int) -> float:
    return round(ns / 1e6, 4)
