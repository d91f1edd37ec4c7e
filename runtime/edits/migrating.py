"""Tables to the schemas of a program; what would be lost is asked of its `migrate` hooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from instar.faults import HookTimeout
from instar.hmr.code import Hook, ModuleVersion, Program, adopt, likeness
from instar.hmr.state import Checkpoint, MigrationError, Migrator, StateManager
from instar.loop.calls import HookCalls
from instar.loop.schedule import HookCall


class Migrating:
    """Takes the tables of a state to the schemas of programs. Errors begin with the file and line that is to be mended."""

    def __init__(self, state: StateManager, hooks: HookCalls) -> None:
        """Args: hooks: who calls `migrate` hooks, within their limit."""
        self._state = state
        self._hooks = hooks

    def check(self, program: Program) -> None:
        """See whether the tables can take the schemas of a program, as far as that can be known without the values.

        Raises:
            MigrationError: If something would be lost, and no `migrate` says what becomes of it.
        """
        with _placed(program):
            self._state.check(program.schemas, self._migrators(program))

    def migrate(self, program: Program, before: Program | None = None) -> list[str]:
        """Make the schemas of a program those of the tables, and have its persisted values; returns the steps, for people.

        Raises:
            MigrationError: If something would be lost, or a `migrate` failed; nothing has changed.
        """
        with _placed(program):
            steps = self._state.migrate(program.schemas, self._migrators(program, before))
        declared = {} if before is None else before.persisted
        return [*steps, *program.notes, *adopt(self._state.persisted, program.persisted, declared)]

    def restore(self, checkpoint: Checkpoint, program: Program) -> None:
        """Return to a checkpoint, with the schemas of a program; raises as `StateManager.restore` does."""
        with _placed(program):
            self._state.restore(checkpoint, program.schemas, self._migrators(program))
        adopt(self._state.persisted, program.persisted, program.persisted)

    def _migrators(self, program: Program, before: Program | None = None) -> list[Migrator]:
        """Who answers for which tables: each module for its own."""
        found = []
        for name, version in program.modules.items():
            hook = _hook_of(version)
            function = None if hook is None else self._caller(hook)
            is_new = before is not None and hook is not None and not _is_like(hook, _hook_of(before.modules.get(name)))
            found.append(Migrator(frozenset(version.schemas), function, f"{name}.migrate", is_new))
        return found

    def _caller(self, hook: Hook) -> Callable[[Any, Any], object]:
        def migrate(old: Any, new: Any) -> None:
            try:
                self._hooks.invoke(HookCall(hook, {"old": old, "new": new}, 0))
            except HookTimeout as error:
                raise TimeoutError(str(error) or "it ran longer than a hook may") from error

        migrate.__wrapped__ = hook.function  # type: ignore[attr-defined]
        return migrate


def _hook_of(version: ModuleVersion | None) -> Hook | None:
    hooks = () if version is None else version.hooks
    return next((hook for hook in hooks if hook.kind == "migrate"), None)


def _is_like(hook: Hook, other: Hook | None) -> bool:
    return other is not None and likeness(hook.function) == likeness(other.function) is not None


@contextmanager
def _placed(program: Program) -> Iterator[None]:
    """Has the errors of migrations begin with a place in the program's files."""
    try:
        yield
    except MigrationError as error:
        place = error.place or program.place_of(error.table)
        raise MigrationError(f"{place}: {error}", error.table, place=place) from error.__cause__
