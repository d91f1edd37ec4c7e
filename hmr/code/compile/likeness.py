"""What a function does, whatever version of a file it comes from."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any


def likeness(function: Callable[..., Any]) -> object:
    """Returns what tells a function from another, wherever it stands; None for what is no plain function."""
    return _of_code(function.__code__) if isinstance(function, FunctionType) else None


def _of_code(code: CodeType) -> tuple[Any, ...]:
    constants = tuple(_of_code(one) if isinstance(one, CodeType) else (type(one), one) for one in code.co_consts)
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, constants
