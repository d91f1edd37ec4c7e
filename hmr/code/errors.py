"""What can be wrong with an edit, said so that a person can mend it."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from instar.native.errors import InstarError

_E = TypeVar("_E", bound=BaseException)
GOES_ON = "The running version goes on: mend the file and save it again."
NOT_STARTED = "Nothing was started: mend the file and start again."


class EditError(InstarError):
    """An edit (or the first load) of a scene that cannot run.

    `str()` gives several lines for a terminal: place and problem, the lines concerned, what to do, what was kept.

    Attributes:
        problem: what is wrong, in one sentence, without the place.
        path: the file concerned, or None where it is no single file.
        line: its 1-based line, or None.
        column: its 1-based column there, or None.
        excerpt: source lines, ready to print; may be empty.
        advice: what to do next; may be empty.
        kept: what goes on regardless; filled in where that is known.
    """

    def __init__(
        self,
        problem: str,
        *,
        path: Path | None = None,
        line: int | None = None,
        column: int | None = None,
        excerpt: str = "",
        advice: str = "",
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = path
        self.line = line
        self.column = column
        self.excerpt = excerpt
        self.advice = advice
        self.kept = ""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)
        place += ": " if place else ""
        return "\n".join(part for part in (place + self.problem, self.excerpt, self.advice, self.kept) if part)


class CompileError(EditError):
    """A file that is not valid Python, or that the compiler did not survive."""


class LoadError(EditError):
    """A scene whose files cannot be found, or fail when they are imported, or contradict each other."""


class HookError(EditError):
    """A hook that asks for what there is not, or that cannot be called once a frame."""


class ParamError(EditError):
    """A `Param` that is declared or used wrongly, or given a value it does not allow."""


def bare(error: _E) -> _E:
    """Returns an error without the frames that it went through: who keeps it would keep the versions that they refer to."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def excerpt(line: int, text: str, column: int | None = None, end_column: int | None = None) -> str:
    """Returns source line `line` (1-based) as it is shown to people, with a caret under 0-based `column` if given."""
    number = f"{line:>6} | "
    shown = number + text.rstrip()
    if column is None:
        return shown
    before = text[:column].ljust(column)
    padding = "".join("\t" if character == "\t" else " " for character in before)
    width = max(1, min(end_column or 0, len(text.rstrip())) - column)
    return f"{shown}\n{' ' * (len(number) - 2)}| {padding}{'^' * width}"
