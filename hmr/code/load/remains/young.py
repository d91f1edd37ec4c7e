"""The collector's youngest generation, and how objects that have grown old get there again."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterable
from typing import Any

_untrack = ctypes.pythonapi.PyObject_GC_UnTrack
_track = ctypes.pythonapi.PyObject_GC_Track
for _function in (_untrack, _track):
    _function.argtypes, _function.restype = [ctypes.py_object], None


def make_young(objects: Iterable[Any]) -> None:
    """Has the next collection of the youngest objects look at these too, even if they were frozen."""
    for found in objects:
        if gc.is_tracked(found):
            _untrack(found)
            _track(found)
