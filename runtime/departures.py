"""Departures: versions that were replaced are disposed of once they cannot come back by themselves, and then freed."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Protocol

from instar.edits.probation import FRAMES
from instar.faults import HookFault, HookTimeout
from instar.hmr.code import Codebase, Hook, ModuleVersion, Program
from instar.hmr.state import StateManager
from instar.loop.calls import HookCalls
from instar.loop.schedule import HookCall
from instar.params import ModuleParams
from instar.scene.file import SceneFile
from instar.scene.space import Space

SWEEP_FRAMES = 60
"""Frames from one look for versions that can be freed to the next, where there is time for it."""
SWEEP_SLACK_NS = 4_000_000
"""Slack that it needs; a version of 300 lines takes about 1 ms."""
SWEEP_FRAMES_AT_MOST = 600
"""Frames after which it is done without slack."""
MOST_LEAKS = 20
"""Leaks that a report shows, the newest."""


class Hosting(Protocol):
    """A world, as versions that leave it see it."""

    codebase: Codebase
    dt: float
    hooks: HookCalls
    program: Program
    scene: SceneFile
    seed: int
    space: Space
    state: StateManager

    @property
    def frame(self) -> int:
        """How many steps are committed."""

    @property
    def tables(self) -> Mapping[str, Any]:
        """The tables by name."""


class Departures:
    """Calls the `dispose` hooks of versions that were replaced, removed, or ran to the end; frees what nobody uses.

    A version is disposed of 60 committed frames after it was replaced: until then a fault of the one that follows may
    bring it back. Who goes back in time further than that returns to a version that has been disposed of.

    Attributes:
        leaks: Who holds versions that no longer run, the last ones that were told.
        freed: Whether the last frame's maintenance freed something.
    """

    def __init__(self, world: Hosting, tell: Callable[[str], object]) -> None:
        """Prepares.

        Args:
            world: Whose versions they are.
            tell: Shows a message to people.
        """
        self.leaks: deque[str] = deque(maxlen=MOST_LEAKS)
        self._world = world
        self._tell = tell
        self._running: Program | None = None
        self._leaving: dict[ModuleType, tuple[ModuleVersion, int]] = {}
        self._disposed: weakref.WeakSet[ModuleType] = weakref.WeakSet()
        self._swept = world.frame
        self._is_sweeping = False
        self.freed = False

    def maintain(self, slack: int) -> int:
        """Do what is due after a frame, with so many ns until its deadline; returns how many objects were freed."""
        self.freed = False
        self._notice()
        frame = self._world.frame
        for version, since in list(self._leaving.values()):
            if not since <= frame < since + FRAMES:
                del self._leaving[version.module]
                self._dispose(version)
        waited = abs(frame - self._swept)
        is_due = self._is_sweeping or waited >= SWEEP_FRAMES
        if not is_due or (slack < SWEEP_SLACK_NS and waited < SWEEP_FRAMES_AT_MOST):
            return 0
        self._swept = frame
        swept = self._world.codebase.remains.sweep()
        self._is_sweeping = not swept.is_last
        self.freed = swept.freed > 0
        for leak in swept.leaks:
            self.leaks.append(leak)
            self._tell(leak)
        return swept.freed

    def finish(self) -> None:
        """The run ends: dispose of what has left, and of what runs."""
        self._notice()
        leaving = [version for version, _ in self._leaving.values()]
        self._leaving.clear()
        for version in (*leaving, *reversed(list(self._world.program.modules.values()))):
            self._dispose(version)

    def _notice(self) -> None:
        """See whether another program runs than before."""
        old, new = self._running, self._world.program
        if old is new:
            return
        self._running = new
        running = {version.module for version in new.modules.values()}
        for version in () if old is None else old.modules.values():
            if version.module not in running:
                self._leaving[version.module] = version, self._world.frame
        for module in running:
            self._leaving.pop(module, None)

    def _dispose(self, version: ModuleVersion) -> None:
        if version.module in self._disposed:
            return
        self._disposed.add(version.module)
        for hook in version.hooks:
            if hook.kind == "dispose":
                self._call(hook, version)

    def _call(self, hook: Hook, version: ModuleVersion) -> None:
        """Call a hook; what it raises is told, and what it writes is dropped."""
        world = self._world
        shared = {"world": world, "dt": world.dt, "space": world.space, "params": ModuleParams(version)}
        values = {**shared, **world.tables, "frame": None, "rng": None}
        gone = [asked for asked in (*hook.names, *hook.keywords) if asked not in values]
        if gone:
            self._tell(f"{hook.module}.dispose was not called: the table {gone[0]!r} that it asks for is gone")
            return
        settled = world.state.uncommitted is None
        try:
            world.hooks.invoke(HookCall(hook, values, world.seed))
        except (Exception, HookTimeout, SystemExit) as error:  # noqa: BLE001 - whatever it raises changes nothing
            fault = HookFault(hook, world.frame, world.scene.folder, error)
            self._tell(f"{fault.reason}\nNothing else has changed: this version of {hook.module} no longer runs.")
        if settled and world.state.uncommitted is not None:
            world.state.rollback(world.frame)
