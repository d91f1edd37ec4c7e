"""A module's parameters, as hooks and programs see them."""

from __future__ import annotations

import difflib
from typing import Any

from instar.hmr.code import ModuleVersion
from instar.native import InstarError


class UnknownParam(InstarError, AttributeError):
    """A module has no parameter of that name."""


class ModuleParams:
    """The parameters of one module: `params.cohesion` is the current value, `params.cohesion = 0.1` sets it."""

    def __init__(self, version: ModuleVersion) -> None:
        self.__dict__["_version"] = version

    def __getattr__(self, name: str) -> Any:
        return self._find(name).value

    def __setattr__(self, name: str, value: Any) -> None:
        self._find(name).set(value)

    def __dir__(self) -> list[str]:
        return sorted(self._version.params)

    def _find(self, name: str) -> Any:
        known = self.__dict__["_version"].params
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            module = self.__dict__["_version"].name
            raise UnknownParam(f"{module} has no Param {name!r}{hint} (it has {', '.join(known) or 'none'})")
        return known[name]
