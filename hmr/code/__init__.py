"""Code that changes under running tables: watched, compiled elsewhere, loaded beside what runs, swapped whole."""

from __future__ import annotations

from instar.hmr.code.codebase import Codebase
from instar.hmr.code.compile.compiler import Unit, compile_source
from instar.hmr.code.compile.likeness import likeness
from instar.hmr.code.compile.process import CompileHelper
from instar.hmr.code.compile.source import Source
from instar.hmr.code.edit import Edit, Rejection
from instar.hmr.code.errors import CompileError, EditError, HookError, LoadError, ParamError
from instar.hmr.code.hooks import Hook, every
from instar.hmr.code.keeping import keep
from instar.hmr.code.load.lines import line_of
from instar.hmr.code.params import Declaration, LiveParam, Param
from instar.hmr.code.persisting import adopt, bind, persist
from instar.hmr.code.pipeline import EditPipeline
from instar.hmr.code.program import ModuleVersion, Program
from instar.hmr.code.settings import Settings
from instar.hmr.code.watch import Change, Watcher

__all__ = [
    "Param",
    "Declaration",
    "LiveParam",
    "every",
    "persist",
    "adopt",
    "bind",
    "keep",
    "Hook",
    "Codebase",
    "Program",
    "ModuleVersion",
    "Settings",
    "Source",
    "Unit",
    "compile_source",
    "CompileHelper",
    "EditPipeline",
    "Edit",
    "Rejection",
    "Watcher",
    "Change",
    "line_of",
    "likeness",
    "EditError",
    "CompileError",
    "LoadError",
    "HookError",
    "ParamError",
]
