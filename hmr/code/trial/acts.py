"""What a file does when it is imported, as far as its bytecode tells: of versions that do the same, one need be tried.

Most edits change plain values and the bodies of functions, which executes nothing. So the code of a file's top level is
read without them. What is left is what happens at import, provided that it cannot reach what was left out: it must name
no function of the file, no Param, nothing of another file of the scene, and otherwise only what is known not to look at
the namespace of its caller. Plain values that it names belong to it.
"""

from __future__ import annotations

import builtins
import opcode
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from types import CodeType
from typing import NamedTuple

from instar.hmr.code.trial.trusted import BUILTINS, HARMLESS, MODULES, REACHING


def _known(names: str) -> frozenset[int]:
    """Returns those of some operations that this Python has."""
    return frozenset(opcode.opmap[name] for name in names.split() if name in opcode.opmap)


_STORE, _IMPORT, _IMPORT_FROM, _MAKE, _CONST, _EXTENDED = (
    opcode.opmap[name]
    for name in ("STORE_NAME", "IMPORT_NAME", "IMPORT_FROM", "MAKE_FUNCTION", "LOAD_CONST", "EXTENDED_ARG")
)
_PLAIN = _known("LOAD_CONST LOAD_SMALL_INT")
_ADDS = _known("SET_FUNCTION_ATTRIBUTE")
_LOADS = _known("LOAD_NAME LOAD_GLOBAL LOAD_FROM_DICT_OR_GLOBALS")
_ATTRIBUTES = _known("LOAD_ATTR LOAD_METHOD")
_BINDING = _known("IMPORT_FROM STORE_NAME SWAP POP_TOP NOP")
"""What stands between an import and the last name that it binds."""
_STAR = {(operation, 0) for operation in _known("IMPORT_STAR")} | {(one, 2) for one in _known("CALL_INTRINSIC_1")}
_NAMED, _CONSTANT = frozenset(opcode.hasname), frozenset(opcode.hasconst)
_JUMPS = frozenset((*opcode.hasjrel, *opcode.hasjabs))
_FLAG_BITS: Mapping[int, int] = {
    opcode.opmap[name]: bits
    for name, bits, since in (("LOAD_GLOBAL", 1, (3, 11)), ("LOAD_ATTR", 1, (3, 12)), ("LOAD_SUPER_ATTR", 2, (3, 12)))
    if sys.version_info >= since
}
"""Operations whose argument holds flags below the place of the name."""

_Operation = tuple[int, int, int]
"""Place, operation, argument."""


def _pattern() -> re.Pattern[bytes]:
    """Returns what takes code apart: functions and plain values that are only bound, and single operations."""

    def any_of(operations: Collection[int]) -> bytes:
        return b"[" + b"".join(map(re.escape, map(bytes, zip(operations)))) + b"]."

    long, make = any_of([_EXTENDED])[:-1] + b".", any_of([_MAKE])[:-1]
    begin = b"(?:%s)*%s" % (long, any_of([_CONST]))
    end = b"(?:%s)*%s" % (long, any_of([_STORE]))
    adds = b"(?:%s)*" % any_of(_ADDS) if _ADDS else b""
    alternatives = (
        begin + make + b"\\0" + end,
        begin + make + b"." + adds + end,
        b"(?:%s)*%s%s" % (long, any_of(_PLAIN), end),
        b"(?:%s)*[^%s].(?:\\0.)*" % (long, re.escape(bytes([_EXTENDED]))),
    )
    return re.compile(b"|".join(b"(%s)" % one for one in alternatives), re.DOTALL)


_PART = _pattern()
_Origins = Mapping[str, Collection[tuple[str, str]]]
"""What names are imported from, by name: module, empty for what is not trusted, and what is taken from it, empty for itself."""


class Acts(NamedTuple):
    """What a file does at import.

    Attributes:
        name: names it; equal for versions that do the same.
        modules: those whose contents it uses; where one of them is a file of the scene, nothing of this holds.
        is_straight: whether an import that fails always ends it.
    """

    name: str
    modules: frozenset[str]
    is_straight: bool


class _UnclearError(Exception):
    """It cannot be told."""


def acts_of(code: CodeType, params: Collection[str]) -> Acts | None:
    """Returns what executing a file does besides binding plain values and functions that nothing there can reach.

    Args:
        code: of the file.
        params: the names that it binds to Params.

    Returns:
        None where it cannot be told.
    """
    try:
        return _acts(code, params)
    except _UnclearError:
        return None


def _acts(code: CodeType, params: Collection[str]) -> Acts:
    parts, functions = _parts(code)
    kept = [one for name, operations in parts if not name for one in operations]
    use = _Use(_origins(code, kept))
    use.read(code, kept, at_top=True)
    if not use.names.isdisjoint(functions) or not use.names.isdisjoint(params):
        raise _UnclearError
    values = {name for name, _ in parts if name}
    if not use.names.isdisjoint(values):
        kept = [one for name, operations in parts if not name or name in use.names for one in operations]
    bound = values | functions | {code.co_names[argument] for _, operation, argument in kept if operation == _STORE}
    if any(name.startswith("__") and name not in HARMLESS for name in bound):
        raise _UnclearError  # such as __getattr__, which others call
    if not use.loaded <= (bound - vars(builtins).keys()) | BUILTINS:
        raise _UnclearError
    is_straight = not code.co_exceptiontable and _JUMPS.isdisjoint(code.co_code[::2])
    said = [_said(code, one, with_place=not is_straight) for one in kept]
    said.append((code.co_exceptiontable, code.co_varnames, code.co_cellvars, code.co_flags))
    name = blake2b(repr(said).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return Acts(name, frozenset(use.modules), is_straight)


def _parts(code: CodeType) -> tuple[list[tuple[str, list[_Operation]]], set[str]]:
    """Returns the operations of a module, by the name of the plain value that they do nothing but bind, and its functions.

    Of the operations that do nothing but bind a function, only how it takes its defaults and the like is there.
    """
    parts: list[tuple[str, list[_Operation]]] = []
    functions: set[str] = set()
    place = 0
    for function, adorned, value, other in _PART.findall(code.co_code):
        part = function or adorned or value or other
        if other:
            short = other[0] != _EXTENDED
            parts.append(("", [(place, other[0], other[1])] if short else _operations(other, place)))
        else:
            name = code.co_names[_stored(part)]
            if name.startswith("__") and name not in HARMLESS:
                parts.append(("", _operations(part, place)))
            elif value:
                parts.append((name, _operations(part, place)))
            else:
                functions.add(name)
                if adorned:
                    parts.append(("", [one for one in _operations(part, place) if one[1] == _MAKE or one[1] in _ADDS]))
        place += len(part) // 2
    return parts, functions


def _stored(part: bytes) -> int:
    """Returns the argument of the last operation."""
    argument, at, bits = part[-1], len(part) - 4, 8
    while part[at] == _EXTENDED:
        argument |= part[at + 1] << bits
        at, bits = at - 2, bits + 8
    return argument


def _operations(text: bytes, place: int = 0) -> list[_Operation]:
    """Returns operations, without caches."""
    found = []
    extended = 0
    for operation, argument in zip(text[::2], text[1::2], strict=True):
        if operation == _EXTENDED:
            extended = (extended | argument) << 8
        elif operation:
            found.append((place, operation, argument | extended))
            extended = 0
        place += 1
    return found


def _origins(code: CodeType, operations: Sequence[_Operation]) -> _Origins:
    """Returns what names are imported from.

    Raises:
        _UnclearError: any name may be.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    module: str | None = None
    part = ""
    for index, (_, operation, argument) in enumerate(operations):
        if operation == _IMPORT:
            is_relative = _constant(code, operations[index - 2]) != 0
            module, part = "" if is_relative else _trusted(code.co_names[argument]), ""
        elif (operation, argument) in _STAR:
            if not module:
                raise _UnclearError
        elif operation not in _BINDING:
            module = None
        elif operation == _IMPORT_FROM:
            part = code.co_names[argument]
        elif operation == _STORE and module is not None:
            found.setdefault(code.co_names[argument], []).append((module, part))
    return found


def _trusted(module: str) -> str:
    """Returns the package of a module if that is trusted, else nothing."""
    root, *parts = module.split(".")
    return root if root in MODULES and (not parts or parts[0] in MODULES[root]) else ""


def _constant(code: CodeType, operation: _Operation) -> object:
    return code.co_consts[operation[2]] if operation[1] == _CONST else operation[2]


def _name(code: CodeType, operation: int, argument: int) -> str:
    return code.co_names[argument >> _FLAG_BITS.get(operation, 0)]


class _Use:
    """What code uses.

    Attributes:
        names: every name in it, of whatever.
        loaded: those that the file or the builtins must have.
        modules: the trusted modules that it names.
    """

    def __init__(self, origins: _Origins) -> None:
        self.names: set[str] = set()
        self.loaded: set[str] = set()
        self.modules: set[str] = set()
        self._origins = origins

    def read(self, code: CodeType, operations: Sequence[_Operation], *, at_top: bool = False) -> None:
        """Reads operations, and all code that is in them.

        Raises:
            _UnclearError: they use what is not trusted.
        """
        own = (
            () if at_top else {code.co_names[argument] for _, operation, argument in operations if operation == _STORE}
        )
        for index, (_, operation, argument) in enumerate(operations):
            if operation in _CONSTANT and isinstance(inner := code.co_consts[argument], CodeType):
                self.read(inner, _operations(inner.co_code))
            elif operation in _NAMED and operation != _STORE:
                name = _name(code, operation, argument)
                self.names.add(name)
                if operation in _LOADS:
                    self._load(name, code, operations[index + 1])
                    if name not in own or hasattr(builtins, name):
                        self.loaded.add(name)
                elif operation == _IMPORT:
                    if not at_top:
                        raise _UnclearError
                elif name in REACHING or name.startswith("__"):
                    raise _UnclearError

    def _load(self, name: str, code: CodeType, after: _Operation) -> None:
        """Sees what a name means that is loaded before another operation."""
        for module, part in self._origins.get(name, ()):
            taken = part or (_name(code, *after[1:]) if after[1] in _ATTRIBUTES else "")
            if not module or (MODULES[module] and taken not in MODULES[module]):
                raise _UnclearError
            self.modules.add(module)


def _said(code: CodeType, operation: _Operation, *, with_place: bool) -> tuple[object, ...]:
    """Returns an operation in words that do not depend on what was left out."""
    place, kind, argument = operation
    what: object = argument
    if kind in _CONSTANT:
        what = _content(code.co_consts[argument])
    elif kind in _NAMED:
        what = argument & ((1 << _FLAG_BITS.get(kind, 0)) - 1), _name(code, kind, argument)
    return (place, kind, what) if with_place else (kind, what)


def _content(constant: object) -> object:
    """Returns a constant in words: code without the lines it stands in."""
    if not isinstance(constant, CodeType):
        return repr(constant)
    has_line = "__firstlineno__" in constant.co_names
    return (
        constant.co_code,
        [_content(one) for one in constant.co_consts if not (has_line and one == constant.co_firstlineno)],
        (constant.co_name, constant.co_names, constant.co_varnames, constant.co_freevars, constant.co_cellvars),
        (constant.co_argcount, constant.co_posonlyargcount, constant.co_kwonlyargcount, constant.co_flags),
        constant.co_exceptiontable,
    )
