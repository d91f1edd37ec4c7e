"""The code of a scene: builds programs from its files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from instar.hmr.code.compile.compiler import compile_source
from instar.hmr.code.compile.source import Source
from instar.hmr.code.errors import GOES_ON, NOT_STARTED, EditError, ParamError, bare
from instar.hmr.code.hooks import find_hooks
from instar.hmr.code.keeping import Kept
from instar.hmr.code.load.adoption import adopt
from instar.hmr.code.load.effects import Effects
from instar.hmr.code.load.faults import is_the_users, load_error
from instar.hmr.code.load.imports import Compile, Files, Graph
from instar.hmr.code.load.linking import bound_params, link, make_plain, refuse_captured, refuse_lost
from instar.hmr.code.load.loading import Instance, Load, Stage
from instar.hmr.code.load.remains import Remains
from instar.hmr.code.load.tables import declared_tables
from instar.hmr.code.params import Declaration, Declarations, LiveParam, Value
from instar.hmr.code.program import Loading, ModuleVersion, Program, retire
from instar.hmr.code.settings import Name, Read, Settings, Values
from instar.hmr.code.trial import Trial
from instar.hmr.state import Schema


class Codebase:
    """Builds the programs of one scene; holds none of them.

    Attributes:
        root: the scene's folder.
        settings: what the scene's file said when it was opened.
        names: what hooks may ask for besides tables.
        given: values of Params that stand above those of the scene's file, by file and name.
        remains: the versions that were executed, until they are gone.
        kept: the objects that its files keep.
    """

    def __init__(
        self,
        root: Path,
        settings: Settings,
        names: Collection[str],
        given: Mapping[str, Mapping[str, object]] | None = None,
        *,
        read: Read | None = None,
    ) -> None:
        """Prepares.

        Args:
            root: the scene's folder.
            settings: what the scene's file says now.
            names: what hooks may ask for besides tables.
            given: values of Params that stand above those of the scene's file, by file and name.
            read: reads the scene's file when it is edited; without it, it is not.
        """
        self.root = root
        self.settings = settings
        self.names = frozenset(names)
        self.given = given or {}
        self.remains = Remains()
        self.kept = Kept()
        self._parked: dict[Name, Value] = {}
        self._read = read

    @property
    def files(self) -> frozenset[Path]:
        """The files besides modules whose edits are edits of the scene."""
        source = self.settings.source
        return frozenset() if source is None or self._read is None else frozenset({source.path})

    def can_read(self, data: bytes) -> bool:
        """Returns whether this could be the complete content of the scene's file."""
        source = self.settings.source
        try:
            if source is not None and self._read is not None:
                self._read(Source.of(source.path, source.name, data), Path.is_file)
        except EditError:
            return False
        return True

    def load(self, compile: Compile = compile_source) -> Program:  # noqa: A002 - it does what compile does
        """Loads the scene from disk and makes it the program that runs.

        Raises:
            EditError: it cannot run; nothing is left behind.
        """
        program = _worked(self._build(None, {}, compile, None, Effects()), NOT_STARTED)
        for instance in program.instances.values():
            instance.run()
        return program

    def build(
        self,
        base: Program,
        changes: Mapping[Path, bytes],
        compile: Compile = compile_source,  # noqa: A002
        trial: Trial | None = None,
        effects: Effects | None = None,
    ) -> Program:
        """Builds the program that `base` becomes by an edit, ready to be swapped in; `base` goes on unchanged.

        Args:
            base: the program that runs; files that are not in `changes` have the content they have in it, whatever is
                on disk now. Only files new to the scene are read.
            changes: new content by path.
            compile: compiles a file that changed.
            trial: executes the new files in another process first.
            effects: what the process was like before, if somebody else wants to take back what this does to it.

        Returns:
            The new program; `base` itself if `changes` change nothing. Its modules are in `sys.modules`, its sources
            are shown in tracebacks from `retire(base, program)` on.

        Raises:
            EditError: it cannot run; nothing is left behind and the Params of `base` are as they were.
        """
        with self.remains.building:
            found = self._build(base, changes, compile, trial, effects or Effects())
        return _worked(found, GOES_ON)

    def retire(self, old: Program, new: Program) -> list[str]:
        """Makes `new` the program that runs instead of `old`; see `program.retire`. Kept objects get its classes."""
        self.remains.came((), new)
        steps = retire(old, new, self._parked)
        running = {name: instance.module for name, instance in new.instances.items()}
        return [*steps, *adopt(self.kept.objects, running)]

    def _build(
        self,
        base: Program | None,
        changes: Mapping[Path, bytes],
        compile_file: Compile,
        trial: Trial | None,
        effects: Effects,
    ) -> Program | EditError:
        """Returns the program, or why there is none; raised here, it would keep the failed modules alive."""
        running = {} if base is None else base.instances
        files = (
            Files(self.root, {}, changes) if base is None else Files(self.root, base.sources, changes, base.looked_for)
        )
        units = {name: instance.unit for name, instance in running.items()}
        try:
            values = self._values(base, files, changes)
            modules = values.settings.modules
            graph = Graph(files, modules, units, compile_file)
        except EditError as error:
            return error
        instances = {name: _instance(name, graph, running) for name in graph.units}
        if base is not None and values is base.values and _same(instances, running):
            return base
        for instance in instances.values():
            if instance.stage is Stage.NEW:
                instance.closure = {name: instances[name] for name in graph.closure(instance.name)}
        changed = frozenset() if base is None else frozenset(values.changed(base.values))
        declarations = Declarations(partial(_value, base, values, changed, self._parked), self.kept)
        load = Load(instances.values(), declarations)
        try:
            self.kept.begin()
            trial_ns = 0 if trial is None else trial.run(instances, lambda: {} if base is None else base.chosen(values))
            with load.running():
                for instance in instances.values():
                    if instance.stage is Stage.NEW or instance.name in modules:
                        load.execute(instance)
                program = self._describe(base, values, graph, instances, declarations, files.looked_for | self.files)
                program = replace(program, loading=Loading(trial_ns, MappingProxyType(load.imports), effects.told()))
                self.remains.came(load.new, program)
                return program
        except BaseException as error:
            self.remains.came(load.new, None)
            stays = effects.undo(found.module for found in load.new)
            if is_the_users(error, graph.units.values()):
                raise
            failure = load_error(error, graph.units)
            failure.advice = "\n".join(filter(None, (failure.advice, *stays)))
            return failure

    def _describe(
        self,
        base: Program | None,
        values: Values,
        graph: Graph,
        instances: Mapping[str, Instance],
        declarations: Declarations,
        looked_for: set[Path],
    ) -> Program:
        """Collects what executed files declare and links their Params."""
        modules = values.settings.modules
        done = {name: found for name, found in instances.items() if found.stage is Stage.DONE}
        new = [found for found in done.values() if base is None or base.instances.get(found.name) is not found]
        for instance in new:
            instance.params = bound_params(instance.module)
            make_plain(instance.module, instance.params)
            unique_name = instance.module.__name__
            instance.persisted = {one.key: one for one in declarations.values.get(unique_name, {}).values()}
            instance.kept = {one.key: one for one in declarations.objects.get(unique_name, {}).values()}
        refuse_lost(done, declarations.numbers)
        refuse_captured([instance.module for instance in new], declarations.numbers)
        params = _declared(done.values())
        if base is None or values is not base.values:
            values.check(params, graph.units, None if base is None else base.values)
        tables = declared_tables(done, modules, self.names)
        schemas = {table.schema.table: table.schema for table in tables}
        versions = {
            name: self._version(
                base, found, [table.schema for table in tables if table.owner == name], schemas.keys(), modules
            )
            for name, found in done.items()
        }
        for instance in new:
            link(instance.module, instance.params)
        objects = {key: one for instance in done.values() for key, one in instance.kept.items()}
        notes = self.kept.notes(objects, {} if base is None else base.kept)
        self.kept.accept()
        return Program(
            number=1 if base is None else base.number + 1,
            modules=MappingProxyType({name: versions[name] for name in modules}),
            helpers=MappingProxyType({name: found for name, found in versions.items() if name not in modules}),
            schemas=MappingProxyType(schemas),
            owners=MappingProxyType({table.schema.table: table.owner for table in tables}),
            params=MappingProxyType(params),
            sources=MappingProxyType({source.path: source for source in _sources(values.settings, graph)}),
            looked_for=frozenset(looked_for),
            instances=MappingProxyType(instances),
            values=values,
            persisted=MappingProxyType({key: one for found in done.values() for key, one in found.persisted.items()}),
            kept=MappingProxyType(objects),
            notes=tuple(notes),
        )

    def _values(self, base: Program | None, files: Files, changes: Mapping[Path, bytes]) -> Values:
        """Returns what the scene's file says: anew if it is among the changes, else what it said in `base`."""
        if base is None:
            return Values(self.settings, self.given)
        source = base.settings.source
        data = None if source is None else changes.get(source.path)
        if source is None or data is None or data == source.data or self._read is None:
            return base.values
        return Values(self._read(Source.of(source.path, source.name, data), files.holds), self.given)

    def _version(
        self,
        base: Program | None,
        instance: Instance,
        schemas: Iterable[Schema],
        tables: Collection[str],
        modules: Collection[str],
    ) -> ModuleVersion:
        """Returns the version of a file: that of `base` where nothing in it differs."""
        before = None
        if base is not None and base.instances.get(instance.name) is instance:
            before = base.modules.get(instance.name) or base.helpers[instance.name]
        path = instance.unit.source.path
        known = self.names | frozenset(tables)
        hooks = find_hooks(instance.module, instance.name, path, known) if instance.name in modules else ()
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


def _value(
    base: Program | None,
    values: Values,
    changed: Collection[Name],
    parked: Mapping[Name, Value],
    declaration: Declaration,
) -> tuple[Value, bool]:
    """Returns a new Param's value: the one given so far if it still fits, else what people chose, else the default."""
    name = declaration.module, declaration.name
    before = None if base is None else base.params.get(name[0], {}).get(name[1])
    given = before.value if before is not None and before.given else parked.get(name)
    if name in changed or (before is None and given is None):
        return values.first(declaration)
    try:
        return (declaration.default, False) if given is None else (declaration.accept(given), True)
    except ParamError:
        return declaration.default, False


def _sources(settings: Settings, graph: Graph) -> Iterator[Source]:
    """Yields the files that a program is made of."""
    if settings.source is not None:
        yield settings.source
    for unit in graph.units.values():
        yield unit.source


def _worked(result: Program | EditError, kept: str) -> Program:
    """Returns a program that was built, or raises why there is none, without the frames of those who found out."""
    if isinstance(result, Program):
        return result
    result.kept = kept
    raise bare(result)


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
