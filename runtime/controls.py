"""Controls: what the keys of the live view do."""

from __future__ import annotations

from collections.abc import Callable

from instar.loop.playback import FASTEST, MAX, SLOWEST, Playback

KEYS = "space pause · . step · + faster · - slower · 1 normal · q end"
"""For people."""


class Controls:
    """Pauses, steps, hurries, slows and ends a run."""

    def __init__(self, playback: Playback, stop: Callable[[], object]) -> None:
        """Args: playback: of the run; stop: ends it."""
        self._playback = playback
        self._stop = stop

    def press(self, key: str) -> None:
        """Do what a key stands for; others do nothing. Safe from any thread."""
        playback = self._playback
        if key == " ":
            (playback.resume if playback.is_paused else playback.pause)()
        elif key == ".":
            playback.step()
        elif key in ("+", "="):
            playback.speed = min(2 * playback.speed, FASTEST) if playback.speed != MAX else MAX
        elif key in ("-", "_"):
            playback.speed = max(playback.speed / 2, SLOWEST) if playback.speed != MAX else 1.0
        elif key == "1":
            playback.speed = 1.0
        elif key == "q":
            self._stop()
