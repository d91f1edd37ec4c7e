"""Faults: a hook that raised, told so that a person can mend it."""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from types import FrameType
from typing import Any

from instar.hmr.code import Hook, line_of
from instar.native import InstarError

VERSION_MARK = re.compile(r"@[0-9a-f]{8,}")
"""What a module's unique name has after its own."""
MOST_STEPS = 12
Step = tuple[FrameType, int]
"""A frame and the line that it was in."""
MOST_CHARACTERS = 2_000


class WorldError(InstarError):
    """A world was asked for something it cannot do; nothing has changed."""


class HookTimeout(BaseException):
    """A hook ran longer than its limit; no `Exception`, so that a hook that catches those does not swallow it."""


class HookFault(InstarError):
    """A hook raised: its frame is void and the world is back at the last commit.

    Attributes:
        module: The scene's module whose hook it was.
        hook: The hook's name.
        path: The file in which it raised.
        line: The line.
        frame: The frame that is void.
        reason: Where and what it raised, in one line or a few.
    """

    def __init__(self, hook: Hook, frame: int, home: Path, error: BaseException) -> None:
        self.module = hook.module
        self.hook = hook.name
        self.frame = frame
        own = [step for step in traceback.walk_tb(error.__traceback__) if _inside(step[0].f_code.co_filename, home)]
        self.path = Path(own[-1][0].f_code.co_filename) if own else hook.path
        self.line = own[-1][1] if own else hook.line
        what = _shortened(VERSION_MARK.sub("", "".join(traceback.format_exception_only(error)).strip()))
        self.reason = f"{self.path}:{self.line}: {self.module}.{self.hook}: {what}"
        self._places = "\n".join([self.reason, *_steps(own)])
        kept = (
            "The scene did not start; nothing of it is kept. Mend the file and run it again."
            if hook.kind == "setup"
            else f"Frame {frame} is void: the world is as it was after its last commit. {self.module} rests until its "
            f"next edit; the other modules go on. Mend the file and save it."
        )
        super().__init__(f"{self._places}\n{kept}")

    def conclude(self, kept: str) -> None:
        """Say something else of what was kept and what to do."""
        self.args = (f"{self._places}\n{kept}",)

    def document(self) -> dict[str, Any]:
        """The fault as plain data for JSON."""
        found = {
            "module": self.module,
            "hook": self.hook,
            "frame": self.frame,
            "file": str(self.path),
            "line": self.line,
        }
        return {**found, "error": str(self)}


class EditFault(InstarError):
    """An edit was undone in its first frames: the version before it is back.

    Attributes:
        path: The file to blame, if one is known.
        line: The line.
    """

    def __init__(self, message: str, path: Path | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.line = line

    def document(self) -> dict[str, Any]:
        """The fault as plain data for JSON."""
        file = None if self.path is None else str(self.path)
        return {"module": None, "hook": None, "frame": None, "file": file, "line": self.line, "error": str(self)}


class StopRequested(InstarError):
    """A hook asked the run to end: `sys.exit()`, or `quit` at a breakpoint."""


def _inside(filename: str, home: Path) -> bool:
    return Path(filename).is_relative_to(home)


def _steps(own: list[Step]) -> list[str]:
    """The scene's part of a traceback, a line a frame; of a deep recursion its two ends."""
    shown = own if len(own) <= MOST_STEPS else [*own[: MOST_STEPS // 2], *own[-MOST_STEPS // 2 :]]
    lines = []
    for frame, line in shown:
        code = frame.f_code
        lines.append(f"  {Path(code.co_filename).name}:{line} in {code.co_name}: {line_of(frame, line)}")
    if len(own) > MOST_STEPS:
        lines.insert(MOST_STEPS // 2, f"  … {len(own) - MOST_STEPS} more …")
    return lines


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}… ({len(text):,} characters)"
