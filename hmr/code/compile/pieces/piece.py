"""Pieces of a module: what stands at its top level, compiled by itself, and what that adds to the module's code.

A statement becomes the same code whatever is around it, but for its line, for the places of its names and constants, and
for two things that the rest of the module says: which names it imports (calls of what they hold are compiled in another
way) and which its functions declare global. So it is compiled once with those two said behind it, and taken apart.

What is known here of the compiler is as of CPython 3.11, `Python/compile.c`; other versions compile whole modules.
"""

from __future__ import annotations

import _symtable  # type: ignore[import-not-found]
import marshal
import re
import unicodedata
import warnings
from collections.abc import Iterable
from types import CodeType
from typing import Any, NamedTuple

from instar.hmr.code.compile.pieces.constants import NAME, Constant, constant_of
from instar.hmr.code.compile.pieces.instructions import MARK, SETUP, Place, Step, UnfitError, place_of, steps_of
from instar.hmr.code.compile.pieces.splitting import FIRST, LAST
from instar.hmr.code.compile.translate import PIECES_KNOWN, Facts, facts_of

_END = f"\n{MARK} = '{MARK} ends'" + f"; {MARK}" * 2 + "\n"
"""Shows where a piece ends; it is longer than what the compiler would copy to where a jump leads to it."""
_DEFINITION = re.compile(r"(?:[ \t\f]*(?:#[^\n]*)?\n)*(?:@|def\b|class\b|async\s+def\b)")
_ALIAS = re.compile(r"\bParam\s+as\b")
_WORD = re.compile(r"\w+")
_UNSAID = frozenset({"__doc__", "__annotations__"})
"""Names of a module that are used by what does not name them."""
_TELLING = ("import", "class", "Param", "__all__")
_NO_FREE, _ANNOTATIONS = 0x40, 0x1000000
_IMPORTED, _DECLARED = 2 << 6, 1
"""Flags of a symbol: DEF_IMPORT, DEF_GLOBAL."""
_FAILURES = (SyntaxError, Warning, ValueError, OverflowError, RecursionError, MemoryError)
_RAISES = ("error", None, Warning, NAME, 0)
"""A filter of warnings: those of pieces are errors."""


class Around(NamedTuple):
    """What a piece's code depends on besides its own text.

    Attributes:
        imported: the names that the module imports at its top level.
        declared: the names that its functions declare global.
        flags: what it takes from `__future__`.
    """

    imported: frozenset[str] = frozenset()
    declared: frozenset[str] = frozenset()
    flags: int = 0

    def among(self, words: frozenset[str]) -> Around:
        """Returns what of it matters to a piece with these names in it."""
        return Around(self.imported & words, self.declared & words, self.flags)


class Piece(NamedTuple):
    """What a piece adds to the code of its module. Lines are counted from its own first line as 1.

    Attributes:
        text: its text.
        role: FIRST, LAST, both or neither.
        around: what of the module mattered when it was compiled.
        words: the words in it.
        said: what it says to others.
        names: the names that its top level uses, in the order in which the compiler counts them.
        constants: likewise its constants.
        folded: those that the optimizer adds, when the others of the whole module are counted.
        steps: its instructions.
        head: the place of what stands ahead of a first piece.
        annotated: whether it annotates names of the module.
        stack: the depth that it needs.
        flags: those of the module's code.
        facts: what it tells of the module, as `translate` has it.
    """

    text: str
    role: int
    around: Around
    words: frozenset[str]
    said: Around
    names: tuple[str, ...]
    constants: tuple[Constant, ...]
    folded: tuple[Constant, ...]
    steps: tuple[Step, ...]
    head: Place
    annotated: bool
    stack: int
    flags: int
    facts: Facts | None


def piece_of(value: Any) -> Piece:
    """Returns a piece whose named tuples have become exact ones."""
    text, role, around, words, said, names, constants, folded, steps, *others = value
    plain, more = (tuple(Constant(*one) for one in ones) for ones in (constants, folded))
    instructions = tuple(Step(*one) for one in steps)
    return Piece(text, role, Around(*around), words, Around(*said), names, plain, more, instructions, *others)


def made(keys: Iterable[tuple[str, int]], around: tuple[Any, ...], optimize: int) -> list[bytes]:
    """Returns pieces, each marshalled, of texts with their roles; none if one of them is unfit."""
    try:
        return [marshal.dumps(_plain(make(*key, Around(*around), optimize))) for key in keys]
    except UnfitError:
        return []


def together(said: Iterable[Around]) -> Around:
    """Returns what pieces say together."""
    told = [one for one in said if any(one)]
    nothing: frozenset[str] = frozenset()
    imported, declared = nothing.union(*(one.imported for one in told)), nothing.union(*(one.declared for one in told))
    return Around(imported, declared, max((one.flags for one in told), default=0))


def scan(text: str, role: int) -> Around:
    """Returns what a piece says to others.

    Raises:
        UnfitError: it cannot be compiled by itself.
    """
    imported: frozenset[str] = frozenset()
    declared: frozenset[str] = frozenset()
    taken = 0
    if "import" in text or "global" in text:
        _raise_warnings()
        try:
            symbols = _symtable.symtable(text, NAME, "exec").symbols
        except _FAILURES as error:
            raise UnfitError(str(error)) from None
        imported = frozenset(name for name, flags in symbols.items() if flags & _IMPORTED)
        declared = frozenset(name for name, flags in symbols.items() if flags & _DECLARED)
    if "__future__" in text:
        taken = _compiled(text, 0, 0).co_flags & ~_NO_FREE if role & FIRST else -1
    if taken not in (0, _ANNOTATIONS) or (declared and not _DEFINITION.match(text)) or _ALIAS.search(text):
        raise UnfitError("it says more to others than is understood here")
    return Around(imported, declared, taken)


def make(text: str, role: int, around: Around, optimize: int) -> Piece:
    """Compiles a piece by itself.

    Args:
        text: the piece.
        role: FIRST, LAST, both or neither.
        around: what the module says.
        optimize: as `sys.flags.optimize`.

    Raises:
        UnfitError: it is none, or its code depends on more than that.
    """
    if not PIECES_KNOWN or MARK in text:
        raise UnfitError("this Python's code, or this text, is not understood here")
    first, last = bool(role & FIRST), bool(role & LAST)
    said = scan(text, role)
    words = _UNSAID.union(_WORD.findall(text if text.isascii() else unicodedata.normalize("NFKC", text)))
    around = around.among(words)
    aside = _aside(around, first=first)
    ahead = "" if first else "pass\n"
    code = _compiled(ahead + text + _END + aside, around.flags, optimize)
    plain = _compiled(text + _END + _aside(around), around.flags, optimize) if first else code
    head = place_of(list(code.co_positions())[1], 0)
    if first and head[0] > text.count("\n") + 1:
        raise UnfitError("it is no statement")
    end = _end_of(code)
    names, constants = code.co_names[: code.co_names.index(MARK)], code.co_consts[:end]
    folded = [one for one in code.co_consts[end:] if isinstance(one, tuple)]
    taken, above = code, ahead
    if last:
        above = "" if first else aside or ahead
        taken = _compiled(above + text, around.flags, optimize)
        constants = constants if None in constants else (*constants, None)
    try:
        steps = tuple(steps_of(taken, above.count("\n"), names, [*constants, *folded], ends=last))
        if role == FIRST and steps != tuple(steps_of(plain, 0, names, [*constants, *folded], ends=False)):
            raise UnfitError("its code is another one when names are annotated")
        return Piece(
            text=text,
            role=role,
            around=around,
            words=words,
            said=said,
            names=names,
            constants=tuple(constant_of(one, ahead.count("\n")) for one in constants),
            folded=tuple(constant_of(one, 0) for one in folded),
            steps=steps,
            head=head,
            annotated=plain.co_code[2] == SETUP,
            stack=code.co_stacksize,
            flags=code.co_flags,
            facts=_facts(text, around.flags, optimize),
        )
    except ValueError as error:
        raise UnfitError(str(error)) from None


def _aside(around: Around, *, first: bool = False) -> str:
    """Returns what says the same to a piece as the rest of its module; it leaves no code."""
    lines = []
    if first:
        lines.append(f" {MARK}: 0")
    if around.imported:
        lines.append(f" import {','.join(sorted(around.imported))}")
    if around.declared:
        lines.append(f" def {MARK}(): global {','.join(sorted(around.declared))}")
    return "\n".join(["if 0:", *lines, ""]) if lines else ""


def _compiled(text: str, flags: int, optimize: int) -> CodeType:
    """Compiles what warns of nothing."""
    _raise_warnings()
    try:
        code: CodeType = compile(text, NAME, "exec", flags, dont_inherit=True, optimize=optimize)
    except _FAILURES as error:
        raise UnfitError(str(error)) from None
    return code


def _raise_warnings() -> None:
    """Makes errors of warnings of pieces, for good: to take a filter back is not safe among threads."""
    filters: Any = warnings.filters
    if not filters or filters[0] is not _RAISES:
        if _RAISES in filters:
            filters.remove(_RAISES)
        filters.insert(0, _RAISES)


def _end_of(code: CodeType) -> int:
    """Returns the place of the constant that shows where a piece ends."""
    mark = f"{MARK} ends"
    if mark not in code.co_consts or MARK not in code.co_names:
        raise UnfitError("what follows it is never reached")
    return code.co_consts.index(mark)


def _facts(text: str, flags: int, optimize: int) -> Facts | None:
    """Returns what a piece tells, None if nothing."""
    if not any(word in text for word in _TELLING):
        return None
    return facts_of(_compiled(text, flags, optimize), text, NAME, optimize)


def _plain(value: tuple[Any, ...]) -> tuple[Any, ...]:
    """Returns a value with exact tuples for named ones, which is what can be marshalled."""
    return tuple(_plain(part) if isinstance(part, tuple) else part for part in value)
