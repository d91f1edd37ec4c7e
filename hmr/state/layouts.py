"""Which schemas were visible in which frame, for as far back as the history reaches."""

from __future__ import annotations

from collections.abc import Mapping

from instar.hmr.state.schema import Schema

Layout = Mapping[str, Schema]
"""The schemas of the visible tables, by name."""


class Layouts:
    """The layouts of the frames held; each is that of all frames until the next one.

    Args:
        frame: The frame that it begins with.
        layout: That frame's layout.
    """

    def __init__(self, frame: int = 0, layout: Layout | None = None) -> None:
        self._entries: list[tuple[int, Layout]] = [(frame, dict(layout or {}))]

    @property
    def newest(self) -> Layout:
        """The last layout."""
        return self._entries[-1][1]

    def at(self, frame: int) -> Layout:
        """The layout of a frame that is held."""
        return next(layout for since, layout in reversed(self._entries) if since <= frame)

    def add(self, frame: int, layout: Layout, oldest: int) -> None:
        """Have a layout from a frame on; those of frames before ``oldest`` alone are dropped."""
        if layout == self.newest:
            return
        self._entries.append((frame, dict(layout)))
        while len(self._entries) > 1 and self._entries[1][0] <= oldest:
            self._entries.pop(0)

    def forget_after(self, frame: int) -> bool:
        """Drop the layouts of later frames; returns whether there were any."""
        kept = [entry for entry in self._entries if entry[0] <= frame]
        dropped = len(kept) < len(self._entries)
        self._entries = kept
        return dropped
