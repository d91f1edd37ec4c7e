"""What is saved and does not run yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from instar.hmr.code.program import Program
from instar.hmr.code.watch import Change

Changes = Mapping[Path, Change]


class Backlog:
    """The newest content of the files that were saved, and which of it was rejected."""

    def __init__(self) -> None:
        self._newest: dict[Path, Change] = {}
        self._rejected: dict[Path, str] = {}

    def put(self, changes: Iterable[Change]) -> None:
        """Notes that files were saved."""
        self._newest.update({change.path: change for change in changes})

    def reject(self, changes: Iterable[Change]) -> None:
        """Notes that these contents cannot run by themselves; newer ones of the same files may."""
        self._rejected.update({change.path: change.digest for change in changes if self._is_newest(change)})

    def accept(self, program: Program, changes: Changes) -> None:
        """Notes that these contents make `program`; unused files are forgotten: it would read them anew."""
        for path, change in changes.items():
            self._rejected.pop(path, None)
            if path not in program.sources and self._is_newest(change):
                del self._newest[path]

    def pending(self, head: Program, ready: Program | None) -> dict[Path, Change]:
        """Returns the newest contents that differ from `head` and may matter to it, `ready` or what was rejected."""
        differing = _differing(head, self._newest)
        if any(self._is_rejected(change) for change in differing.values()):
            return differing
        looked_for = head.looked_for if ready is None else head.looked_for | ready.looked_for
        return {path: change for path, change in differing.items() if path in looked_for}

    def wanted(self, head: Program, ready: Program | None, held: Changes) -> dict[Path, Change]:
        """Returns what is pending without what was rejected; of that, what `held` (the ready edit) has from before."""
        pending = self.pending(head, ready)
        rejected = {path for path, change in pending.items() if self._is_rejected(change)}
        before = {path: change for path, change in _differing(head, held).items() if path in rejected}
        return before | {path: change for path, change in pending.items() if path not in rejected}

    def attempts(self, head: Program, ready: Program | None, held: Changes) -> list[dict[Path, Change]]:
        """Returns the sets of files to try, the most wanted first: with what was rejected before, then without it."""
        pending, wanted = self.pending(head, ready), self.wanted(head, ready, held)
        attempts = [pending] if pending and content(pending) != content(wanted) else []
        return [*attempts, wanted] if wanted else attempts

    def _is_newest(self, change: Change) -> bool:
        newest = self._newest.get(change.path)
        return newest is not None and newest.digest == change.digest

    def _is_rejected(self, change: Change) -> bool:
        return self._rejected.get(change.path) == change.digest


def content(changes: Changes) -> frozenset[tuple[Path, str]]:
    """Returns what identifies a set of files with their contents."""
    return frozenset((path, change.digest) for path, change in changes.items())


def _differing(head: Program, changes: Changes) -> dict[Path, Change]:
    """Returns those of `changes` that `head` does not run."""
    return {
        path: change
        for path, change in changes.items()
        if path not in head.sources or head.sources[path].digest != change.digest
    }
