"""From saves to programs that are ready to be swapped in, beside a running frame loop."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from instar.hmr.code.arrivals import Arrivals
from instar.hmr.code.backlog import Backlog, Changes, Contents, content, noticed, used
from instar.hmr.code.building import Builder
from instar.hmr.code.codebase import Codebase
from instar.hmr.code.edit import Edit, Rejection
from instar.hmr.code.errors import bare
from instar.hmr.code.predict import Predictor
from instar.hmr.code.program import Program, drop
from instar.hmr.code.watch import Change, Repository, Watcher
from instar.native.errors import InstarError

_CLOSE_SECONDS = 5.0
"""A module that hangs while it is imported keeps the loader thread; it ends with the process."""
_MOST_JOINS = 10
"""How often what was saved meanwhile joins an edit before it is offered as it is."""


@dataclass(frozen=True, slots=True)
class _Settled:
    """The frame thread is done with an edit: it runs, or was refused, and `stale` that was to replace it with it."""

    edit: Edit
    error: InstarError | None = None
    stale: Edit | None = None


@dataclass(frozen=True, slots=True)
class _Gone:
    """A file or folder was deleted, moved away or emptied; files in it that were saved since are back."""

    path: Path
    back: frozenset[Path] = frozenset()


class EditPipeline:
    """Watches a scene and has the newest edit ready for the frame thread. A context manager.

    Three parties share the work: the watcher's thread reads files, one loader thread builds programs (the compile
    process compiles for it), the frame thread takes what is ready. Files saved before a ready edit was taken join it,
    as do files of edits that were rejected: together they may be what was meant.

    The frame thread alone decides which program is the head; a ready edit always replaces the head. The lock is held
    for a few assignments only, so the frame thread never waits for work.
    """

    def __init__(
        self,
        codebase: Codebase,
        program: Program,
        check: Callable[[Program], None],
        *,
        on_event: Callable[[], None] | None = None,
        polling: bool = False,
    ) -> None:
        """Prepares; `start` begins.

        Args:
            codebase: builds programs.
            program: the one that runs.
            check: called in the loader thread with a new program; raises InstarError if the world could not take it.
            on_event: called in the loader thread after something became ready or was rejected, or `errors` changed.
            polling: watch without the system's events.
        """
        self._codebase = codebase
        self._on_event = on_event
        self._lock = threading.Lock()
        self._head = program
        self._ready: Edit | None = None
        self._rejections: deque[Rejection] = deque()
        self._told = ""
        self._errors: tuple[str, ...] = ()
        self._backlog = Backlog()
        self._blamed: set[tuple[Path, str]] = set()
        self._refused: dict[tuple[Program, Contents], InstarError] = {}
        self._undone: dict[tuple[Program, Contents], InstarError] = {}
        self._superseded: list[tuple[str, str]] = []
        self._activity = 0
        self._repository = Repository(codebase.root)
        self._builder = Builder(codebase, check, self._stuck)
        self._cache = self._builder.cache
        self._predictor = Predictor(self._cache, self._builder.incremental)
        self._watcher = Watcher(
            codebase.root,
            lambda changes: self._inbox.put(changes),  # noqa: PLW0108 - it is made with the watcher
            known={path: source.digest for path, source in program.sources.items()},
            complete=self._builder.looks_whole,
            others=codebase.files,
            on_aside=lambda path, data: self._predictor.aside(path, data, self._head.sources),
            on_gone=lambda path: self._inbox.put(_Gone(path)),
            polling=polling,
        )
        self._inbox: Arrivals[_Settled | _Gone] = Arrivals(self._repository, self._watcher.settle, _overtaken)
        self._loader = threading.Thread(target=self._run, name="instar-loader", daemon=True)

    @property
    def program(self) -> Program:
        """The program that the next edit builds on: the one that was taken last."""
        return self._head

    @property
    def errors(self) -> tuple[str, ...]:
        """The texts of the errors that keep the newest saved contents from running now; empty if nothing does.

        Each error once, with the files that wait because of it if they are not just the one that it names. Read from any
        thread; the loader thread replaces it after each message that it has handled.
        """
        return self._errors

    @property
    def activity(self) -> int:
        """Grows by one when the loader thread begins to work and when it ends: odd while it does."""
        return self._activity

    @property
    def mode(self) -> Literal["events", "polling"]:
        """How saves are noticed."""
        return self._watcher.mode

    @property
    def notice(self) -> str | None:
        """What people should know about that; None if nothing."""
        return self._watcher.notice or self._repository.notice or self._builder.notice

    @property
    def prediction(self) -> dict[str, Any]:
        """What was known before it was needed, as plain data; see `Predictor.document`."""
        return self._predictor.document()

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that are watched."""
        return self._watcher.folders

    def start(self) -> None:
        """Begins; returns when the compile process is warm and every save from now on will be noticed."""
        self._builder.start(self._head)
        self._predictor.start(self._head.sources.values())
        self._watcher.start()
        self._loader.start()
        self._codebase.kept.loads_elsewhere(self._loader.ident)

    def close(self) -> None:
        """Ends threads and process; an edit that was not taken is dropped."""
        self._inbox.end()
        self._codebase.kept.loads_elsewhere(None)
        if self._loader.ident is not None:
            self._loader.join(_CLOSE_SECONDS)
        self._watcher.close()
        self._predictor.close()
        self._builder.close()
        self._withdraw(self._head)

    def __enter__(self) -> EditPipeline:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def save(self, changes: Iterable[Change]) -> None:
        """Tells of saves instead of the watcher, from any thread; what was rejected before is tried again."""
        told = list(changes)
        self._watcher.know(told)
        self._inbox.put(told)

    def take(self) -> Edit | None:
        """Returns the newest ready edit, or None; called by the frame thread, which then swaps or refuses it.

        What an edit in the making wants to keep is made here.
        """
        self._codebase.kept.serve()
        if self._ready is None:
            return None
        with self._lock:
            edit, self._ready = self._ready, None
            if edit is not None:
                self._head = edit.program
        return edit

    def swapped(self, edit: Edit) -> None:
        """Tells that an edit that was taken runs now."""
        self._inbox.put(_Settled(edit))

    def refused(self, edit: Edit, error: InstarError) -> None:
        """Tells that the world could not take an edit; the program before it goes on, and no rejection is told."""
        with self._lock:
            self._head = edit.base
            stale, self._ready = self._ready, None
            self._undone = {**self._undone, (edit.base, content(edit.changes)): bare(error)}
        self._inbox.put(_Settled(edit, error, stale))

    def rejections(self) -> list[Rejection]:
        """Returns the edits that were rejected since the last call, oldest first; called by the frame thread."""
        return [self._rejections.popleft() for _ in range(len(self._rejections))]

    def _run(self) -> None:
        while (message := self._inbox.get()) is not None:
            self._activity += 1
            saved = self._put(message) if isinstance(message, list) else set()
            if isinstance(message, list):
                self._update(saved, {})
            elif isinstance(message, _Gone):
                self._backlog.forget(message.path, self._head, self._newest(), back=message.back)
            elif message.error is not None:
                self._put_back(message.edit, message.error, message.stale)
            else:
                self._refused.clear()
                self._backlog.forget_unused(self._head, self._newest())
                self._predictor.count(message.edit)
                self._superseded = [one for one in self._superseded if one not in message.edit.superseded]
            self._renew_errors()
            self._predictor.note(saved)
            self._activity += 1

    def _put(self, changes: list[Change], *, joining: bool = False) -> set[Path]:
        """Notes saves; returns their files."""
        saved = {change.path for change in changes}
        self._blamed = {one for one in self._blamed if one[0] not in saved}
        replaced = self._backlog.put(changes, self._head, joining=joining)
        self._superseded += [(self._name(change.path), change.digest) for change in replaced]
        return saved

    def _newest(self) -> Program:
        with self._lock:
            return self._head if self._ready is None else self._ready.program

    def _renew_errors(self) -> None:
        errors = self._backlog.errors(self._newest(), self._name)
        if errors != self._errors:
            self._errors = errors
            self._tell()

    def _put_back(self, edit: Edit, error: InstarError, stale: Edit | None) -> None:
        """Goes back to the base of an edit that was refused, and builds what was to follow it on that.

        The same files are not offered again to the same program. Of an edit that contains what was refused before, or
        undone, only that is to blame: the rest gets a chance of its own.
        """
        drop(edit.program, edit.base)
        if stale is not None:
            drop(stale.program, edit.base)
        before = {one for head, contents in self._refused for one in contents if head is edit.base} | self._blamed
        changes = edit.changes.values()
        blamed = [change for change in changes if (change.path, change.digest) in before] or [*changes]
        self._blamed |= {(change.path, change.digest) for change in blamed}
        self._backlog.reject(blamed, edit.changes, error)
        self._refused = {key: known for key, known in self._refused.items() if key[0] is edit.base}
        self._refused[edit.base, content(edit.changes)] = error
        with self._lock:
            self._undone = {key: known for key, known in self._undone.items() if key not in self._refused}
        self._told = str(error)
        self._update(set(), {} if stale is None else stale.changes)

    def _update(self, saved: set[Path], held: Changes) -> None:
        """Makes what is ready fit what is saved: builds what may work until something does, or nothing is left to try.

        Args:
            saved: the files that this is about; they are rejected if they do not work.
            held: contents that worked before, to go on with where newer ones are rejected, if nothing is ready.
        """
        failed = dict(self._refused)
        began = time.monotonic_ns()
        told = False
        joins = 0
        self._cache.begin()
        late = self._predictor.read_siblings(saved)
        while True:
            with self._lock:
                head, ready, undone = self._head, self._ready, self._undone
            failed.update(undone)
            held = held if ready is None else ready.changes
            base = None if ready is None else ready.program
            attempts = self._backlog.attempts(head, base, held, failed)
            found = next((one for one in attempts if (head, content(one)) not in failed), None)
            if found is not None and (ready is None or content(found) != content(ready.changes)):
                if (program := self._build(head, found, failed)) is not None:
                    joins += 1
                    if joins <= _MOST_JOINS and (more := self._inbox.joining(began if late else None)):
                        drop(program, head)
                        saved |= self._put(more, joining=True)
                        late = late and self._predictor.read_siblings(saved)
                        continue
                    self._publish(head, program, found, noticed(found, saved | held.keys(), began))
                continue
            if not self._backlog.wanted(head, base, held) and not self._withdraw(head):
                continue
            if found is not None or not attempts or told or (head, content(attempts[-1])) in undone:
                return  # of what was undone meanwhile, the next message tells
            if more := self._inbox.about_to_come(began):
                saved |= self._put(more, joining=True)
                continue
            told = self._reject(attempts[-1], saved, failed[head, content(attempts[-1])], began)
            if not told:
                return

    def _build(
        self, head: Program, changes: Changes, failed: dict[tuple[Program, Contents], InstarError]
    ) -> Program | None:
        """Builds a program; None if it cannot run or was refused, with other files that it does not use: it `failed`."""
        try:
            program = self._builder.build(head, {path: change.data for path, change in changes.items()})
        except InstarError as error:
            failed[head, content(changes)] = bare(error)
            self._backlog.fail(changes, error)
            return None
        if (refused := failed.get((head, content(used(program, changes))))) is None:
            return program
        drop(program, head)
        failed[head, content(changes)] = refused
        return None

    def _stuck(self, text: str) -> None:
        self._errors = (*self._errors, text)
        self._tell()

    def _publish(self, head: Program, program: Program, changes: Changes, event_ns: int) -> None:
        """Offers a program to the frame thread instead of what was ready, if it still replaces the one that runs."""
        digests = {
            self._name(path): source.digest
            for path, source in program.sources.items()
            if path not in head.sources or head.sources[path].digest != source.digest
        }
        use = self._cache.use
        edit = Edit(
            files=tuple(sorted(digests)),
            digests=digests,
            base=head,
            program=program,
            event_ns=event_ns,
            ready_ns=time.monotonic_ns(),
            changes=used(program, changes),
            compiled_ns=use.done_ns,
            predicted=use.predicted,
            saved_ns=use.saved_ns,
            superseded=tuple(self._superseded),
        )
        with self._lock:
            current = self._head is head
            if current:
                replaced, self._ready = self._ready, None if program is head else edit
        if not current:
            drop(program, head)
            return
        if replaced is not None:
            drop(replaced.program, head)
        self._backlog.accept(program, changes)
        if program is not head:
            self._told = ""
            self._tell()

    def _withdraw(self, head: Program) -> bool:
        """Drops what is ready, because what is saved is what runs; false if another program runs by now."""
        with self._lock:
            if self._head is not head:
                return False
            withdrawn, self._ready = self._ready, None
        if withdrawn is not None:
            drop(withdrawn.program, head)
        return True

    def _reject(self, changes: Changes, saved: set[Path], error: InstarError, began: int) -> bool:
        """Tells of an edit that cannot run, unless nothing of it was just saved and its error is known."""
        own = {path: change for path, change in changes.items() if path in saved}
        self._backlog.reject(own.values(), changes, error)
        if not own and str(error) == self._told:
            return False
        self._told = str(error)
        digests = {self._name(path): change.digest for path, change in (own or changes).items()}
        superseded, self._superseded = tuple(self._superseded), []
        event_ns = noticed(changes, saved, began)
        files = tuple(sorted(digests))
        self._rejections.append(Rejection(files, digests, error, event_ns, time.monotonic_ns(), superseded))
        self._tell()
        return True

    def _tell(self) -> None:
        if self._on_event is not None:
            self._on_event()

    def _name(self, path: Path) -> str:
        return path.relative_to(self._codebase.root).as_posix()


def _overtaken(message: _Settled | _Gone, saves: list[Change]) -> _Settled | _Gone:
    """Returns what is left of a message when saves that came after it were heard before it."""
    if isinstance(message, _Gone):
        return replace(message, back=message.back | {change.path for change in saves})
    return message
