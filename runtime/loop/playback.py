"""Playback: whether the world goes on, and how much faster or slower than its own time."""

from __future__ import annotations

import math
import threading

from instar.faults import WorldError

SLOWEST, FASTEST = 1 / 1000, 1000.0
MAX = math.inf
"""The speed at which nothing is waited for."""


class Playback:
    """Paused, frame by frame, slower or faster; a frame always stands for the same time. Safe from any thread."""

    def __init__(self, speed: float = 1.0) -> None:
        """Args: speed: see `speed`."""
        self._lock = threading.Lock()
        self._is_paused = False
        self._steps = 0
        self._speed = _checked(speed)

    @property
    def speed(self) -> float:
        """Seconds of the world's time in a second, if the machine keeps up; `math.inf`: as many as it can."""
        return self._speed

    @speed.setter
    def speed(self, value: float) -> None:
        self._speed = _checked(value)

    @property
    def is_paused(self) -> bool:
        """Whether no frames are run, but for those asked for by `step`."""
        return self._is_paused

    def pause(self) -> None:
        """Run no more frames; edits are taken all the same."""
        with self._lock:
            self._is_paused, self._steps = True, 0

    def resume(self) -> None:
        """Go on."""
        with self._lock:
            self._is_paused, self._steps = False, 0

    def step(self, frames: int = 1) -> None:
        """Run so many frames more, then pause.

        Raises:
            WorldError: If it is no whole number above zero.
        """
        if isinstance(frames, bool) or not isinstance(frames, int) or frames < 1:
            raise WorldError(
                f"step({frames!r}): a number of frames is a whole number of at least 1; nothing was changed"
            )
        with self._lock:
            self._is_paused = True
            self._steps += frames

    def advance(self) -> bool:
        """Whether a frame is to be run now; to be asked once a frame by the loop."""
        with self._lock:
            if not self._is_paused:
                return True
            self._steps -= 1 if (is_stepped := self._steps > 0) else 0
            return is_stepped


def _checked(speed: float) -> float:
    is_number = isinstance(speed, int | float) and not isinstance(speed, bool)
    if not (is_number and (speed == MAX or SLOWEST <= speed <= FASTEST)):
        raise WorldError(
            f"speed={speed!r}: a speed is a number from {SLOWEST:g} to {FASTEST:g}, 1 for the world's own time, or math.inf "
            f"for as fast as can be; nothing was changed"
        )
    return float(speed)
