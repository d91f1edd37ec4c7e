"""What is saved and does not run yet, and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from instar.hmr.code.program import Program
from instar.hmr.code.watch import Change
from instar.native.errors import InstarError

Changes = Mapping[Path, Change]
Contents = frozenset[tuple[Path, str]]
Failures = Mapping[tuple[Program, Contents], InstarError]


@dataclass(frozen=True, slots=True)
class _Cause:
    """Why a content was rejected; keeps no error, which would keep the program that failed.

    Attributes:
        text: what people are told.
        path: the file that the error names, None if it names none.
        digest: the content of that file if it was part of the attempt that failed.
    """

    text: str
    path: Path | None
    digest: str | None

    @classmethod
    def of(cls, attempt: Changes, error: InstarError) -> _Cause:
        path: Path | None = getattr(error, "path", None)
        return cls(str(error), path, attempt[path].digest if path is not None and path in attempt else None)

    def holds(self, attempt: Changes) -> bool:
        """Returns whether the file to blame is in another attempt as it was, or was not part of its own."""
        if self.path is None or self.digest is None:
            return True
        return self.path in attempt and attempt[self.path].digest == self.digest


@dataclass(frozen=True, slots=True)
class _Rejected:
    """A content that was rejected.

    Attributes:
        digest: the content.
        blame: the file that it was rejected for, then: it waits for that, as what was saved with a broken file does.
        cause: why it does not run by now.
    """

    digest: str
    blame: Path | None
    cause: _Cause


class Backlog:
    """The newest content of the files that were saved, and which of it was rejected.

    The rule: all that is saved and does not run is tried together; as long as that fails for something that was rejected
    before, it is tried again without that and what waits for it; last, without all that was rejected.
    """

    def __init__(self) -> None:
        self._newest: dict[Path, Change] = {}
        self._rejected: dict[Path, _Rejected] = {}
        self._joined: set[Path] = set()

    def put(self, changes: Iterable[Change], head: Program, *, joining: bool = False) -> list[Change]:
        """Notes that files were saved.

        Args:
            changes: the saves.
            head: the program that runs.
            joining: whether they came while those before them were tried: they matter, whoever looks for them.

        Returns:
            The contents that these replace without having run or been rejected.
        """
        replaced: list[Change] = []
        if not joining:
            self._joined.clear()
        for change in changes:
            before = self._newest.get(change.path)
            if before is not None and before.digest != change.digest and not self._is_rejected(before):
                replaced += _differing(head, {before.path: before}).values()
            self._newest[change.path] = change
            if joining:
                self._joined.add(change.path)
        return replaced

    def forget(self, gone: Path, *programs: Program, back: Collection[Path] = ()) -> None:
        """Notes that a file or folder is gone: what was rejected of it waits no longer, nor does what no program uses.

        Args:
            gone: the file or folder.
            programs: those that may run.
            back: files that were saved after it was gone.
        """
        for path in [path for path in self._newest if path.is_relative_to(gone) and path not in back]:
            unused = all(path not in program.sources for program in programs)
            if unused or self._is_rejected(self._newest[path]):
                del self._newest[path]
                self._rejected.pop(path, None)

    def forget_unused(self, *programs: Program) -> None:
        """Forgets contents that none of these programs uses: with them, an edit that was undone would look like another."""
        for path, change in list(self._newest.items()):
            if not self._is_rejected(change) and all(path not in program.sources for program in programs):
                del self._newest[path]

    def reject(self, changes: Iterable[Change], attempt: Changes, error: InstarError) -> None:
        """Notes that these contents cannot run by themselves, as an attempt showed; newer ones of the same files may."""
        cause = _Cause.of(attempt, error)
        newest = [change for change in changes if self._is_newest(change)]
        self._rejected.update({change.path: _Rejected(change.digest, cause.path, cause) for change in newest})

    def fail(self, attempt: Changes, error: InstarError) -> None:
        """Notes that an attempt failed: what was rejected before has a newer error if this one is its own.

        It is if it names the file, if nothing else was tried, or if the file blamed so far is another by now.
        """
        cause = _Cause.of(attempt, error)
        for path, change in attempt.items():
            if self._is_rejected(change) and (
                cause.path == path or len(attempt) == 1 or not self._rejected[path].cause.holds(attempt)
            ):
                self._rejected[path] = replace(self._rejected[path], cause=cause)

    def accept(self, program: Program, changes: Changes) -> None:
        """Notes that these contents make `program`; unused files are forgotten: it would read them anew."""
        for path, change in changes.items():
            if not self._is_newest(change):
                continue
            self._rejected.pop(path, None)
            if path not in program.sources:
                del self._newest[path]

    def errors(self, program: Program, name: Callable[[Path], str]) -> tuple[str, ...]:
        """Returns why contents that were rejected are not what `program` runs, each error once, by the files' names.

        Args:
            program: the one that is ready, or runs.
            name: what people call a file.
        """
        waiting: dict[str, list[Path]] = {}
        for path, change in sorted(_differing(program, self._newest).items()):
            if self._is_rejected(change):
                waiting.setdefault(self._rejected[path].cause.text, []).append(path)
        return tuple(
            text
            if all(name(path) in text for path in paths)
            else f"{text}\nSaved but not running: {', '.join(map(name, paths))}."
            for text, paths in waiting.items()
        )

    def pending(self, head: Program, ready: Program | None) -> dict[Path, Change]:
        """Returns the newest contents that differ from `head` and may matter to it, `ready` or what was rejected."""
        differing = _differing(head, self._newest)
        if any(self._is_rejected(change) for change in differing.values()):
            return differing
        looked_for = (head.looked_for if ready is None else head.looked_for | ready.looked_for) | self._joined
        return {path: change for path, change in differing.items() if path in looked_for}

    def wanted(self, head: Program, ready: Program | None, held: Changes) -> dict[Path, Change]:
        """Returns what is pending without what was rejected; of that, what `held` (the ready edit) has from before."""
        pending = self.pending(head, ready)
        rejected = {path for path, change in pending.items() if self._is_rejected(change)}
        return _without(pending, rejected, _differing(head, held))

    def attempts(
        self, head: Program, ready: Program | None, held: Changes, failures: Failures
    ) -> list[dict[Path, Change]]:
        """Returns the sets of files to try, the most wanted first, as far as is known by the failures until now.

        Args:
            head: the program that runs.
            ready: the one that is ready, if any.
            held: the contents of the ready edit: they go on where newer ones are left out.
            failures: what has failed with `head`, by content.
        """
        pending, wanted = self.pending(head, ready), self.wanted(head, ready, held)
        before = _differing(head, held)
        attempts: list[dict[Path, Change]] = []
        left_out: set[Path] = set()
        attempt = pending
        while attempt and content(attempt) != content(wanted):
            attempts.append(attempt)
            error = failures.get((head, content(attempt)))
            found = set() if error is None else self._blamed(attempt, error)
            if not found:
                break
            left_out |= found
            attempt = _without(pending, left_out, before)
        return [*attempts, wanted] if wanted else attempts

    def _blamed(self, attempt: Changes, error: InstarError) -> set[Path]:
        """Returns what was rejected before and is to blame for a failure, and what was rejected because of that."""
        rejected = {path: self._rejected[path].blame for path, change in attempt.items() if self._is_rejected(change)}
        blamed: set[Path | None] = {getattr(error, "path", None)}
        while found := {path for path, blame in rejected.items() if blame in blamed} - blamed:
            blamed |= found
        return {path for path in rejected if path in blamed}

    def _is_newest(self, change: Change) -> bool:
        newest = self._newest.get(change.path)
        return newest is not None and newest.digest == change.digest

    def _is_rejected(self, change: Change) -> bool:
        return change.path in self._rejected and self._rejected[change.path].digest == change.digest


def content(changes: Changes) -> Contents:
    """Returns what identifies a set of files with their contents."""
    return frozenset((path, change.digest) for path, change in changes.items())


def used(program: Program, changes: Changes) -> dict[Path, Change]:
    """Returns those of `changes` that a program is made of."""
    return {path: change for path, change in changes.items() if path in program.sources}


def noticed(changes: Changes, recent: set[Path], began: int) -> int:
    """Returns when the first of `changes` was noticed that is among the `recent` files; `began` if none is."""
    return min((change.event_ns for path, change in changes.items() if path in recent), default=began)


def _differing(head: Program, changes: Changes) -> dict[Path, Change]:
    """Returns those of `changes` that `head` does not run."""
    return {
        path: change
        for path, change in changes.items()
        if path not in head.sources or head.sources[path].digest != change.digest
    }


def _without(pending: Changes, left_out: Collection[Path], before: Changes) -> dict[Path, Change]:
    """Returns what is pending but for some files, which have the contents that worked before, if there are any."""
    kept = {path: change for path, change in before.items() if path in left_out}
    return kept | {path: change for path, change in pending.items() if path not in left_out}
