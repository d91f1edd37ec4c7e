"""Executes the files of a scene into namespaces of their own, without `sys.path`, import hooks or .pyc files."""

from __future__ import annotations

import builtins
import functools
import linecache
import marshal
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any

from instar.hmr.code.compile.compiler import Unit
from instar.hmr.code.keeping import DeclaredObject
from instar.hmr.code.load import names
from instar.hmr.code.load.imports import absolute
from instar.hmr.code.load.lines import SceneLoader
from instar.hmr.code.params import Declarations, LiveParam, ParamNumber, declaring, number_of
from instar.hmr.code.persisting import DeclaredValue


class Stage(Enum):
    """How far an instance has come."""

    NEW = 0
    EXECUTING = 1
    DONE = 2
    FAILED = 3


class Instance:
    """One file, executed once: shared by all programs in which it and all it can reach are the same.

    Attributes:
        name: dotted name in the scene.
        key: names the content of the file and all it can reach.
        unit: the compiled file.
        module: the module; its `__name__` is unique in the process.
        closure: the instances it can reach, by dotted name, itself among them.
        stage: how far it has come.
        params: the Params that its module-level names are bound to, once the load is complete.
        persisted: the persisted values that it declares, by key, once the load is complete.
        kept: the kept objects that it declares, likewise.
        importer: its `__import__`.
    """

    def __init__(self, name: str, key: str, unit: Unit) -> None:
        self.name = name
        self.key = key
        self.unit = unit
        self.closure: dict[str, Instance] = {}
        self.stage = Stage.NEW
        self.params: dict[str, LiveParam] = {}
        self.persisted: dict[str, DeclaredValue] = {}
        self.kept: dict[str, DeclaredObject] = {}
        self.importer = Importer(self)
        self._lines: list[str] | None = None
        self._code: CodeType | None = None
        self.module = self._module(_unused(f"{name}@{key}"))

    @property
    def code(self) -> CodeType:
        """Its code, held until `take_code`."""
        if self._code is None:
            self._code = _code_of(self.unit.code)
        return self._code

    def take_code(self) -> CodeType:
        """Returns its code, and holds it no longer."""
        code, self._code = self.code, None
        return code

    def require(self) -> None:
        """Sees that it did not fail.

        Raises:
            ImportError: its code raised when it was executed.
        """
        if self.stage is Stage.FAILED:
            raise ImportError(f"{self.name} failed when it was imported", name=self.name)

    def enlist(self) -> None:
        """Puts the module into `sys.modules` and its source into `linecache`."""
        path = str(self.unit.source.path)
        sys.modules[self.module.__name__] = self.module
        names.came(self.module)
        if self._lines is None:
            self._lines = self.unit.lines
        linecache.cache[path] = (len(self.unit.text), None, self._lines, path)

    def run(self) -> None:
        """Puts the module where it is looked for, as the version that runs."""
        self.enlist()
        names.runs(self.name, self.module)

    def delist(self) -> None:
        """Takes the module out of `sys.modules`."""
        sys.modules.pop(self.module.__name__, None)

    def _module(self, unique_name: str) -> ModuleType:
        source = self.unit.source
        loader = SceneLoader(self.unit)
        spec = ModuleSpec(unique_name, loader, origin=str(source.path), is_package=source.is_package)
        spec.has_location = True
        module = ModuleType(unique_name)
        scope = {**vars(builtins), "__import__": self.importer}
        module.__dict__.update(
            __file__=str(source.path), __package__=source.package, __spec__=spec, __loader__=loader, __builtins__=scope
        )
        if source.is_package:
            module.__path__ = [str(source.path.parent)]
        return module


class Load:
    """One load: executes new instances, each when it is first imported or asked for.

    Attributes:
        new: the instances that it executes.
        imports: what came into the process from outside of the scene meanwhile, by module, with the ns it took.
    """

    def __init__(self, instances: Iterable[Instance], declarations: Declarations) -> None:
        """Args: instances: the new ones; declarations: where their Params go."""
        self.new = [instance for instance in instances if instance.stage is Stage.NEW]
        self._declarations = declarations
        self.imports: dict[str, int] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Lists the new modules while the body executes; if it raises, nothing of them stays listed."""
        paths = [str(instance.unit.source.path) for instance in self.new]
        shown = {path: linecache.cache.get(path) for path in paths}
        try:
            with declaring(self._declarations):
                yield
        except BaseException:
            for instance in self.new:
                instance.delist()
            raise
        finally:
            for instance in self.new:
                instance.importer.load = None
            for path, entry in shown.items():
                if entry is None:
                    linecache.cache.pop(path, None)
                else:
                    linecache.cache[path] = entry

    def execute(self, instance: Instance) -> None:
        """Executes an instance after the packages around it, unless that has been done or is being done.

        Raises:
            ImportError: it was tried before and failed.
            BaseException: what its code raises.
        """
        package, _, last = instance.name.rpartition(".")
        if package:
            self.execute(instance.closure[package])
        instance.require()
        if instance.stage is Stage.NEW:
            if package:
                setattr(instance.closure[package].module, last, instance.module)
            self._run(instance)

    def number_of(self, live: LiveParam) -> ParamNumber:
        """Returns a number for a Param of a shared instance, so that names bound to it are linked too."""
        number = number_of(live)
        self._declarations.numbers.append(number)
        return number

    def _run(self, instance: Instance) -> None:
        unit = instance.unit
        instance.stage = Stage.EXECUTING
        instance.enlist()
        instance.importer.load = self
        self._declarations.expect(instance.module.__name__, instance.name, unit.source.path, unit.params)
        try:
            for category, message, line in unit.warnings:
                kind = getattr(builtins, category, SyntaxWarning)
                warnings.warn_explicit(message, kind, str(unit.source.path), line, instance.module.__name__)
            exec(instance.take_code(), instance.module.__dict__)
        except BaseException:
            instance.stage = Stage.FAILED
            instance.delist()
            raise
        instance.stage = Stage.DONE


class Importer:
    """The `__import__` of one file: what its closure holds comes from there, everything else from Python itself.

    Attributes:
        load: the load that is executing the file's closure; None afterwards.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.load: Load | None = None

    def __call__(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - the signature of __import__
        locals: Mapping[str, Any] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = None,
        level: int = 0,
    ) -> ModuleType:
        """Imports as the built-in function does."""
        closure = self._instance.closure
        outside = level == 0 and name.partition(".")[0] not in closure
        if outside or isinstance(fromlist, list):  # C code passes a list: it wants sys.modules[name]
            return self._from_outside(name, globals, locals, fromlist or (), level)
        target = absolute(self._instance.unit.source, level, name)
        if target is None:
            raise ImportError("attempted relative import beyond the scene's folder")
        leaf = self._reach(target) if target else ModuleType("scene")
        if not fromlist:
            return closure[target.partition(".")[0]].module
        names = getattr(leaf, "__all__", ()) if "*" in fromlist else fromlist
        for part in names:
            inside = f"{target}.{part}" if target else part
            if inside in closure and not hasattr(leaf, part):
                setattr(leaf, part, self._reach(inside))
        return self._as_imported(leaf, closure.get(target))

    def _from_outside(self, name: str, *arguments: Any) -> ModuleType:
        """Imports as Python does; while the file is loaded, what is new to the process is noted with its time."""
        load = self.load
        if load is None:
            return builtins.__import__(name, *arguments)
        before, began = len(sys.modules), time.perf_counter_ns()
        try:
            return builtins.__import__(name, *arguments)
        finally:
            if len(sys.modules) > before:
                load.imports[name] = load.imports.get(name, 0) + time.perf_counter_ns() - began

    def _reach(self, target: str) -> ModuleType:
        """Returns the module of a dotted name, executed."""
        instance = self._instance.closure.get(target)
        if instance is None:
            raise ModuleNotFoundError(f"No module named {target!r}", name=target)
        if self.load is not None:
            self.load.execute(instance)
        instance.require()  # after the load, everything in a closure has been executed
        return instance.module

    def _as_imported(self, module: ModuleType, instance: Instance | None) -> ModuleType:
        """Returns what `from module import` reads from: a shared module holds plain values for its Params."""
        if instance is None or not instance.params or self.load is None:
            return module
        view = ModuleType(module.__name__)
        view.__dict__.update(module.__dict__)
        view.__dict__.update({name: self.load.number_of(live) for name, live in instance.params.items()})
        return view


@functools.lru_cache(maxsize=16)
def _code_of(data: bytes) -> CodeType:
    """Returns marshalled code; that of recent versions is the same object, already fit for what it is called with."""
    code: CodeType = marshal.loads(data)
    return code


def _unused(unique_name: str) -> str:
    """Returns the name, with a number behind it if it is taken: the same scene may be opened twice."""
    taken, number = unique_name, 1
    while taken in sys.modules:
        number += 1
        taken = f"{unique_name}-{number}"
    return taken
