"""Reloading by hand: what the watcher does, when a program says so."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from instar.edits.ledger import Ledger
from instar.edits.receipt import Receipt
from instar.hmr.code import Change, Codebase, Edit, EditPipeline, Program, Rejection
from instar.hmr.code.compile.source import digest_of
from instar.hmr.code.program import drop
from instar.hmr.code.watch.reading import read_as_it_is
from instar.native import InstarError

PATIENCE = 10.0
"""Seconds to wait for the verdict of an edit where nobody says otherwise."""


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

    def reload(self, path: Path | None, timeout: float) -> Receipt:
        """Have files read now and swapped in at the next boundary; waits for the verdict."""
        began, before = time.monotonic_ns(), len(self.ledger.receipts)
        changes = read(self.folder, self.world.program, path)
        head = self.pipeline.program
        differing = {one: change for one, change in changes.items() if not _runs(head, change)}
        stranger = path is not None and path.is_file() and path not in head.looked_for
        if stranger and not self.pipeline.errors:
            raise ReloadError(
                f"{path}: nothing in the scene imports it, and scene.toml does not name it: nothing to reload"
            )
        if differing:
            self.pipeline.save(differing.values())
        wanted = {_name(self.folder, one): change.digest for one, change in (differing or changes).items()}
        if not differing:
            return self._last(wanted) or _nothing_to_do(self.world, changes.values(), began)
        found = self.ledger.wait_for(lambda: self._decided(wanted, began, before), timeout, lambda: self.ended)
        if found is None:
            why = "the run ended" if self.ended else f"nothing was decided within {timeout:g} s"
            raise ReloadError(f"{', '.join(sorted(wanted))}: {why}; what ran before was kept so far")
        return found

    def _decided(self, wanted: Mapping[str, str], since: int, before: int) -> Receipt | None:
        """The newest receipt of contents, if all of them, or newer ones, have been decided since so many receipts."""
        newest = [self._mention(name) for name in wanted]
        for receipt, (name, digest) in zip(newest, wanted.items(), strict=True):
            if receipt is None or receipt.number <= before:
                return None
            if receipt.digests[name] != digest and receipt.event_ns < since:
                return None
        return max((one for one in newest if one is not None), key=lambda one: one.number)

    def _last(self, wanted: Mapping[str, str]) -> Receipt | None:
        """The newest receipt of contents that run."""
        found = [one for name in wanted if (one := self._mention(name)) and one.digests[name] == wanted[name]]
        return max(found, key=lambda one: one.number, default=None)

    def _mention(self, name: str) -> Receipt | None:
        return next((one for one in reversed(self.ledger.receipts) if name in one.digests), None)


_runs_under_way: list[Run] = []


@contextmanager
def under_way(run: Run) -> Iterator[None]:
    """Have `reload` find a run while the context lasts."""
    _runs_under_way.append(run)
    try:
        yield
    finally:
        _runs_under_way.remove(run)
        run.ended = True
        run.ledger.wake()


def reload(path: str | os.PathLike[str] | None = None, *, timeout: float = PATIENCE) -> Receipt:
    """Reload a file of a running scene, as the watcher does when it is saved: read now, swapped in at the next frame.

    A `Runtime` must be running that scene, in another thread of this process. A world without a clock has `World.reload`.

    Example:
        >>> instar.reload("boids/flock.py").verdict  # doctest: +SKIP
        'live'

    Args:
        path: A module, another file of the scene, ``scene.toml``, or the scene's folder for all of its files. Relative to
            the working directory, or else to the scene's folder. Without it, all files of the only scene that runs.
        timeout: Seconds to wait for the verdict.

    Returns:
        The receipt: ``live``, or ``rejected`` with the error; of what runs already, the one there is.

    Raises:
        ReloadError: If no such scene runs, the file cannot be read, or nothing was decided in time.
    """
    run, place = _find(path)
    if run.thread == threading.get_ident():
        raise ReloadError(
            "instar.reload waits for the next frame, so it cannot be called from the thread that runs the frames"
        )
    return run.reload(place, timeout)


def reload_world(world: Reloadable, path: str | os.PathLike[str] | None) -> Receipt:
    """Swap what the files of a world without a clock hold now; see `World.reload`."""
    if any(run.world is world for run in _runs_under_way):
        raise ReloadError("a Runtime runs this world: use instar.reload(path) from another thread, or save the file")
    began, root = time.monotonic_ns(), world.codebase.root
    place = None if path is None else _inside(root, path)
    if path is not None and place is None:
        raise ReloadError(f"{os.fspath(path)} is no file of the scene in {root}: nothing was reloaded")
    changes = read(root, world.program, None if place == root else place)
    base, digests = world.program, {_name(root, one): change.digest for one, change in changes.items()}
    program = base
    try:
        program = world.codebase.build(base, {one: change.data for one, change in changes.items()})
        if program is base:
            return _nothing_to_do(world, changes.values(), began)
        world.check(program)
        ready = time.monotonic_ns()
        steps = world.swap(program)
    except InstarError as error:
        drop(program, base)
        now = time.monotonic_ns()
        rejection = Rejection(files=tuple(sorted(digests)), digests=digests, error=error, event_ns=began, ready_ns=now)
        return Receipt.of(rejection, world.frame, now, now, error=error, version=base.number)
    used = {
        _name(root, one): source.digest
        for one, source in program.sources.items()
        if one not in base.sources or base.sources[one].digest != source.digest
    }
    edit = Edit(
        files=tuple(sorted(used)),
        digests=used,
        base=base,
        program=program,
        event_ns=began,
        ready_ns=ready,
        changes=changes,
    )
    return Receipt.of(edit, world.frame, ready, time.monotonic_ns(), steps, version=program.number)


def read(root: Path, program: Program, path: Path | None) -> dict[Path, Change]:
    """Read a file, or those of all a program's files that are there.

    Raises:
        ReloadError: If the file that is asked for is not there or empty, as it is while somebody writes it.
    """
    now = time.monotonic_ns()
    found = {}
    for one in sorted(program.looked_for) if path is None or path == root else (path,):
        data = read_as_it_is(one)
        if data:
            found[one] = Change(one, data, digest_of(data), now)
        elif path == one:
            raise ReloadError(f"{one} is {'not there' if data is None else 'empty'}: what runs goes on")
    return found


def _find(path: str | os.PathLike[str] | None) -> tuple[Run, Path | None]:
    """The run that a path belongs to, and the path as that run knows it."""
    runs = list(_runs_under_way)
    if path is None and len(runs) == 1:
        return runs[0], None
    for run in reversed(runs) if path is not None else ():
        place = _inside(run.folder, path)
        if place is not None:
            return run, None if place == run.folder else place
    there = ", ".join(str(run.folder) for run in runs)
    raise ReloadError(
        (
            f"several scenes run; name one: {there}"
            if path is None
            else f"{os.fspath(path)} is in no scene that runs: {there}"
        )
        if runs
        else "no Runtime runs in this process: nothing to reload. Run one in a thread, or use World.reload"
    )


def _inside(folder: Path, path: str | os.PathLike[str] | None) -> Path | None:
    """A path as the scene in a folder knows it; None if it is not in it."""
    assert path is not None
    for given in (Path(path).absolute(), folder / path):
        place = Path(os.path.normpath(given))
        for base in (folder, Path(os.path.realpath(folder))):
            for one in (place, Path(os.path.realpath(place))):
                if one.is_relative_to(base) and (one.exists() or one == base):
                    return folder / one.relative_to(base)
    return None


def _nothing_to_do(world: Reloadable, changes: Iterable[Change], began: int) -> Receipt:
    """The receipt of files whose contents run."""
    root, now = world.codebase.root, time.monotonic_ns()
    digests = {_name(root, change.path): change.digest for change in changes}
    nothing = Edit(
        files=tuple(sorted(digests)),
        digests=digests,
        base=world.program,
        program=world.program,
        event_ns=began,
        ready_ns=now,
        changes={},
    )
    return Receipt.of(nothing, world.frame, now, now, version=world.program.number)


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _runs(program: Program, change: Change) -> bool:
    source = program.sources.get(change.path)
    return source is not None and source.digest == change.digest
