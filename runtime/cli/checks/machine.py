"""Interpreter, native code, clocks and memory."""

from __future__ import annotations

import importlib
import os
import platform
import re
import sys
import sysconfig
import time
from collections.abc import Iterator

from instar.cli.checks.check import Check, setting

_LEAST_MEMORY = 2e9
_FINE_SLACK_NS = 50_000
_FINE_CLOCK_NS = 1_000


def interpreter() -> Iterator[Check]:
    """Python's version and whether it has a global lock."""
    version = platform.python_version()
    free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    shown = f"{platform.python_implementation()} {version}, {'free-threaded' if free else 'with the GIL'}"
    if free:
        yield Check("python", "warn", shown, "Not tested without the GIL; use the ordinary build of this Python.")
    else:
        yield Check("python", "ok", shown)


def system() -> Iterator[Check]:
    """Operating system and processors."""
    shown = f"{platform.system()} {platform.release()}, {platform.machine()}, {_processors()} processors"
    supported = sys.platform.startswith("linux") or sys.platform == "darwin"
    yield Check("system", "ok" if supported else "warn", shown, "" if supported else "Linux and macOS are supported.")


def native() -> Iterator[Check]:
    """Which path of the kernels is in use, and which this processor could run."""
    try:
        module = importlib.import_module("instar.native")
        used, possible = str(module.isa()), tuple(module.isas())
    except Exception as error:  # noqa: BLE001  whatever keeps native code from loading is what was asked for
        yield Check("native", "broken", str(error), "Build it again: pip install --force-reinstall .")
        return
    shown = f"{used} in use; this processor can run: {', '.join(possible)}"
    narrowed = os.environ.get("INSTAR_ISA")
    if narrowed:
        yield Check("native", "warn", shown, f"INSTAR_ISA={narrowed} chose it; unset INSTAR_ISA for the fastest.")
    else:
        yield Check("native", "ok", shown)


def clock() -> Iterator[Check]:
    """The resolution of the clock that deadlines are kept by."""
    resolution = time.get_clock_info("perf_counter").resolution * 1e9
    fine = resolution <= _FINE_CLOCK_NS
    advice = "" if fine else "Deadlines will be no more exact than this."
    yield Check("clock", "ok" if fine else "warn", f"resolution {resolution:g} ns", advice)


def timer_slack() -> Iterator[Check]:
    """How late Linux may wake a sleeping thread on purpose."""
    slack = setting("/proc/self/timerslack_ns")
    if slack is None or not slack.isdecimal():
        return
    fine = int(slack) <= _FINE_SLACK_NS
    advice = "" if fine else "Sleeps end late; a run spins longer before each deadline. Is a power saver on?"
    yield Check("timer slack", "ok" if fine else "warn", f"{int(slack) / 1000:g} µs", advice)


def memory() -> Iterator[Check]:
    """Memory there is, whether address space can be reserved freely, and huge pages."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    small = total < _LEAST_MEMORY
    yield Check(
        "memory",
        "warn" if small else "ok",
        f"{total / 1e9:.1f} GB",
        "Keep capacities and history small." if small else "",
    )
    overcommit = setting("/proc/sys/vm/overcommit_memory")
    if overcommit is not None:
        strict = overcommit == "2"
        yield Check(
            "overcommit",
            "warn" if strict else "ok",
            f"vm.overcommit_memory = {overcommit}",
            "Reserved address space counts as used: sudo sysctl vm.overcommit_memory=0" if strict else "",
        )
    pages = re.search(r"\[(\w+)\]", setting("/sys/kernel/mm/transparent_hugepage/enabled") or "")
    if pages:
        never = pages[1] == "never"
        yield Check(
            "huge pages",
            "warn" if never else "ok",
            f"transparent huge pages: {pages[1]}",
            "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled" if never else "",
        )


def _processors() -> int:
    """Those that this process may run on."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
