"""The runtime: a world in real time, with its code watched and its frames measured."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from instar.controls import KEYS, Controls
from instar.debugger import Breakpoints
from instar.departures import Departures
from instar.edits.boundary import Boundary
from instar.edits.receipt import Receipt
from instar.edits.runs import Run, expect, under_way
from instar.faults import EditFault, HookFault, StopRequested, WorldError
from instar.hmr.code import EditPipeline
from instar.interrupt import Interrupt
from instar.loop.clock import Clock, SystemClock
from instar.loop.limit import HookLimit, hook_limit
from instar.loop.pacing import Pacing
from instar.loop.playback import MAX, Playback
from instar.loop.slack.autosave import Autosave
from instar.loop.slack.maintenance import Maintenance
from instar.loop.switching import quick_switches
from instar.loop.timing.timing import Timing
from instar.report import report
from instar.saves import AUTOSAVE
from instar.scene.file import SceneFile
from instar.scene.locate import locate
from instar.telemetry.events import Events
from instar.telemetry.listeners import Callback
from instar.telemetry.log import EventLog
from instar.view.pace import Pace
from instar.view.silent import SilentView
from instar.view.view import View
from instar.view.world import picture
from instar.world import World

SHOWN = 20
"""Edits and late frames that a snapshot tells of, the newest."""


class Runtime:
    """Runs a scene at its frame rate while its files are edited.

    Example:
        >>> Runtime("boids").run(frames=600)["missed"]
        0

    Attributes:
        world: The world that runs.
        resumed: The frame of the save that it goes on from; None if it starts anew.
        set_aside: Where the autosave of an earlier run is kept, which this one was not asked to go on from.
    """

    def __init__(
        self,
        scene: str | os.PathLike[str],
        *,
        fps: float | None = None,
        seed: int | None = None,
        params: Mapping[str, Mapping[str, Any]] | None = None,
        view: View | None = None,
        clock: Clock | None = None,
        autosave: float | None = None,
        resume: bool = False,
        reload_log: str | os.PathLike[str] | None = None,
        log: str | os.PathLike[str] | None = None,
        speed: float = 1.0,
    ) -> None:
        """Load a scene; nothing of it runs yet but the top level of its modules.

        Args:
            scene: A folder with a ``scene.toml``, or the name of a packaged example.
            fps: Instead of the scene file's.
            seed: Instead of the scene file's.
            params: Values by module and parameter, over those of the scene file.
            view: Who shows the run; nobody, if None.
            clock: The time to live by; the machine's, if None.
            autosave: Seconds between saves to ``.instar/autosave.instar`` in the scene's folder, the last one when the run
                ends; none, if None.
            resume: Go on from that file where there is one.
            reload_log: A file to which the receipt of each edit is appended, as one line of JSON.
            log: A file to which each event is appended likewise: edits, late frames, faults, repairs.
            speed: Seconds of the world's time in a second; `math.inf` for as many as the machine can.

        Raises:
            InstarError: If the scene cannot be read or loaded, what was saved cannot be trusted, the log not written, or the
                speed not kept.
        """
        self._view = view or SilentView()
        with Breakpoints(self._view.released):
            self.world, self.resumed = _open(scene, resume, seed=seed, fps=fps, params=params)
        self._clock = clock or SystemClock()
        expect(self.world)
        self._events = Events()
        self._edits = Boundary(self.world, self._clock.now, self._view.message, self._events)
        if reload_log is not None:
            self._edits.ledger.log = self._log(reload_log)
        if log is not None:
            self._events.log = self._log(log)
        self._scene = self.world.scene
        self._timing = Timing(self._clock, self.world.spans, self._scene.budget)
        self._departures = Departures(self.world, self._view.message)
        self._maintenance = Maintenance(
            self.world.state,
            self._departures.maintain,
            1 / self.fps,
            self._clock.now,
            self._view.message,
            self.world.spans,
        )
        self._maintenance.validation.hear = partial(self._events.post, "repair")
        self._interrupt = Interrupt(self._continued)
        self._commands: queue.SimpleQueue[Callable[[World], object]] = queue.SimpleQueue()
        self._playback = Playback(speed)
        self._pacing = Pacing(self._clock, self.fps)
        self._next_publish = self._started = self._clock.now()
        self._first_frame = 0
        self._shown_pace = Pace()
        self._pipeline: EditPipeline | None = None
        self._state = "running"
        self._activity = 0
        self._is_set_up = self.resumed is not None
        self.set_aside: Path | None = None
        if autosave is not None:
            self._maintenance.autosave = self._make_autosave(autosave)

    @property
    def fps(self) -> float:
        """The frames per second aimed at."""
        return self.world.fps

    @property
    def receipts(self) -> list[Receipt]:
        """What the edits of this run did, oldest first."""
        return self._edits.ledger.receipts

    def on_edit(self, callback: Callback) -> Callback:
        """Have a function called with the `Receipt` of each edit of this run: ``on("edit", callback)``; see `instar.on`."""
        return self._events.on("edit", callback)

    def on(self, event: str, callback: Callback) -> Callback:
        """Have a function called with each event of a kind of this run; see `instar.on`."""
        return self._events.on(event, callback)

    @property
    def playback(self) -> Playback:
        """Pause, step and speed of the run; safe from any thread."""
        return self._playback

    def post(self, command: Callable[[World], object]) -> None:
        """Have a function called with the world in the input phase of the next frame; safe from any thread."""
        self._commands.put(command)

    def stop(self) -> None:
        """End the run after the frame in hand; safe from any thread."""
        self._interrupt.wanted = True

    def run(self, frames: int | None = None) -> dict[str, Any]:
        """Run the scene: its `setup`, then frame after frame. A second call goes on where the first ended.

        Args:
            frames: How many frames to commit; without it, until Ctrl-C, `stop` or a hook that asks to end.

        Returns:
            The report, as ``instar run --json`` prints it.

        Raises:
            HookFault: If `setup` raises.
        """
        with ExitStack() as stack:
            stack.enter_context(self._interrupt)
            limit = stack.enter_context(hook_limit())
            self._breakpoints = stack.enter_context(Breakpoints(lambda: self._paused(limit)))
            self._pipeline = EditPipeline(self.world.codebase, self.world.program, self.world.check)
            stack.enter_context(under_way(Run(self.world, self._pipeline, self._edits.ledger)))
            stack.enter_context(self._pipeline)
            if not self._is_set_up:
                self.world.setup()
                self._is_set_up = True
            for log in (self._edits.ledger.log, self._events.log):
                if log is not None:
                    stack.enter_context(log)
            stack.callback(self._events.deliver, self._view.message)
            stack.enter_context(self.world.hooks.limited(limit))
            stack.enter_context(self._maintenance.garbage)
            stack.enter_context(quick_switches())
            self._view.listen(Controls(self._playback, self.stop).press)
            self._begin()
            stack.callback(self._timing.close)
            stack.callback(self._departures.finish)
            stack.callback(self.world.verdicts.confirm)
            self._loop(frames)
            self.world.verdicts.condemn()
            self._settle(None)
            self._save_last()
            self._state = "ended"
            return self.report()

    def report(self) -> dict[str, Any]:
        """The report of the run so far."""
        state = self.world.state
        return {**self._document(), "memory": {**state.memory().document(), "notice": state.memory_notice}}

    def _document(self, newest: int | None = None) -> dict[str, Any]:
        pipeline = self._pipeline
        errors = [*map(str, self.world.resting.values()), *(pipeline.errors if pipeline else ())]
        document = report(
            self.world,
            self._timing,
            self._pacing.deadlines,
            self.receipts,
            errors,
            fps=self.fps,
            frames=self.world.frame - self._first_frame,
            seconds=(self._clock.now() - self._started) / 1e9,
            newest=newest,
        )
        return {
            **document,
            "state": "paused" if self._playback.is_paused and self._state == "running" else self._state,
            "speed": self._playback.speed if self._playback.speed != MAX else "max",
            "budget_ms": round(1e3 / self.fps, 4),
            "budgets": dict(self.world.scene.budget),
            "breaches": {name: breach.document() for name, breach in self._timing.budgets.breaches.items()},
            "resumed": self.resumed,
            "validation": self._maintenance.validation.document(),
            "autosave": autosave.document() if (autosave := self._maintenance.autosave) else None,
            "leaks": list(self._departures.leaks),
            "watch": {"mode": pipeline.mode, "notice": pipeline.notice} if pipeline else None,
            "prediction": pipeline.prediction if pipeline else None,
        }

    def _begin(self) -> None:
        self._state = "running"
        self._timing.begin()
        self._pacing.begin()
        self._next_publish = self._started = self._clock.now()
        self._first_frame = self.world.frame

    def _loop(self, frames: int | None) -> None:
        while not self._interrupt.wanted and (frames is None or self.world.frame - self._first_frame < frames):
            try:
                self._frame()
            except StopRequested as request:
                self._view.message(str(request))
                return
            except KeyboardInterrupt:
                self._view.message(
                    f"interrupted in frame {self.world.frame}; the world is as it was after its last commit"
                )
                return

    def _frame(self) -> None:
        assert self._pipeline is not None
        timing = self._timing
        self._activity = self._pipeline.activity
        timing.begin_frame(self.world.frame)
        with timing.phase("boundary"):
            self._edits.cross(self._pipeline)
        with timing.phase("input"):
            self._input()
        if self.world.scene is not self._scene:
            self._follow(self.world.scene)
        self._pacing.follow(self.fps, self._playback.speed)
        if self._playback.advance():
            self._update()
        else:
            timing.is_measured = False
        with timing.phase("publish"):
            self._publish(timing.last)
        deadline = self._pacing.next()
        with timing.phase("maintain"):
            self._events.deliver(self._view.message)
            self._maintenance.maintain(deadline - timing.last)
        with timing.phase("pace"):
            self._pace(deadline)

    def _input(self) -> None:
        for _ in range(self._commands.qsize()):  # what a command posts waits for the next frame
            self._commands.get()(self.world)

    def _follow(self, scene: SceneFile) -> None:
        """Keep the pace and budgets that another version of the scene file asks for."""
        self._scene = scene
        self._timing.allow(scene.budget)
        self._maintenance.validation.change_pace(1 / self.fps)

    def _update(self) -> None:
        """Run the hooks and commit; a fault voids the frame and is shown."""
        world = self.world
        try:
            with self._timing.phase("update"):
                try:
                    world.run_hooks()
                finally:
                    self._breakpoints.end_of_hook()
        except HookFault as fault:
            self._settle(fault)
            return
        self._timing.hooks(world.last_calls)
        with self._timing.phase("commit"):
            try:
                world.commit()
            except EditFault as fault:
                self._settle(fault)
            else:
                self._settle(None)

    def _settle(self, fault: HookFault | EditFault | None) -> None:
        """Tell of an edit that was undone, or of a fault for which none was."""
        assert self._pipeline is not None
        if fault is not None:
            self._events.post("fault", fault)
        if not self._edits.settle(self._pipeline) and fault is not None:
            self._view.message(str(fault))

    def _publish(self, now: int) -> None:
        if now >= self._next_publish:
            self._view.publish(self.snapshot())
            self._next_publish = max(self._next_publish + round(self._view.interval * 1e9), now)

    def snapshot(self) -> dict[str, Any]:
        """The report with the newest edits, the pace of late, and a picture of the world where the view has room for one."""
        space = self.world.space
        pace = self._shown_pace.at(self._clock.now(), self.world.frame)
        canvas = self._view.canvas(space.width / space.height)
        braille = None if canvas is None else picture(self.world, *canvas)
        shown: dict[str, Any] = {"memory": self.world.state.memory_summary(), "fps_now": round(pace, 2) or None}
        shown |= {"braille": braille, "keys": KEYS}
        return {**self._document(SHOWN), **shown}

    def _log(self, path: str | os.PathLike[str]) -> EventLog:
        return EventLog(path, str(self.world.scene.folder), self._view.message)

    def _make_autosave(self, seconds: float) -> Autosave:
        if not (isinstance(seconds, int | float) and 0.001 <= seconds < 1e9):
            raise WorldError(f"autosave={seconds!r} is no number of seconds from 0.001 on; nothing was started")
        path = self.world.scene.folder / AUTOSAVE
        if self.resumed is None and path.exists():
            self.set_aside = path.replace(path.with_stem("autosave.previous"))
        return Autosave(path, round(seconds * 1e9), self.world.checkpoint, self._view.message)

    def _save_last(self) -> None:
        """Save the world as it was after its last commit, if it is saved at all."""
        if self._maintenance.autosave is not None:
            self.world.rollback(self.world.frame)
            self._maintenance.autosave.finish()

    def _pace(self, deadline: int) -> None:
        self._timing.end_work()
        late = self._pacing.wait(deadline)
        if not self._timing.is_measured:
            return
        if late > 0:
            missed = self._timing.missed(late, self._pacing.period_ns, by_edit=self._is_edited())
            self._events.post("late", missed)
        elif late == 0:
            self._timing.kept(self._clock.now() - deadline)

    def _is_edited(self) -> bool:
        """Whether an edit was prepared, or what it replaced freed, in the frame in hand."""
        assert self._pipeline is not None
        activity = self._pipeline.activity
        return activity != self._activity or activity % 2 == 1 or self._departures.freed

    def _continued(self) -> None:
        """The process was stopped (Ctrl-Z) and goes on: the time between counts for nothing."""
        self._timing.is_measured = False
        self._pacing.deadlines.rebase(self._clock.now())

    @contextmanager
    def _paused(self, limit: object) -> Iterator[None]:
        """Stop the clock while a person is at a breakpoint; the frame is left out of the measurements."""
        self._timing.is_measured = False
        self._interrupt.at_prompt = True
        if isinstance(limit, HookLimit):
            limit.suspend()
        self._state = "paused at breakpoint"
        try:
            with self._view.released():
                yield
        finally:
            self._state = "running"
            self._interrupt.at_prompt = False
            self._pacing.deadlines.rebase(self._clock.now())
            if isinstance(limit, HookLimit):
                limit.resume()


def _open(scene: str | os.PathLike[str], resume: bool, **given: Any) -> tuple[World, int | None]:
    """A world whose `setup` has yet to run, or one that goes on from its autosave, and from which frame."""
    path = locate(os.fspath(scene)) / AUTOSAVE
    world = World.load(path, scene, **given) if resume and path.exists() else None
    return (World.open(scene, setup=False, **given), None) if world is None else (world, world.frame)
