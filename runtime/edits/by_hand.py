"""Reloading by hand: what the watcher does, when a program says so."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from instar.edits.receipt import Receipt
from instar.edits.runs import Reloadable, ReloadError, Run, find, inside, is_run
from instar.hmr.code import Change, Edit, Program, Rejection
from instar.hmr.code.compile.source import digest_of
from instar.hmr.code.program import drop
from instar.hmr.code.watch.reading import read_as_it_is
from instar.native import InstarError

PATIENCE = 10.0
"""Seconds to wait for the verdict of an edit where nobody says otherwise."""


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
    run, place = find(path)
    if run.thread == threading.get_ident():
        raise ReloadError(
            "instar.reload waits for the next frame, so it cannot be called from the thread that runs the frames"
        )
    return _reload(run, place, timeout)


def reload_world(world: Reloadable, path: str | os.PathLike[str] | None) -> Receipt:
    """Swap what the files of a world without a clock hold now; see `World.reload`."""
    if is_run(world):
        raise ReloadError("a Runtime runs this world: use instar.reload(path) from another thread, or save the file")
    began, root = time.monotonic_ns(), world.codebase.root
    place = None if path is None else inside(root, path)
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


def _reload(run: Run, path: Path | None, timeout: float) -> Receipt:
    """Have files read now and swapped in at the next boundary; waits for the verdict."""
    began, before = time.monotonic_ns(), len(run.ledger.receipts)
    changes = read(run.folder, run.world.program, path)
    head = run.pipeline.program
    differing = {one: change for one, change in changes.items() if not _runs(head, change)}
    stranger = path is not None and path.is_file() and path not in head.looked_for
    if stranger and not run.pipeline.errors:
        raise ReloadError(
            f"{path}: nothing in the scene imports it, and scene.toml does not name it: nothing to reload"
        )
    if differing:
        run.pipeline.save(differing.values())
    wanted = {_name(run.folder, one): change.digest for one, change in (differing or changes).items()}
    if not differing:
        return _last(run, wanted) or _nothing_to_do(run.world, changes.values(), began)
    found = run.ledger.wait_for(lambda: _decided(run, wanted, began, before), timeout, lambda: run.ended)
    if found is None:
        why = "the run ended" if run.ended else f"nothing was decided within {timeout:g} s"
        raise ReloadError(f"{', '.join(sorted(wanted))}: {why}; what ran before was kept so far")
    return found


def _decided(run: Run, wanted: Mapping[str, str], since: int, before: int) -> Receipt | None:
    """The newest receipt of contents, if all of them, or newer ones, have been decided since so many receipts."""
    newest = [_mention(run, name) for name in wanted]
    for receipt, (name, digest) in zip(newest, wanted.items(), strict=True):
        if receipt is None or receipt.number <= before:
            return None
        if receipt.digests[name] != digest and receipt.event_ns < since:
            return None
    return max((one for one in newest if one is not None), key=lambda one: one.number)


def _last(run: Run, wanted: Mapping[str, str]) -> Receipt | None:
    """The newest receipt of contents that run."""
    found = [one for name in wanted if (one := _mention(run, name)) and one.digests[name] == wanted[name]]
    return max(found, key=lambda one: one.number, default=None)


def _mention(run: Run, name: str) -> Receipt | None:
    return next((one for one in reversed(run.ledger.receipts) if name in one.digests), None)


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
