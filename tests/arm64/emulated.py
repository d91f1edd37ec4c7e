"""A pytest plugin: the suite under an emulator, which proves correctness and knows nothing of speed."""

from __future__ import annotations

import os
import platform

import pytest
from hypothesis import is_hypothesis_test, settings

from instar.native import isa

MOST_EXAMPLES = 15
BEYOND = {
    "tests/runtime/bench": "measures speed",
    "tests/runtime/test_saves.py": "starts and kills runs by the dozen, which takes minutes",
    "tests/native/test_kernels.py": "drives the tools of the host, the emulator among them",
    "tests/native/test_column.py::test_reserves_more_than_there_is_memory": "the emulator keeps a byte per reserved page",
    "tests/native/test_column.py::test_says_what_the_system_did_not_give": "the emulator keeps a byte per reserved page",
    "tests/native/test_history.py::test_touches_what_is_written_next_once": "the emulator knows no MADV_POPULATE_WRITE",
    "tests/native/test_memory.py::test_children_do_not_inherit_it": "the emulator knows no MADV_DONTFORK",
}
"""Tests that an emulator cannot run, by node id, and why."""


def pytest_configure() -> None:
    """Refuse to prove anything but the path that was asked for."""
    wanted = os.environ.get("INSTAR_ISA", "neon")
    if (platform.machine(), isa()) != ("aarch64", wanted):
        raise pytest.UsageError(f"this is the path {isa()} on {platform.machine()}, not {wanted} on aarch64")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is beyond an emulator, and try fewer examples."""
    gone = {node for node in BEYOND if any(within(item, node.partition("::")[0]) for item in items)}
    for item in items:
        for node, reason in BEYOND.items():
            if within(item, node):
                item.add_marker(pytest.mark.skip(reason=reason))
                gone.discard(node)
        lessen(item)
    if gone:
        raise pytest.UsageError(f"no such tests: {', '.join(sorted(gone))}")


def within(item: pytest.Item, node: str) -> bool:
    """Whether a test is, or lies in, the folder, file or test that a node id names."""
    return item.nodeid == node or item.nodeid.startswith((f"{node}/", f"{node}::", f"{node}["))


def lessen(item: pytest.Item) -> None:
    """Let a Hypothesis test or state machine try at most MOST_EXAMPLES."""
    machine = getattr(item, "cls", None)
    if isinstance(getattr(machine, "settings", None), settings):
        machine.settings = fewer(machine.settings)
    elif isinstance(item, pytest.Function) and is_hypothesis_test(item.obj):
        # Hypothesis has no public way to change the settings of a decorated test.
        test = getattr(item.obj, "__func__", item.obj)
        test._hypothesis_internal_use_settings = fewer(
            getattr(test, "_hypothesis_internal_use_settings", settings.default)
        )


def fewer(given: settings) -> settings:
    """The same settings with at most MOST_EXAMPLES examples, which may take as long as they take."""
    return settings(given, max_examples=min(given.max_examples, MOST_EXAMPLES), deadline=None)
