"""Setups: the `setup` hooks, run once for each module of a world."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from instar.hmr.state import StateManager, Table
from instar.loop.calls import HookCalls
from instar.loop.schedule import Schedule


class Setups:
    """Runs the `setup` hooks of modules that none has been run of: all of them at the start, later those that join.

    A module that leaves and joins again finds its agents, so it is not set up again, unless the frame in which it was has
    been rolled back and forgotten.
    """

    def __init__(self, state: StateManager, hooks: HookCalls) -> None:
        """Prepares.

        Args:
            state: What the hooks write; what they make belongs to its committed frame.
            hooks: Calls them.
        """
        self._state = state
        self._hooks = hooks
        self._since: dict[str, int] | None = None

    def settle(self, modules: Iterable[str]) -> None:
        """Note that these modules, and no others, have been set up as of now."""
        self._since = dict.fromkeys(modules, self._state.frame)

    def forget_after(self, frame: int) -> None:
        """Forget what was set up after a frame that becomes the newest."""
        if self._since and max(self._since.values()) > frame:
            self._since = {name: since for name, since in self._since.items() if since <= frame}

    def forget(self, modules: Iterable[str]) -> None:
        """Note that what the hooks of these modules made is gone."""
        for name in modules:
            (self._since or {}).pop(name, None)

    def start(self, schedule: Schedule, modules: Iterable[str]) -> None:
        """Run all hooks of a schedule.

        Raises:
            HookFault: If one raises.
        """
        for call in schedule.setups():
            self._hooks.run(call)
        self._state.amend()
        self.settle(modules)

    def join(self, schedule: Schedule, modules: Iterable[str]) -> list[str]:
        """Run the hooks of those modules that have not been set up; of none before the world has been started.

        Returns:
            What they spawned, for people.

        Raises:
            HookFault: If one raises; no module has been set up then.
        """
        if self._since is None:
            return []
        frame = self._state.frame
        self.forget_after(frame)
        new = [name for name in modules if name not in self._since]
        calls = [call for call in schedule.setups() if call.hook.module in new]
        before = _rows(self._state.tables)
        for call in calls:
            self._hooks.run(call)
        if calls:
            self._state.amend()
        self._since |= dict.fromkeys(new, frame)
        grown = {name: rows - before[name] for name, rows in _rows(self._state.tables).items() if rows > before[name]}
        names = ", ".join(dict.fromkeys(call.hook.module for call in calls))
        return [f"setup of {names} spawned {count} {table}" for table, count in grown.items()]


def _rows(tables: Mapping[str, Table]) -> dict[str, int]:
    return {name: len(table) for name, table in tables.items()}
