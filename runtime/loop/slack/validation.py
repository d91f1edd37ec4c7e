"""Validation in the slack of frames: a full round every 300 frames, in slices, and what it has found so far.

A complete round leaves a keyframe, a checkpoint in memory: with the history's deltas since, a source of what is damaged later.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from instar.hmr.state import Checkpoint, CheckpointError, Fault, StateManager, Validator

ROUND_FRAMES = 300
"""A round is complete before the next one begins, this many frames later."""
LEAST_SHARE = 0.01
"""What a slice may take of a frame."""
KEPT_FAULTS = 100
"""The last faults that the report keeps; all are counted."""


class Validation:
    """Runs one round of validation after another over a state, mends what it can, and tells each fault once.

    Attributes:
        runs: Complete rounds.
        found: Faults found.
        mended: How many of them were mended.
        keyframe: The checkpoint that the last round left; None before the first.
        hear: Called with each fault; nobody, if None.
    """

    def __init__(self, state: StateManager, frame_seconds: float, tell: Callable[[str], object]) -> None:
        """Begins its first round with the first slice.

        Args:
            state: What is validated.
            frame_seconds: How long a frame lasts.
            tell: Shows a message to people.
        """
        self.runs = 0
        self.found = 0
        self.mended = 0
        self.keyframe: Checkpoint | None = None
        self.hear: Callable[[Fault], object] | None = None
        self._state = state
        self._slice_seconds = LEAST_SHARE * frame_seconds
        self._tell = tell
        self._round: Validator | None = None
        self._age = 0
        self._seen = 0
        self._faults: list[Fault] = []
        self._told: set[tuple[object, ...]] = set()
        self._telling: set[tuple[object, ...]] = set()
        self._last_frame: int | None = None
        self._last_seconds = 0.0
        self._last_bytes = 0

    def change_pace(self, frame_seconds: float) -> None:
        """Have slices that suit frames of another length."""
        self._slice_seconds = LEAST_SHARE * frame_seconds

    def maintain(self, slack_ns: int) -> None:
        """Do a slice; to be called once a frame, when nothing can have written since the commit.

        A frame without slack is left alone, but for what the round needs to be complete in time.

        Args:
            slack_ns: What the frame has left.

        Raises:
            DamageError: If committed bytes are lost for good.
        """
        if self._round is None and self._age == 0:
            self._round = self._state.validator(repair=True)
            self._seen = 0
        self._age = (self._age + 1) % ROUND_FRAMES
        if self._round is None:
            return
        due = (self._age or ROUND_FRAMES) / (ROUND_FRAMES - 1)
        if slack_ns > self._slice_seconds * 1e9 or self._round.progress < due:
            self._advance(self._round, due)

    def document(self) -> dict[str, Any]:
        """What it did, for the report: rounds, the faults found, and the last complete round's frame, seconds and bytes."""
        return {
            "runs": self.runs,
            "found": self.found,
            "mended": self.mended,
            "faults": [fault.document() for fault in self._faults],
            "last_frame": self._last_frame,
            "seconds": round(self._last_seconds, 6),
            "bytes": self._last_bytes,
            "keyframe": None if self.keyframe is None else self.keyframe.frame,
        }

    def _advance(self, current: Validator, due: float) -> None:
        done = current.advance(self._slice_seconds, least=min(due, 1.0))
        faults = current.report.faults[self._seen :]
        self._seen += len(faults)
        for fault in faults:
            self._note(fault)
        if faults:
            current.stop_if_lost()
        if done:
            self._conclude(current)

    def _note(self, fault: Fault) -> None:
        self.found += 1
        self.mended += fault.mended is not None
        self._faults = [*self._faults, fault][-KEPT_FAULTS:]
        if self.hear is not None:
            self.hear(fault)
        key = (fault.kind, fault.table, fault.column, fault.chunk, fault.mended is None)
        if fault.mended is not None or key not in self._told:
            self._tell(f"validation: {fault}")
        self._telling.add(key)

    def _conclude(self, current: Validator) -> None:
        self.runs += 1
        self._told, self._telling = self._telling, set()
        report = current.report
        self._last_frame, self._last_seconds, self._last_bytes = report.frame, report.seconds, report.bytes
        self._round = None
        self._keep_keyframe()

    def _keep_keyframe(self) -> None:
        """Where memory is so limited that the history had to give some up, there is none."""
        if self._state.memory_notice is not None:
            self.keyframe = None
            return
        with suppress(CheckpointError):  # a thread of the scene may write at any time: the last one stays
            self.keyframe = self._state.checkpoint()
