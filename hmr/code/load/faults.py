"""Turns what a scene's own code raised at import into an error that a person can act on."""

from __future__ import annotations

import difflib
import dis
import re
import threading
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

from instar.hmr.code.compile.compiler import Unit
from instar.hmr.code.errors import EditError, LoadError, excerpt
from instar.hmr.code.load import names
from instar.hmr.code.load.limit import LoadTimeout, timeout_problem
from instar.native.errors import InstarError

_UNIQUE_NAME = re.compile(r"([\w.]+)@[0-9a-f]{12}(-\d+)?")
_RAISE = dis.opmap["RAISE_VARARGS"]


def is_the_users(error: BaseException, units: Iterable[Unit]) -> bool:
    """Returns whether a KeyboardInterrupt comes from a person at the keyboard, not from a `raise` in the scene."""
    if not isinstance(error, KeyboardInterrupt) or threading.current_thread() is not threading.main_thread():
        return False
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    files = {str(unit.source.path) for unit in units}
    return not (
        last is not None
        and last.tb_frame.f_code.co_filename in files
        and last.tb_frame.f_code.co_code[last.tb_lasti] == _RAISE
    )


def load_error(error: BaseException, units: Mapping[str, Unit]) -> EditError:
    """Returns the error for what was raised while the files in `units` were executed."""
    by_file = {str(unit.source.path): unit for unit in units.values()}
    frames = [entry for entry in _frames(error.__traceback__) if entry[0] in by_file]
    path, line, _ = frames[-1] if frames else (None, None, "")
    if isinstance(error, EditError):
        if error.path is None and path is not None:
            error.path, error.line = Path(path), line
        if error.line is not None and not error.excerpt and str(error.path) in by_file:
            error.excerpt = excerpt(error.line, by_file[str(error.path)].line(error.line))
        return error
    if isinstance(error, InstarError):
        return _of_instar(error, by_file)
    shown = "" if path is None or line is None else excerpt(line, by_file[path].line(line))
    trace = [
        f"  {Path(file).name}:{number} in {name}: {by_file[file].line(number).strip()}" for file, number, name in frames
    ]
    parts = [shown, *(["Called from:", *trace[:-1]] if len(trace) > 1 else [])]
    return LoadError(
        _problem(error),
        path=None if path is None else Path(path),
        line=line,
        excerpt="\n".join(part for part in parts if part),
        advice=_advice(error, units),
    )


def _of_instar(error: InstarError, by_file: Mapping[str, Unit]) -> LoadError:
    """Returns the error for one of another room, whose message begins with the file and line if it knows them."""
    said = re.match(r"(.+?):(\d+): (.*)", str(error), re.DOTALL)
    if said is None or said[1] not in by_file:
        return LoadError(str(error))
    line = int(said[2])
    return LoadError(said[3], path=Path(said[1]), line=line, excerpt=excerpt(line, by_file[said[1]].line(line)))


def _frames(trace: TracebackType | None) -> list[tuple[str, int, str]]:
    return [(frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in traceback.walk_tb(trace)]


def _problem(error: BaseException) -> str:
    if isinstance(error, LoadTimeout):
        return timeout_problem()
    if isinstance(error, SystemExit):
        return f"the file ended the program at import (SystemExit: {error.code})"
    said = "".join(traceback.format_exception_only(error)).strip()
    names.forget_aliases()  # since Python 3.12 a module is imported by its name to say what it might have
    return _UNIQUE_NAME.sub(r"\1", said)


def _advice(error: BaseException, units: Mapping[str, Unit]) -> str:
    if isinstance(error, LoadTimeout):
        return "A loop at the top level of a file must end; move long work into setup."
    if isinstance(error, SystemExit):
        return "Remove the call, or move it into a hook: there, sys.exit() ends the run."
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    folder = next((unit.source.path.parent for unit in units.values() if not unit.source.package), None)
    there = sorted(path.stem for path in folder.glob("*.py")) if folder is not None else []
    if error.name in there:
        return f"{error.name}.py is in the scene's folder: import it by a statement, so that edits are followed."
    near = difflib.get_close_matches(error.name, there, n=1)
    meant = f"Did you mean {near[0]}? " if near else ""
    package = error.name.partition(".")[0]
    return f"{meant}Install {package}, or correct the name; files in the scene's folder: {', '.join(there)}."
