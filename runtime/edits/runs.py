"""Runs: which scenes run in this process, so that they can be found by their files."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from instar.edits.ledger import Ledger
from instar.hmr.code import Codebase, EditPipeline, Program
from instar.native import InstarError

START_SECONDS = 2.0
"""How long a run that is about to begin is waited for: its thread may just have been started."""


class ReloadError(InstarError):
    """Something that cannot be reloaded; what runs goes on."""


class Reloadable(Protocol):
    """A world, as reloading sees it."""

    codebase: Codebase
    program: Program

    @property
    def frame(self) -> int:
        """How many steps are committed."""

    def check(self, program: Program) -> None:
        """See whether it can take new code; raises InstarError."""

    def swap(self, program: Program) -> list[str]:
        """Run new code over the same agents; raises InstarError, with nothing changed, if it cannot."""


@dataclass(slots=True, eq=False)
class Run:
    """A run that is under way.

    Attributes:
        world: What runs.
        pipeline: Where its edits come from.
        ledger: Its receipts.
        thread: The thread that runs the frames.
        ended: Whether it is over.
    """

    world: Reloadable
    pipeline: EditPipeline
    ledger: Ledger
    thread: int = field(default_factory=threading.get_ident)
    ended: bool = False

    @property
    def folder(self) -> Path:
        """The scene's folder."""
        return self.world.codebase.root


_under_way: list[Run] = []
_expected: weakref.WeakSet[Reloadable] = weakref.WeakSet()
_changed = threading.Condition()


def expect(world: Reloadable) -> None:
    """Have `find` wait a moment for the run of a world to begin."""
    _expected.add(world)


@contextmanager
def under_way(run: Run) -> Iterator[None]:
    """Have a run found while the context lasts."""
    with _changed:
        _under_way.append(run)
        _changed.notify_all()
    try:
        yield
    finally:
        _under_way.remove(run)
        run.ended = True
        run.ledger.wake()


def is_run(world: Reloadable) -> bool:
    """Whether a run of a world is under way."""
    return any(run.world is world for run in _under_way)


def find(path: str | os.PathLike[str] | None) -> tuple[Run, Path | None]:
    """The run that a path belongs to, the only one if None, and the path as that run knows it.

    Raises:
        ReloadError: If there is none, or several.
    """
    what = "a scene" if path is None else os.fspath(path)
    with _changed:
        if not any(_is_in(world.codebase.root, path) for world in list(_expected)):
            raise ReloadError(f"no Runtime in this process has {what}: nothing was reloaded{_there()}")
        _changed.wait_for(lambda: any(_is_in(run.folder, path) for run in _under_way), START_SECONDS)
        runs = [run for run in _under_way if _is_in(run.folder, path)]
    if not runs:
        raise ReloadError(
            f"the Runtime of {what} does not run: nothing was reloaded. Run it, or use its world.reload()"
        )
    if path is None and len(runs) > 1:
        raise ReloadError(f"several scenes run: nothing was reloaded; name one{_there()}")
    return runs[-1], None if path is None else inside(runs[-1].folder, path)


def _is_in(folder: Path, path: str | os.PathLike[str] | None) -> bool:
    return path is None or inside(folder, path) is not None


def _there() -> str:
    there = ", ".join(str(run.folder) for run in _under_way)
    return f" (there are {there})" if there else ""


def inside(folder: Path, path: str | os.PathLike[str]) -> Path | None:
    """A path as the scene in a folder knows it; None if it is not in it."""
    for given in (Path(path).absolute(), folder / path):
        place = Path(os.path.normpath(given))
        for base in (folder, Path(os.path.realpath(folder))):
            for one in (place, Path(os.path.realpath(place))):
                if one.is_relative_to(base) and (one.exists() or one == base):
                    return folder / one.relative_to(base)
    return None
