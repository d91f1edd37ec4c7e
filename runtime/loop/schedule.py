"""The schedule: the hooks of a program, ready to be called."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

from instar.hmr.code import Hook, Program
from instar.loop.frame import Frame
from instar.loop.rng import Stream

INJECTED = ("world", "dt", "frame", "rng", "space", "params")
"""The names a hook may ask for besides the tables."""


class HookCall:
    """One hook with its arguments in place; only `frame` and `rng` change from call to call.

    Attributes:
        hook: The hook.
        name: ``module.hook``.
        label: The same in bytes, for whoever watches the time.
        ns: How long the last call took.
    """

    __slots__ = ("_keywords", "_positional", "_stream", "hook", "label", "name", "ns")

    def __init__(self, hook: Hook, values: Mapping[str, Any], seed: int) -> None:
        self.hook = hook
        self.name = f"{hook.module}.{hook.name}"
        self.label = self.name.encode()
        self.ns = 0
        self._positional = [values.get(name) for name in hook.names]
        self._keywords = {name: values.get(name) for name in hook.keywords}
        self._stream = Stream(seed, hook.module, hook.name) if "rng" in (*hook.names, *hook.keywords) else None

    def __call__(self, frame: Frame) -> None:
        """Call the hook for a frame and take its time."""
        self._inject("frame", frame)
        if self._stream is not None:
            self._inject("rng", self._stream.at(frame))
        started = time.perf_counter_ns()
        try:
            self.hook.function(*self._positional, **self._keywords)
        finally:
            self.ns = time.perf_counter_ns() - started

    def _inject(self, name: str, value: Any) -> None:
        if name in self._keywords:
            self._keywords[name] = value
        elif name in self.hook.names:
            self._positional[self.hook.names.index(name)] = value


class Schedule:
    """The hooks of a program in the order of its scene."""

    def __init__(self, program: Program, values_of: Callable[[str], Mapping[str, Any]], seed: int) -> None:
        calls = [
            HookCall(hook, values_of(name), seed) for name, version in program.modules.items() for hook in version.hooks
        ]
        self._setups = [call for call in calls if call.hook.kind == "setup"]
        self._validations = [call for call in calls if call.hook.kind == "validate"]
        self._updates = [call for call in calls if call.hook.kind in ("update", "every")]

    def setups(self) -> list[HookCall]:
        """The `setup` hooks."""
        return self._setups

    def validations(self, resting: Container[str]) -> Iterator[HookCall]:
        """The `validate` hooks, without those of modules that rest."""
        return (call for call in self._validations if call.hook.module not in resting)

    def due(self, frame: int, resting: Container[str]) -> Iterator[HookCall]:
        """The hooks that run in a frame, without those of modules that rest; what validates comes last."""
        for call in (*self._updates, *self._validations):
            if frame % call.hook.every == 0 and call.hook.module not in resting:
                yield call
