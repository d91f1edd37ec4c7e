"""What the system counts for the thread that runs the frames."""

from __future__ import annotations

import os
import resource
import sys
from typing import NamedTuple

_WHO = resource.RUSAGE_THREAD if sys.platform == "linux" else resource.RUSAGE_SELF
_SCHEDULER = "/proc/thread-self/schedstat"


class Usage(NamedTuple):
    """Counts up to a moment, or between two.

    Attributes:
        queued_ns: Time in which the thread could have run, but others had the processors; 0 where the system does not tell.
        faults: Page faults that took no disk.
        system_ns: Time in the system, as far as its clock tells.
    """

    queued_ns: int
    faults: int
    system_ns: int

    def since(self, before: Usage) -> Usage:
        """The counts from an earlier moment on."""
        return Usage(*(now - then for now, then in zip(self, before, strict=True)))


class UsageCounter:
    """Reads the counts of the thread that makes it; a µs or two each time."""

    def __init__(self) -> None:
        try:
            self._scheduler = os.open(_SCHEDULER, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._scheduler = -1

    def now(self) -> Usage:
        """The counts so far."""
        queued = int(os.pread(self._scheduler, 64, 0).split()[1]) if self._scheduler >= 0 else 0
        counted = resource.getrusage(_WHO)
        return Usage(queued, counted.ru_minflt, int(counted.ru_stime * 1e9))

    def close(self) -> None:
        """Read no more."""
        if self._scheduler >= 0:
            os.close(self._scheduler)
            self._scheduler = -1
