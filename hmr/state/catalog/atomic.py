"""Changes that nothing can come between."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from operator import call


def at_once(calls: Iterable[Callable[[], object]]) -> None:
    """Make calls of C code, one after the other, without a place in between at which Ctrl-C could stop them.

    Python looks for signals between the instructions of its own code only, and of that there is none here. So nothing of
    what is called may be Python code, nor fail: whatever can, is to be done before.

    Args:
        calls: Such as ``partial(dict.update, attributes, changed)``; a list or a tuple.
    """
    deque(map(call, calls), maxlen=0)
