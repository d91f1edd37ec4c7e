"""Hook calls: one at a time, each within its limit, and a fault voids the frame."""

from __future__ import annotations

from bdb import BdbQuit
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from instar.faults import HookFault, HookTimeout, StopRequested, WorldError
from instar.hmr.code import Program
from instar.hmr.state import Fault, StateManager
from instar.loop.frame import Frame
from instar.loop.limit import Limit, NoLimit
from instar.loop.schedule import HookCall
from instar.native import Spans


class HookCalls:
    """Calls hooks over a state; one that raises returns it to the last commit, and its module rests.

    Attributes:
        limit: What watches how long a hook runs; nothing, unless a runtime sets it.
        resting: Modules whose hook raised, quarantined until their next edit, with the fault.
        inside: The call that is under way, or None.
    """

    def __init__(self, state: StateManager, home: Path, spans: Spans) -> None:
        """Prepares.

        Args:
            state: What the hooks write.
            home: The scene's folder; a fault is shown from there on.
            spans: Where it is recorded what each call takes.
        """
        self.limit: Limit = NoLimit()
        self.resting: dict[str, HookFault] = {}
        self.inside: HookCall | None = None
        self._state = state
        self._home = home
        self._spans = spans
        self._frame = Frame.of(state.frame, spans)

    @contextmanager
    def limited(self, limit: Limit) -> Iterator[None]:
        """Have a limit within the block."""
        self.limit = limit
        try:
            yield
        finally:
            self.limit = NoLimit()

    def refuse_inside(self, verb: str) -> None:
        """Raise WorldError if a hook is under way, so that the frame is not complete."""
        if self.inside is not None:
            where = f"{self.inside.hook.module}.{self.inside.hook.name}"
            raise WorldError(
                f"world.{verb} cannot be called inside a hook ({where}): the frame is not complete. Call it between steps, or "
                f"from a program with Runtime.post"
            )

    def run(self, call: HookCall) -> None:
        """Call a hook, carry out what it despawned, and take the persisted values that it changed.

        Raises:
            HookFault: If it raises: the state is back at the last commit, and the module rests unless it is a `setup`.
            StopRequested: If it called ``sys.exit()``; the frame is void.
            KeyboardInterrupt: At Ctrl-C; the frame is void.
        """
        frame = self._state.frame
        try:
            self.invoke(call)
            self._state.flush()
        except (SystemExit, BdbQuit) as error:
            self._state.rollback(frame)
            where = f"{call.hook.module}.{call.hook.name}"
            why = str(error) or type(error).__name__
            raise StopRequested(f"{where} ended the run ({why}); frame {frame} is void") from error
        except KeyboardInterrupt:
            self._state.rollback(frame)
            raise
        except BaseException as error:  # noqa: BLE001 - it is raised again, as a fault
            self._state.rollback(frame)
            fault = HookFault(call.hook, frame, self._home, error)
            if call.hook.kind != "setup":
                self.resting[call.hook.module] = fault
            try:
                raise fault from error
            finally:
                del fault  # or it would refer to itself, by this frame, and stay with the version that raised

    def validate(self, calls: Iterable[HookCall]) -> list[Fault]:
        """Call `validate` hooks; returns what those that raise have found, and nothing rests for it."""
        faults = []
        for call in calls:
            try:
                self.invoke(call)
            except (Exception, HookTimeout) as error:  # noqa: BLE001 - whatever a hook raises is what it found
                fault = HookFault(call.hook, self._state.frame, self._home, error)
                faults.append(Fault("hook", call.hook.module, "", self._state.frame, fault.reason))
        return faults

    def wake(self, old: Program, new: Program) -> None:
        """Let modules rest no longer that one program has otherwise than another, and all of them where the scene differs."""
        for name in list(self.resting):
            if new.settings is not old.settings or old.modules.get(name) is not new.modules.get(name):
                del self.resting[name]

    def invoke(self, call: HookCall) -> None:
        """Call a hook, within its limit; raises what it raises."""
        try:
            self.inside = call
            frame = self._state.frame
            if self._frame != frame:
                self._frame = Frame.of(frame, self._spans)
            self.limit.arm(call.label, frame)
            with self._spans.span(call.name):
                call(self._frame)
        finally:
            self.inside = None
            self.limit.disarm()
