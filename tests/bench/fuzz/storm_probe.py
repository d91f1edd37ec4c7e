"""What the modules of the storm's scene report with; imported from outside the scene, so no edit reloads it.

Each report is one line of JSON in the pipe that the storm reads: what runs (the marks of all files, each with the tags of
its first and its last line), when, in which frame, and what is in the table as of the last commit.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
import weakref
import zlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

_REPORTS = int(os.environ.get("INSTAR_STORM_REPORTS", "-1"))
_QUESTIONS = int(os.environ.get("INSTAR_STORM_QUESTIONS", "-1"))
_DESCRIPTORS = Path("/proc/self/fd")
_born: list[weakref.ref[ModuleType]] = []


class Kept:
    """What modules keep: made once, whatever is edited."""

    made = 0

    def __init__(self) -> None:
        Kept.made += 1
        self.number = Kept.made


def born(name: str) -> None:
    """A version of a file is executed; it is to be gone when nothing uses it."""
    if name in sys.modules:
        _born.append(weakref.ref(sys.modules[name]))


def report(
    frame: int, table: Any, marks: list[list[Any]], fields: tuple[str, ...], fails: bool, count: int, kept: Kept
) -> None:
    """Tell what runs and what is there; called by an `update` before it changes anything, or fails."""
    now = time.monotonic_ns()
    order = np.argsort(table.uid, kind="stable")
    said = {
        "t": now,
        "frame": int(frame),
        "fails": fails,
        "marks": [[file, *map(_plain, tags)] for file, *tags in marks],
        "count": count,
        "kept": kept.number,
        "n": int(table.n[0]),
        "rows": len(table),
        "core": [_crc(column[order]) for column in (table.uid, table.x, table.k)],
        "same_n": bool((table.n == table.n[0]).all()),
        "same_id": bool((table.own == table.id).all()) and len(np.unique(table.id)) == len(table),
        "fields": {name: [str(getattr(table, name).dtype), _crc(getattr(table, name)[order])] for name in fields},
    }
    os.write(_REPORTS, json.dumps(said, separators=(",", ":")).encode() + b"\n")
    _answer()


def _plain(tag: Any) -> Any:
    return tag if tag is None else int(tag)


def _crc(column: Any) -> int:
    return zlib.crc32(np.ascontiguousarray(column).tobytes())


def _answer() -> None:
    """Tell what is held, if the storm has asked; beside the frames, because it takes a full collection."""
    try:
        asked = os.read(_QUESTIONS, 64)
    except BlockingIOError:
        return
    if asked:
        threading.Thread(target=_tell, args=(asked.decode().strip(),)).start()


def _tell(asked: str) -> None:
    alive = _alive()
    gc.unfreeze()  # what the runtime has frozen is seen again
    gc.collect()
    kept = _alive()
    scene = os.environ["INSTAR_STORM_SCENE"]
    listed = [name for name, module in sys.modules.items() if str(getattr(module, "__file__", "")).startswith(scene)]
    answer = {
        "answer": asked,
        "born": len(_born),
        "alive": len(alive),
        "kept": len(kept),
        "names": sorted(kept),
        "listed": listed,
        "resident": _resident(),
        "threads": len(sys._current_frames()),
        "descriptors": len(list(_DESCRIPTORS.iterdir())) if _DESCRIPTORS.is_dir() else 0,
    }
    os.write(_REPORTS, json.dumps(answer, separators=(",", ":")).encode() + b"\n")


def _alive() -> list[str]:
    return [module.__name__ for ref in _born if (module := ref()) is not None]


def _resident() -> int:
    """Bytes of memory in use."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
