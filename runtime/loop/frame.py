"""The frame that hooks get: its number, and spans of time in it."""

from __future__ import annotations

from instar.hmr.state.persistence.plain import tell_as
from instar.native import Span, Spans


class Frame(int):
    """The number of committed frames, an int in every respect; `span` names a part of what is done in it."""

    _spans: Spans

    @classmethod
    def of(cls, number: int, spans: Spans) -> Frame:
        """A frame whose spans are recorded."""
        frame = cls(number)
        frame._spans = spans
        return frame

    def __reduce__(self) -> tuple[type[int], tuple[int]]:
        return int, (int(self),)

    def span(self, name: str) -> Span:
        """Name a piece of work, to see what it takes: ``with frame.span("path-finding"): …``; it costs about 0.1 µs.

        Raises:
            TypeError: If the name is no string.
        """
        return self._spans.span(name)


tell_as(Frame, int)
