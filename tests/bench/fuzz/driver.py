"""Drives a storm: does the steps, waits for what must come of each, and collects the figures."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import saves
from belief import Outlook, World, agrees
from child import Child
from contents import ERRORS, MODULES, Content
from plan import Plan
from steps import Step, begin_git
from watch import Fault, Oracle

PATIENCE_S = 20.0
"""Beyond it, what was saved is stale."""
PROBATION = 60
"""Committed frames of it."""
QUIET_S = 0.1
"""Where nothing is to be seen, nothing may be seen for so long."""
RETURN_S = 0.7
"""What was refused and comes back is tried again within that time."""
TRIAL_S = 3.0
"""What hangs or dies at import is given up within that time; what is saved meanwhile waits."""
_REJECTED = re.compile(r"^(.*): rejected$", re.MULTILINE)


@dataclass
class Tally:
    """What the storm has done and measured."""

    saves: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    visible_ms: list[tuple[int, float]] = field(default_factory=list)
    rejections: int = 0
    faults: Counter[str] = field(default_factory=Counter)


class Driver:
    """One storm over one run.

    Attributes:
        oracle: what watches it.
        tally: what was done.
        log: the last steps, for people.
    """

    def __init__(
        self, folder: Path, plan: Plan, *, bound_s: float, rolls_back: bool, trace: Callable[[str], object]
    ) -> None:
        self._plan = plan
        self._bound_s = bound_s
        self._given_up_ns = 0
        self._rolls_back = rolls_back
        self._trace = trace
        self.scene = folder / "scene"
        self._write_scene()
        self.oracle = Oracle(frozenset({World.of(plan.disk)}))
        self.tally = Tally()
        self.log: list[str] = []
        self._rejected_before = False
        self._unsettled: frozenset[World] = frozenset()
        self._heard = ""
        self._after_fault = 0
        self._last_began = 0
        self.child = Child(self.scene, folder)

    def _write_scene(self) -> None:
        (self.scene / "life").mkdir(parents=True)
        for file, content in self._plan.disk.items():
            (self.scene / file).write_bytes(content.data)
        begin_git(self.scene)

    def begin(self) -> bool:
        """Waits for the first frame."""
        return self._until(time.monotonic() + 30.0, lambda: bool(self.oracle.seen))

    def do(self, step: Step) -> bool:
        """Does a step; returns whether the storm can go on from what came of it."""
        before = len(self.oracle.defects)
        self._note(step)
        self._look()
        outlook = Outlook.of(self.oracle.worlds, step.before, step.moments).after_unsettled(self._unsettled)
        if step.expects == "passing fault":
            outlook = outlook.passing(step.contents)
        self.oracle.know(step.contents)
        self.oracle.expect(step.number, outlook, self._fault(step, outlook))
        self._heard = self.child.heard()
        done: dict[Content, int] = {}
        for action in step.actions:
            at = action.do(self.scene)
            for content in getattr(action, "contents", None) or filter(None, [getattr(action, "content", None)]):
                done[content] = at
        ended = time.monotonic_ns()
        if _is_deadly(step):
            self._given_up_ns = ended + round(TRIAL_S * 1e9)
        decided = self._wait(step, outlook, ended)
        self._measure(step, done, decided)
        self._unsettled = self.oracle.settle(decided=decided)
        if not self.child.alive:
            self._defect("crash", f"the process ended with {self.child.process.returncode}")
        return len(self.oracle.defects) == before

    def recover(self) -> bool:
        """Saves everything anew after a defect; what was wrong before counts no more."""
        running = {content.file: content for content in self._plan.restoring()}
        self.oracle.know(running.values())
        target = World.of(running)
        known = len(self.oracle.defects)
        for file, content in running.items():
            saves.in_place(self.scene / file, content.data, Random(0))
        tags = {file: content.tag for file, content in running.items()}
        recovered = self._until(
            time.monotonic() + PATIENCE_S, lambda: bool(self.oracle.seen) and agrees(running, self.oracle.seen)
            and {*MODULES} <= self.oracle.seen.keys()
        )  # fmt: skip
        del self.oracle.defects[known:]
        self.oracle.start_over(target)
        self._unsettled = frozenset()
        self.oracle.expect(self.oracle.step, Outlook([self.oracle.worlds]))
        if not recovered:
            self._defect("stale", f"it does not recover: wanted {tags}, runs {self.oracle.seen}")
        return recovered

    def _fault(self, step: Step, outlook: Outlook) -> Fault | None:
        if step.expects is None:
            return None
        content = step.contents[0]
        assert content.fault is not None
        if step.expects == "passing fault":
            return Fault(content, self._rolls_back, passing=True)
        runs = all(world.running.get(content.file) is content for world in outlook.last)
        return Fault(content, self._rolls_back and content.fault[1] < PROBATION) if runs else None

    def _wait(self, step: Step, outlook: Outlook, ended: int) -> bool:
        """Waits until what must come of a step has come, and for a while where nothing must.

        Returns:
            Whether what is seen by then is what came of it.
        """
        if all(stage == outlook.stages[0] for stage in outlook.stages):
            return not self._unsettled
        oracle = self.oracle
        heads = {world.head for world in outlook.last}
        decisive = not any(world.head in heads for stage in outlook.stages[:-1] for world in stage)
        refused = self._refused(step, outlook)
        quiet_until = time.monotonic() + _quiet(step)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.child.alive:
            self._look(0.05)
            if oracle.fault is not None and not oracle.fault.passing:
                if self._fault_is_over():
                    return True
                continue
            here = oracle.frames and self._last_began > ended
            agreed = here and any(agrees(world.running, oracle.seen) for world in outlook.last)
            told = not refused or self._was_told(refused)
            if agreed and told and (decisive or (len(heads) == 1 and refused and not self._unsettled)):
                return True
            if agreed and told and time.monotonic() >= quiet_until:
                return False
        if self.child.alive:
            self._give_up(refused)
        return True

    def _give_up(self, refused: set[Content]) -> None:
        """What must come has not come."""
        oracle = self.oracle
        if oracle.fault is not None and not oracle.fault.passing:
            self._defect("fault", f"the fault of {oracle.fault.content.marker} has not shown, or not been told")
        elif refused and not self._was_told(refused):
            names = ", ".join(f"{content.file} ({content.error})" for content in refused)
            self._defect("untold", f"nobody was told that {names} is not run")
        else:
            waiting = [file for file, tag in oracle.seen.items() if oracle.outlook_differs(file, tag)]
            self._defect("stale", f"not what was saved last: {', '.join(waiting)}; said since: {self._heard[-1500:]}")

    def _refused(self, step: Step, outlook: Outlook) -> set[Content]:
        saved = set(step.contents)
        refused = [world.rejected & saved for world in outlook.last]
        return set.intersection(*map(set, refused)) if refused else set()

    def _was_told(self, refused: set[Content]) -> bool:
        self._heard += self.child.heard()
        if any(one.error == "lossy schema" for one in refused) and "def migrate(old, new)" not in self._heard:
            return False
        own = [content for content in refused if content.error in ERRORS]
        if not own:  # what fails is told of the files that it fails with
            return bool(_REJECTED.search(self._heard))
        together = {file for files in _REJECTED.findall(self._heard) for file in files.split(", ")}
        return any(
            content.file in together or mark in self._heard
            for content in own
            for mark in (content.marker, f"storm_{content.tag}")
        )

    def _fault_is_over(self) -> bool:
        fault = self.oracle.fault
        assert fault is not None
        if not fault.happened:
            return False
        self._heard += self.child.heard()
        self._after_fault += 1
        told = fault.content.marker in self._heard or (fault.returns and "rolled back" in self._heard)
        if told and self._after_fault > 2:
            self._after_fault = 0
            return True
        return False

    def _look(self, patience: float = 0.0) -> None:
        for one in self.child.passes(patience):
            self.oracle.frame(one)
            self._last_began = one.began_ns

    def _until(self, deadline: float, reached: Callable[[], bool]) -> bool:
        while self.child.alive and time.monotonic() < deadline:
            self._look(0.02)
            if reached():
                return True
        return False

    def _measure(self, step: Step, done: dict[Content, int], decided: bool) -> None:
        self._heard += self.child.heard()
        if _REJECTED.search(self._heard):
            self.tally.rejections += 1
            worlds = [world for stage in self.oracle.outlook.stages for world in stage]
            rejects = any(world.rejected for world in worlds)
            if self.oracle.fault is None and not rejects and not self._rejected_before:
                self._defect("torn", f"something was refused that nobody saved: {self._heard[-1500:]}")
        self._rejected_before = any(world.rejected for stage in self.oracle.outlook.stages for world in stage)
        for content, at in done.items():
            seen = self.oracle.first_seen.get(content.tag)
            if seen is not None and step.after.get(content.file) is content:
                late = (seen - max(at, min(self._given_up_ns, seen))) / 1e6
                self.tally.visible_ms.append((content.lines, late))
                if late > self._bound_s * 1e3 and decided:
                    self._defect("stale", f"{content.file} ran {late:.0f} ms after it was saved")

    def _note(self, step: Step) -> None:
        self.tally.saves += step.saves
        self.tally.steps[step.kind] += 1
        for action in step.actions:
            self.tally.ways[getattr(action, "way", getattr(action, "what", "git checkout"))] += 1
        line = f"{step.number} {step.kind}: " + "; ".join(map(str, step.actions))
        self.log = [*self.log[-7:], line]
        self._trace(line)

    def _defect(self, kind: str, what: str) -> None:
        self.oracle._defect(kind, what)

    def held(self) -> dict[str, Any]:
        """What the process holds."""
        answer = self.child.ask()
        self._look()
        return dict(answer or {})


def _quiet(step: Step) -> float:
    """How long it may take until something is seen of a step of which perhaps nothing is to be seen."""
    if _is_deadly(step):
        return TRIAL_S
    return RETURN_S if any(moment.again for moment in step.moments) else QUIET_S


def _is_deadly(step: Step) -> bool:
    """Whether something that is saved when a step begins or ends hangs or dies at import: it may be tried again with others."""
    return any(content.error in {"hang", "signal", "os exit"} for content in (*step.contents, *step.before.values()))
