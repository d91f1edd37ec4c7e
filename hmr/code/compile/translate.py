"""Translates the bytes of a module into bytecode and facts; run as a file, it is the compile process.

It imports nothing but the standard library, so that the process is up in a few milliseconds and knows nothing of
the world it serves. Requests and replies are marshalled, each after its length as 4 bytes, little endian.
"""

from __future__ import annotations

import ast
import gc
import io
import marshal
import signal
import sys
import tokenize
import warnings
from collections.abc import Iterator
from typing import Any, BinaryIO

Facts = dict[str, Any]

_BLOCKS = ("finalbody", "orelse", "handlers", "cases", "body")
"""The fields of statements that hold statements, the last in the source first."""


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
        text = _decode(data)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            tree = _parse(text, path, optimize)
            code = compile(tree, path, "exec", dont_inherit=True, optimize=optimize)
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
        "imports": [statement for node in _running(tree) for statement in _imported(node)],
        "params": list(_params(tree)),
        "classes": [(node.name, node.lineno) for node in _top_level(tree.body) if isinstance(node, ast.ClassDef)],
        "exports": _exports(tree),
        "warnings": [(entry.category.__name__, str(entry.message), entry.lineno) for entry in caught],
    }


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Translates what it is asked, until the other end closes; garbage waits until the reply is out."""
    while len(header := requests.read(4)) == 4:
        path, data, optimize = marshal.loads(requests.read(int.from_bytes(header, "little")))
        reply = marshal.dumps(translate(path, data, optimize))
        replies.write(len(reply).to_bytes(4, "little") + reply)
        replies.flush()
        gc.collect()


def _decode(data: bytes) -> str:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return io.IncrementalNewlineDecoder(None, translate=True).decode(data.decode(encoding), final=True)


def _parse(text: str, path: str, optimize: int) -> ast.Module:
    tree = compile(text, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True, optimize=optimize)
    assert isinstance(tree, ast.Module)
    return tree


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


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    serve(sys.stdin.buffer, sys.stdout.buffer)
