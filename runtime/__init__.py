"""Instar: a runtime for games and agent simulations whose code you edit while the world runs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from instar.edits.by_hand import reload as reload
    from instar.edits.receipt import Receipt as Receipt
    from instar.hmr.code import Param as Param
    from instar.hmr.code import every as every
    from instar.hmr.code import keep as keep
    from instar.hmr.code import persist as persist
    from instar.hmr.state import Agents as Agents
    from instar.hmr.state import field as field
    from instar.hmr.state.dtypes import (
        f32 as f32,
    )
    from instar.hmr.state.dtypes import (
        f64 as f64,
    )
    from instar.hmr.state.dtypes import (
        i8 as i8,
    )
    from instar.hmr.state.dtypes import (
        i16 as i16,
    )
    from instar.hmr.state.dtypes import (
        i32 as i32,
    )
    from instar.hmr.state.dtypes import (
        i64 as i64,
    )
    from instar.hmr.state.dtypes import (
        u8 as u8,
    )
    from instar.hmr.state.dtypes import (
        u16 as u16,
    )
    from instar.hmr.state.dtypes import (
        u32 as u32,
    )
    from instar.hmr.state.dtypes import (
        u64 as u64,
    )
    from instar.hmr.state.references import Ref as Ref
    from instar.native.errors import InstarError as InstarError
    from instar.runner import Runtime as Runtime
    from instar.telemetry.events import on as on
    from instar.telemetry.events import on_edit as on_edit
    from instar.world import World as World

__version__ = "0.1.0"

_STATE = "instar.hmr.state"
_CODE = "instar.hmr.code"
_HOMES = {
    "Agents": _STATE,
    "field": _STATE,
    **dict.fromkeys(("f32", "f64", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"), _STATE),
    "Ref": _STATE,
    "Param": _CODE,
    "every": _CODE,
    "persist": _CODE,
    "keep": _CODE,
    "World": "instar.world",
    "Receipt": "instar.edits.receipt",
    "reload": "instar.edits.by_hand",
    "on": "instar.telemetry.events",
    "on_edit": "instar.telemetry.events",
    "Runtime": "instar.runner",
    "InstarError": "instar.native.errors",
}

__all__ = ["__version__"]
__all__ += list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
