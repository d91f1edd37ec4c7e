"""From the bytes of a file to code that can be executed: pure, no module runs here."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from typing import NamedTuple

from instar.hmr.code.compile.source import Source
from instar.hmr.code.compile.translate import Facts, translate
from instar.hmr.code.errors import CompileError, excerpt


class Import(NamedTuple):
    """One import statement, wherever in the file it stands.

    `level` counts the leading dots, `module` is what follows them, `names` what comes after `import` in the `from`
    form (empty in the plain form).
    """

    level: int
    module: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    r"""A compiled file and what its text says.

    Attributes:
        source: the file it was compiled from.
        code: its bytecode, marshalled.
        text: its decoded source, with `\n` line ends.
        imports: its import statements, but for those that never run in a scene (`if TYPE_CHECKING:`).
        params: (line, name) of each module-level `NAME = Param(...)`, in the order of the text.
        classes: line of each module-level class.
        exports: a literal `__all__`.
        warnings: (category name, message, line) of what the compiler warned about.
    """

    source: Source
    code: bytes
    text: str
    imports: tuple[Import, ...]
    params: tuple[tuple[int, str], ...]
    classes: dict[str, int]
    exports: tuple[str, ...]
    warnings: tuple[tuple[str, str, int], ...]

    @property
    def lines(self) -> list[str]:
        """The source lines as the compiler counts them, with their ends: form feeds and the like end none."""
        return io.StringIO(self.text, newline="\n").readlines()

    def line(self, number: int) -> str:
        """Returns source line `number` (1-based), empty where there is none."""
        lines = self.text.split("\n")
        return lines[number - 1] if 0 < number <= len(lines) else ""


def compile_source(source: Source) -> Unit:
    """Compiles a file in this process.

    Raises:
        CompileError: it is not valid Python.
    """
    return unit_of(source, translate(str(source.path), source.data, sys.flags.optimize))


def unit_of(source: Source, facts: Facts) -> Unit:
    """Makes a unit of what `translate` said about `source`.

    Raises:
        CompileError: it said that the file is not valid Python.
    """
    if "error" in facts:
        problem, line, text, column, end_column = facts["error"]
        shown = "" if text is None else excerpt(line, text, column, end_column)
        raise CompileError(problem, path=source.path, line=line, excerpt=shown)
    return Unit(
        source=source,
        code=facts["code"],
        text=facts["text"],
        imports=tuple(Import(level, module, tuple(names)) for level, module, names in facts["imports"]),
        params=tuple(facts["params"]),
        classes=dict(facts["classes"]),
        exports=tuple(facts["exports"]),
        warnings=tuple(facts["warnings"]),
    )
