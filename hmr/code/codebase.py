"""The code of a scene: builds programs from its files."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

from instar.hmr.code.compile.compiler import compile_source
from instar.hmr.code.errors import GOES_ON, NOT_STARTED, EditError, ParamError
from instar.hmr.code.hooks import find_hooks
from instar.hmr.code.load.faults import is_the_users, load_error
from instar.hmr.code.load.imports import Compile, Files, Graph
from instar.hmr.code.load.linking import bound_params, link, make_plain, refuse_captured, refuse_lost
from instar.hmr.code.load.loading import Instance, Load, Stage
from instar.hmr.code.load.tables import declared_tables
from instar.hmr.code.params import Declaration, Declarations, LiveParam, Value
from instar.hmr.code.program import ModuleVersion, Program, retire
from instar.hmr.state import Schema


class Codebase:
    """Builds the programs of one scene; holds none of them.

    Attributes:
        root: the scene's folder.
        modules: dotted names of the scene's modules, in order.
        names: what hooks may ask for besides tables.
        params: values that the scene gives to Params, by file and name.
    """

    def __init__(
        self,
        root: Path,
        modules: Sequence[str],
        names: Collection[str],
        params: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        self.root = root
        self.modules = tuple(modules)
        self.names = frozenset(names)
        self.params = {module: dict(values) for module, values in (params or {}).items()}

    def load(self, compile: Compile = compile_source) -> Program:  # noqa: A002 - it does what compile does
        """Loads the scene from disk and makes it the program that runs.

        Raises:
            EditError: it cannot run; nothing is left behind.
        """
        program = _worked(self._build(None, {}, compile), NOT_STARTED)
        for instance in program.instances.values():
            instance.enlist()
        return program

    def build(self, base: Program, changes: Mapping[Path, bytes], compile: Compile = compile_source) -> Program:  # noqa: A002
        """Builds the program that `base` becomes by an edit, ready to be swapped in; `base` goes on unchanged.

        Args:
            base: the program that runs; files that are not in `changes` have the content they have in it, whatever is
                on disk now. Only files new to the scene are read.
            changes: new content by path.
            compile: compiles a file that changed.

        Returns:
            The new program; `base` itself if `changes` change nothing. Its modules are in `sys.modules`, its sources
            are shown in tracebacks from `retire(base, program)` on.

        Raises:
            EditError: it cannot run; nothing is left behind and the Params of `base` are as they were.
        """
        return _worked(self._build(base, changes, compile), GOES_ON)

    def retire(self, old: Program, new: Program) -> None:
        """Makes `new` the program that runs instead of `old`; see `program.retire`."""
        retire(old, new)

    def _build(self, base: Program | None, changes: Mapping[Path, bytes], compile_file: Compile) -> Program | EditError:
        """Returns the program, or why there is none; raised here, it would keep the failed modules alive."""
        running = {} if base is None else base.instances
        files = Files(self.root, {} if base is None else base.sources, changes)
        units = {name: instance.unit for name, instance in running.items()}
        try:
            graph = Graph(files, self.modules, units, compile_file)
        except EditError as error:
            return error
        instances = {name: _instance(name, graph, running) for name in graph.units}
        if base is not None and _same(instances, running):
            return base
        for instance in instances.values():
            if instance.stage is Stage.NEW:
                instance.closure = {name: instances[name] for name in graph.closure(instance.name)}
        declarations = Declarations(partial(self._value, base))
        load = Load(instances.values(), declarations)
        try:
            with load.running():
                for instance in instances.values():
                    if instance.stage is Stage.NEW or instance.name in self.modules:
                        load.execute(instance)
                return self._describe(base, graph, instances, declarations, files.looked_for)
        except BaseException as error:
            if is_the_users(error, graph.units.values()):
                raise
            return load_error(error, graph.units)

    def _describe(
        self,
        base: Program | None,
        graph: Graph,
        instances: Mapping[str, Instance],
        declarations: Declarations,
        looked_for: set[Path],
    ) -> Program:
        """Collects what executed files declare and links their Params."""
        done = {name: found for name, found in instances.items() if found.stage is Stage.DONE}
        new = [found for found in done.values() if base is None or base.instances.get(found.name) is not found]
        for instance in new:
            instance.params = bound_params(instance.module)
            make_plain(instance.module, instance.params)
        refuse_lost(done, declarations.numbers)
        refuse_captured([instance.module for instance in new], declarations.numbers)
        params = _declared(done.values())
        if base is None:
            self._check_given(params, graph)
        tables = declared_tables(done, self.modules, self.names)
        schemas = {table.schema.table: table.schema for table in tables}
        versions = {
            name: self._version(base, found, [table.schema for table in tables if table.owner == name], schemas.keys())
            for name, found in done.items()
        }
        for instance in new:
            link(instance.module, instance.params)
        return Program(
            number=1 if base is None else base.number + 1,
            modules=MappingProxyType({name: versions[name] for name in self.modules}),
            helpers=MappingProxyType({name: found for name, found in versions.items() if name not in self.modules}),
            schemas=MappingProxyType(schemas),
            owners=MappingProxyType({table.schema.table: table.owner for table in tables}),
            params=MappingProxyType(params),
            sources=MappingProxyType({unit.source.path: unit.source for unit in graph.units.values()}),
            looked_for=frozenset(looked_for),
            instances=MappingProxyType(instances),
        )

    def _value(self, base: Program | None, declaration: Declaration) -> tuple[Value, bool]:
        """Returns a new Param's value: the one given so far if it still fits, else the scene's, else the default."""
        module, name = declaration.module, declaration.name
        before = None if base is None else base.params.get(module, {}).get(name)
        if before is not None:
            try:
                return (declaration.accept(before.value), True) if before.given else (declaration.default, False)
            except ParamError:
                return declaration.default, False
        if name not in self.params.get(module, {}):
            return declaration.default, False
        try:
            return declaration.accept(self.params[module][name]), True
        except ParamError as error:
            error.advice = (
                f"The scene gives it this value: correct [params.{module}] in scene.toml, or the --set option."
            )
            raise

    def _check_given(self, params: Mapping[str, Mapping[str, LiveParam]], graph: Graph) -> None:
        """Sees that the scene gives values only to Params that there are."""
        for module, values in self.params.items():
            unit = graph.units.get(module)
            for name in values.keys() - params.get(module, {}).keys():
                wrong, known = (module, sorted(params)) if unit is None else (name, sorted(params.get(module, {})))
                near = difflib.get_close_matches(wrong, known, n=1)
                there = ", ".join(known) or "none"
                correct = f"Correct [params.{module}] in scene.toml, or the --set option."
                raise ParamError(
                    f"the scene gives a value to {module}.{name}, but there is no such Param"
                    + (f"; did you mean {near[0]}?" if near else ""),
                    path=None if unit is None else unit.source.path,
                    advice=(f"Files with Params: {there}. " if unit is None else f"Params of {module}: {there}. ")
                    + correct,
                )

    def _version(
        self, base: Program | None, instance: Instance, schemas: Iterable[Schema], tables: Collection[str]
    ) -> ModuleVersion:
        """Returns the version of a file: that of `base` where nothing in it differs."""
        before = None
        if base is not None and base.instances.get(instance.name) is instance:
            before = base.modules.get(instance.name) or base.helpers[instance.name]
        path = instance.unit.source.path
        known = self.names | frozenset(tables)
        hooks = find_hooks(instance.module, instance.name, path, known) if instance.name in self.modules else ()
        if before is not None and before.hooks == hooks:
            return before
        return ModuleVersion(
            name=instance.name,
            path=path,
            version=instance.key,
            module=instance.module,
            unit=instance.unit,
            schemas=MappingProxyType({schema.table: schema for schema in schemas}),
            hooks=hooks,
            params=MappingProxyType(instance.params),
        )


def _worked(result: Program | EditError, kept: str) -> Program:
    """Returns a program that was built, or raises why there is none, without the frames of those who found out."""
    if isinstance(result, Program):
        return result
    result.kept = kept
    result.__cause__ = result.__context__ = None
    raise result.with_traceback(None)


def _instance(name: str, graph: Graph, running: Mapping[str, Instance]) -> Instance:
    """Returns the running instance of a file if it and all it can reach are unchanged, else a new one."""
    key, unit, found = graph.key(name), graph.units[name], running.get(name)
    if (
        found is not None
        and found.stage is Stage.DONE
        and found.key == key
        and found.unit.source.path == unit.source.path
    ):
        return found
    return Instance(name, key, unit)


def _same(instances: Mapping[str, Instance], running: Mapping[str, Instance]) -> bool:
    """Returns whether the files are the same; one that failed and was given up by its importer is no difference."""
    return {name: (found.key, found.unit.source.path) for name, found in instances.items()} == {
        name: (found.key, found.unit.source.path) for name, found in running.items()
    }


def _declared(instances: Iterable[Instance]) -> dict[str, Mapping[str, LiveParam]]:
    """Returns the Params by declaring file and name."""
    params: dict[str, dict[str, LiveParam]] = {}
    for instance in instances:
        for live in instance.params.values():
            params.setdefault(live.declaration.module, {})[live.name] = live
    return {module: MappingProxyType(found) for module, found in params.items()}
