"""Tables to other frames, and what is forgotten of frames that can no longer be reached."""

from __future__ import annotations

from instar.hmr.state.catalog.catalog import Catalog
from instar.hmr.state.errors import FrameError
from instar.native import History


def require_held(history: History, frame: int) -> None:
    """See that a history holds a frame.

    Raises:
        FrameError: If not; says which it holds.
    """
    held = range(history.oldest, history.newest + 1)
    if frame not in held:
        raise FrameError(f"frame {frame} is not held; the history holds {held[0]} to {held[-1]}. Nothing has changed")


def move(catalog: Catalog, history: History, frame: int) -> None:
    """Make live state what was committed, which is known to be sound, and go to a frame that is held."""
    catalog.leave()
    history.discard(catalog.native)
    try:
        while history.current > frame:
            history.undo()
        while history.current < frame:
            history.redo()
    finally:
        catalog.return_to(history.current)


def forget_redo(catalog: Catalog, history: History) -> None:
    """Forget what came after the current frame, as it becomes the newest: deltas first, which only the eras after lead to."""
    if history.newest > history.current:
        history.commit(history.current, ())
    catalog.forget_after(history.current)
