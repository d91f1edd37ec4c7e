"""What comes of files that were saved together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from instar.hmr.code.compile.cache import Origin
from instar.hmr.code.program import Program
from instar.hmr.code.watch import Change
from instar.native.errors import InstarError


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """Files saved together, as a program that is ready.

    Attributes:
        files: the files, relative to the scene's folder, sorted.
        digests: the names of their contents, by file.
        base: the program that it replaces.
        program: the program to swap in.
        event_ns: when the first of the saves was noticed, `time.monotonic_ns`.
        ready_ns: when it was ready.
        changes: the saves.
        compiled_ns: when all of it was compiled.
        predicted: how all its contents were known before they were needed, None if something had to be compiled.
        saved_ns: the compilation that was spared.
        superseded: (file, name of the content) of what was saved since the edit before and replaced before it could run.
    """

    files: tuple[str, ...]
    digests: Mapping[str, str]
    base: Program
    program: Program
    event_ns: int
    ready_ns: int
    changes: Mapping[Path, Change] = field(repr=False)
    compiled_ns: int = 0
    predicted: Origin | None = None
    saved_ns: int = 0
    superseded: tuple[tuple[str, str], ...] = ()

    @property
    def trial_ns(self) -> int:
        """What executing it in the trial process took; 0 if it was known to pass."""
        return self.program.loading.trial_ns

    @property
    def imports(self) -> Mapping[str, int]:
        """What came into the process from outside of the scene because of it, by module, in ns."""
        return self.program.loading.imports

    @property
    def notices(self) -> tuple[str, ...]:
        """What people should know about what its files did at import."""
        return self.program.loading.notices


@dataclass(frozen=True, slots=True, eq=False)
class Rejection:
    """Files saved together that cannot run.

    Attributes:
        files: the files, relative to the scene's folder, sorted.
        digests: the names of their contents, by file.
        error: why; says what to do.
        event_ns: when the first of the saves was noticed, `time.monotonic_ns`.
        ready_ns: when that was clear.
        superseded: as in an edit.
    """

    files: tuple[str, ...]
    digests: Mapping[str, str]
    error: InstarError
    event_ns: int
    ready_ns: int
    superseded: tuple[tuple[str, str], ...] = ()
