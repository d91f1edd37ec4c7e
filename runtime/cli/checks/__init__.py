"""What `instar doctor` looks at; each check is a function that yields its findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from instar.cli.checks.check import Check as Check
from instar.cli.checks.files import examples_installed, watch_limits, write_events
from instar.cli.checks.machine import clock, interpreter, memory, native, system, timer_slack
from instar.cli.checks.people import extras, terminal

ALL: tuple[Callable[[], Iterable[Check]], ...] = (
    interpreter,
    system,
    native,
    clock,
    timer_slack,
    memory,
    watch_limits,
    write_events,
    examples_installed,
    terminal,
    extras,
)
"""In the order in which they are shown."""

__all__ = ["ALL", "Check"]
