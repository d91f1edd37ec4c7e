"""Translates the bytes of a module into bytecode and facts.

It imports nothing but the standard library, see `serving`.

The text goes straight to the compiler, and the facts are read from the bytecode where that says them all: building the
syntax tree for Python to see, and compiling that, takes more than twice as long.
"""

from __future__ import annotations

import ast
import io
import marshal
import opcode
import re
import sys
import tokenize
import warnings
from collections.abc import Iterator
from types import CodeType
from typing import Any

Facts = dict[str, Any]

_BLOCKS = ("finalbody", "orelse", "handlers", "cases", "body")
"""The fields of statements that hold statements, the last in the source first."""
_READABLE = sys.version_info < (3, 15)
"""Whether this Python's bytecode is one that is understood here."""
PIECES_KNOWN = sys.version_info[:2] == (3, 11) and sys.implementation.name == "cpython"
"""Whether this Python's code is one that can be put together from pieces, see `pieces`."""
_TREE_ONLY = ("TYPE_CHECKING", "__name__", "__all__")
"""Words of what bytecode does not tell: conditions that are never met, names that are exported."""
_OPS = opcode.opmap
_EXTENDED, _COPY, _IMPORT, _LOAD = (_OPS[name] for name in ("EXTENDED_ARG", "COPY", "IMPORT_NAME", "LOAD_CONST"))
_LOAD_SMALL = _OPS.get("LOAD_SMALL_INT")
_CALLS = {_OPS[name] for name in ("CALL", "CALL_KW", "CALL_FUNCTION_EX") if name in _OPS}
_STORES = {_OPS["STORE_NAME"], _OPS["STORE_GLOBAL"]}
_ALIAS = re.compile(r"\bParam\s+as\b")
_PARAM_CALL = re.compile(r"(?:\w+\s*\.\s*)*Param\s*\(")


def translate(path: str, data: bytes, optimize: int) -> Facts:
    """Compiles one file.

    Args:
        path: the file name that goes into the bytecode.
        data: its bytes: UTF-8 or what its coding cookie says, any line ends, with or without BOM.
        optimize: as `sys.flags.optimize`.

    Returns:
        Plain data that can be marshalled. On success `code` (marshalled), `text`, `imports` [(level, module,
        names)], `params` [(line, name)], `classes` [(name, line)], `exports` (a literal `__all__`) and `warnings`
        [(category, message, line)]. Otherwise `error`: (message, line, source line, column, end column), with
        0-based columns and None for what is not known.
    """
    text = ""
    try:
        text = decode(data)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            code = compile(text, path, "exec", dont_inherit=True, optimize=optimize)
            told = [(entry.category.__name__, str(entry.message), entry.lineno) for entry in caught]
            facts = facts_of(code, text, path, optimize)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        shown = data.splitlines()[line - 1].decode("ascii", "backslashreplace")
        problem = f"is not {error.encoding} text: byte 0x{data[error.start]:02x} on line {line} ({error.reason})"
        return {"error": (problem, line, shown, None, None)}
    except SyntaxError as error:
        return {"error": _position(error, text)}
    except (ValueError, OverflowError, RecursionError, MemoryError) as error:
        return {"error": (f"{type(error).__name__}: {error}".rstrip(": "), None, None, None, None)}
    return {
        "code": marshal.dumps(code),
        "text": text,
        **facts,
        "warnings": told,
    }


def decode(data: bytes) -> str:
    """Returns the text of a file.

    Raises:
        SyntaxError: what it says of its coding is wrong.
        UnicodeDecodeError: it has bytes that are none of that.
    """
    if data.isascii() and b"\r" not in data and b"coding" not in b"".join(data.split(b"\n", 2)[:2]):
        return data.decode("ascii")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError:
        data.decode()  # raises with the byte, where that is what is wrong
        raise
    return io.IncrementalNewlineDecoder(None, translate=True).decode(data.decode(encoding), final=True)


def facts_of(code: CodeType, text: str, path: str, optimize: int) -> Facts:
    """Returns what a text and its code tell, as `translate` does, but for `code`, `text` and `warnings`."""
    return _facts_of_code(code, text) or _facts_of_tree(text, path, optimize)


def _facts_of_tree(text: str, path: str, optimize: int) -> Facts:
    tree = compile(text, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True, optimize=optimize)
    assert isinstance(tree, ast.Module)
    return {
        "imports": [statement for node in _running(tree) for statement in _imported(node)],
        "params": list(_params(tree)),
        "classes": [(node.name, node.lineno) for node in _top_level(tree.body) if isinstance(node, ast.ClassDef)],
        "exports": _exports(tree),
    }


def _facts_of_code(code: CodeType, text: str) -> Facts | None:
    """Returns what the bytecode of a file tells; None where only its tree tells everything."""
    if not _READABLE or any(word in text for word in _TREE_ONLY) or _ALIAS.search(text):
        return None
    lines = text.split("\n")
    params: list[tuple[int, str]] = []
    if "Param" in text:
        operations = list(_operations(code))
        params = _assigned_params(code, operations, lines)
        if len(re.findall(r"\bParam\b", text)) != len(params) + _imported_params(code, operations):
            return None  # under another name, or somewhere else
    return {
        "imports": list(_imports_of_code(code)),
        "params": params,
        "classes": [(found.co_name, _class_line(found, lines)) for found in _classes_of_code(code)],
        "exports": (),
    }


def _operations(code: CodeType) -> Iterator[tuple[int, int, int]]:
    """Yields (index, operation, argument), without caches."""
    extended = 0
    for index, (operation, argument) in enumerate(zip(code.co_code[::2], code.co_code[1::2], strict=True)):
        if operation == _EXTENDED:
            extended = (extended | argument) << 8
        elif operation:
            yield index, operation, argument | extended
            extended = 0


def _imports_of_code(code: CodeType) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    if _IMPORT in code.co_code[::2]:
        constants: list[Any] = [None, None]
        for _, operation, argument in _operations(code):
            if operation == _IMPORT:
                level, names = constants[-2:]
                yield level, code.co_names[argument], names or ()
            elif operation == _LOAD:
                constants.append(code.co_consts[argument])
            elif operation == _LOAD_SMALL:
                constants.append(argument)
    for inner in _codes_in(code):
        yield from _imports_of_code(inner)


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    return (constant for constant in code.co_consts if isinstance(constant, CodeType))


def _classes_of_code(code: CodeType) -> Iterator[CodeType]:
    for inner in _codes_in(code):
        if inner.co_name.startswith("<generic parameters of"):
            yield from _classes_of_code(inner)
        elif not inner.co_flags & 1:  # CO_OPTIMIZED: functions, lambdas and comprehensions are
            yield inner


def _class_line(code: CodeType, lines: list[str]) -> int:
    """Returns the line of a class, which is not that of its first decorator."""
    named = re.compile(rf"\bclass\s+{re.escape(code.co_name)}\b")
    first = code.co_firstlineno
    return next((line for line in range(first, len(lines) + 1) if named.search(lines[line - 1])), first)


def _imported_params(code: CodeType, operations: list[tuple[int, int, int]]) -> int:
    taken = (code.co_names[argument] for _, operation, argument in operations if operation == _OPS["IMPORT_FROM"])
    return sum(name == "Param" for name in taken)


def _assigned_params(code: CodeType, operations: list[tuple[int, int, int]], lines: list[str]) -> list[tuple[int, str]]:
    """Returns (line, name) where what a call of `Param` returns is bound to a name at once."""
    params = []
    places = list(code.co_positions())
    calls: set[tuple[int | None, int | None]] = set()
    value: tuple[int, int] | None = None  # where the call begins whose value was made last
    for index, operation, argument in operations:
        if operation in _CALLS:
            line, _, column, _ = places[index]
            known = line is None or column is None or (line, column) in calls  # a call of what a call returned
            calls.add((line, column))
            value = None if known else (line or 0, column or 0)
        elif operation != _COPY:
            if value is not None and operation in _STORES:
                line, column = value
                if _PARAM_CALL.match(lines[line - 1].encode()[column:].decode()):
                    params.append((line, code.co_names[argument]))
            value = None
    return params


def _position(error: SyntaxError, text: str) -> tuple[str, int | None, str | None, int | None, int | None]:
    lines = text.split("\n")
    line = error.lineno
    shown = lines[line - 1] if line is not None and 0 < line <= len(lines) else None
    column = error.offset - 1 if shown is not None and error.offset else None
    same_line = error.end_lineno == error.lineno and error.end_offset
    return (
        f"{type(error).__name__}: {error.msg}",
        line,
        shown,
        column,
        error.end_offset - 1 if same_line and error.end_offset else None,
    )


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """Walks all statements, but for what stands under `if TYPE_CHECKING:` and `if __name__ == "__main__":`."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        skipped = isinstance(node, ast.If) and _never_runs(node.test)
        for part in ("finalbody", "orelse") if skipped else _BLOCKS:
            waiting.extend(reversed(getattr(node, part, ())))


def _never_runs(test: ast.expr) -> bool:
    if isinstance(test, ast.Compare):
        return isinstance(test.left, ast.Name) and test.left.id == "__name__" and isinstance(test.ops[0], ast.Eq)
    return isinstance(test, ast.Name | ast.Attribute) and _last_name(test) == "TYPE_CHECKING"


def _last_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _imported(node: ast.AST) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    if isinstance(node, ast.Import):
        yield from ((0, alias.name, ()) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield node.level, node.module or "", tuple(alias.name for alias in node.names)


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Walks the statements that run at import and bind module-level names."""
    for statement in body:
        yield statement
        for part in ("body", "orelse", "handlers", "finalbody"):
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from _top_level(getattr(statement, part, []))


def _params(tree: ast.Module) -> Iterator[tuple[int, str]]:
    called = {"Param"}
    for node in _top_level(tree.body):
        if isinstance(node, ast.ImportFrom):
            called |= {alias.asname for alias in node.names if alias.name == "Param" and alias.asname}
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and _last_name(node.value.func) in called:
                yield node.value.lineno, target.id


def _exports(tree: ast.Module) -> tuple[str, ...]:
    for node in _top_level(tree.body):
        if isinstance(node, ast.Assign) and any(_last_name(target) == "__all__" for target in node.targets):
            elements = node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else []
            values = [element.value for element in elements if isinstance(element, ast.Constant)]
            return tuple(value for value in values if isinstance(value, str))
    return ()
