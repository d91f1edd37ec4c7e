"""Spans of time with names, nested, in a ring: what the last frames were spent on."""

from typing import Any, final

import numpy as np
import numpy.typing as npt

@final
class Spans:
    """Records how long named pieces of work take, at a few tens of ns each.

    One thread records: the one that began the last frame. In others a span does nothing. Times are those of
    `time.monotonic_ns`, taken from the processor's own clock where that runs steadily.

    Args:
        capacity: How many spans are kept, a power of two; each takes 32 bytes.

    Raises:
        InstarError: If it is none.
    """

    def __init__(self, capacity: int = 65536) -> None: ...
    @property
    def names(self) -> tuple[str, ...]:
        """The names of the spans that were made so far; `since` gives places in it."""
    @property
    def recorded(self) -> int:
        """How many spans have ended so far, those included that are kept no more."""
    def begin_frame(self, frame: int) -> None:
        """What is recorded from now on belongs to a frame; spans that did not end are dropped."""
    def span(self, name: str) -> Span:
        """The span of a name, each time the same object, to be used in ``with`` as often as wanted."""
    def since(self, recorded: int = 0) -> npt.NDArray[np.void]:
        """The spans that ended since so many were `recorded`, oldest first, as far as they are kept.

        Returns:
            A structured array with the fields ``begin_ns`` and ``end_ns`` (int64, monotonic), ``frame`` (int64), ``name``
            (uint32, a place in `names`) and ``depth`` (uint16, how many spans it lies in). Inner ones end first.
        """

@final
class Span:
    """A name for a piece of work; each ``with`` records one. They may be nested, in themselves too, 64 deep."""

    def __enter__(self) -> None: ...
    def __exit__(self, kind: Any, error: Any, trace: Any) -> None: ...
