"""A program: all files of a scene, loaded and linked; what one world runs at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from instar.hmr.code.compile.compiler import Unit
from instar.hmr.code.compile.source import Source
from instar.hmr.code.errors import ParamError
from instar.hmr.code.hooks import Hook
from instar.hmr.code.keeping import DeclaredObject
from instar.hmr.code.load import names
from instar.hmr.code.load.loading import Instance
from instar.hmr.code.params import LiveParam, Value
from instar.hmr.code.persisting import DeclaredValue
from instar.hmr.code.settings import Name, Settings, Values
from instar.hmr.state import Agents, Schema, snake_case


@dataclass(frozen=True, slots=True, eq=False)
class ModuleVersion:
    """One version of one file of a scene; programs in which nothing of it differs share the object.

    Attributes:
        name: dotted name in the scene.
        path: the file.
        version: names the content of the file and of all it imports from the scene.
        module: the executed module; its `__name__` is unique in the process.
        unit: the compiled file.
        schemas: the tables it declares, by name; empty in a helper.
        hooks: its hooks, in the order of their lines; empty in a helper.
        params: the Params that its module-level names are bound to, declared here or imported, by those names.
    """

    name: str
    path: Path
    version: str
    module: ModuleType
    unit: Unit
    schemas: Mapping[str, Schema]
    hooks: tuple[Hook, ...]
    params: Mapping[str, LiveParam]


@dataclass(frozen=True, slots=True)
class Loading:
    """What it took to make a program, besides compiling.

    Attributes:
        trial_ns: executing its new files in the trial process first; 0 if they were known to pass.
        imports: what came into the process from outside of the scene because of it, by module, in ns.
        notices: what people should know about what its files did at import.
    """

    trial_ns: int = 0
    imports: Mapping[str, int] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Program:
    """A world's code. It never changes, but for the values of its Params.

    Attributes:
        number: the world version: 1 for the first, one more with each edit.
        modules: the scene's modules by dotted name, in the scene's order.
        helpers: the other files of the scene that they import.
        schemas: all tables by name.
        owners: the module that declares each table.
        params: the Params by declaring file and name.
        sources: the files by path, the scene's own among them.
        looked_for: every path that an import could have meant, and the scene's file; what appears there is an edit.
        instances: the executed files by dotted name.
        values: what the scene's file says, and the values chosen above it.
        left: the values of Params as another program left them that changed them with the scene's file, and whether
            somebody had chosen them.
        loading: what it took to make it.
        persisted: the persisted values that its files declare, by key.
        kept: the kept objects that they declare, by key.
        notes: what its files got otherwise than they say, for people.
    """

    number: int
    modules: Mapping[str, ModuleVersion]
    helpers: Mapping[str, ModuleVersion]
    schemas: Mapping[str, Schema]
    owners: Mapping[str, str]
    params: Mapping[str, Mapping[str, LiveParam]]
    sources: Mapping[Path, Source]
    looked_for: frozenset[Path]
    instances: Mapping[str, Instance] = field(repr=False)
    values: Values = field(repr=False)
    left: dict[Name, tuple[Value, bool]] = field(repr=False, default_factory=dict)
    loading: Loading = field(default=Loading(), repr=False)
    persisted: Mapping[str, DeclaredValue] = field(repr=False, default_factory=dict)
    kept: Mapping[str, DeclaredObject] = field(repr=False, default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def settings(self) -> Settings:
        """What the scene's file says."""
        return self.values.settings

    def chosen(self, values: Values) -> dict[str, dict[str, object]]:
        """Returns what Params begin with that somebody chose, by file and name, in a program that `values` are for."""
        chosen = values.chosen()
        changed = frozenset(values.changed(self.values))
        for module, params in self.params.items():
            chosen |= {
                (module, name): live.value
                for name, live in params.items()
                if live.given and (module, name) not in changed
            }
        by_file: dict[str, dict[str, object]] = {}
        for (module, name), value in chosen.items():
            by_file.setdefault(module, {})[name] = value
        return by_file

    def place_of(self, table: str) -> str:
        """`file:line` of the class that declares a table."""
        owner = self.modules[self.owners[table]]
        for value in vars(owner.module).values():
            if isinstance(value, type) and issubclass(value, Agents) and snake_case(value.__name__) == table:
                return f"{owner.path}:{value.__line__}"
        return str(owner.path)

    def inherit(self, old: Program, parked: dict[Name, Value]) -> list[str]:
        """Takes over the Param values that were given to `old`, where they fit.

        Args:
            old: the program before this one.
            parked: values that were given to Params that are gone, or that allow them no longer; they come back with those.

        Returns:
            For people: what became of values that are not taken over, or come back.
        """
        steps = []
        written = {name: old.values.chosen().get(name) for name in self.values.changed(old.values)}
        for module, params in old.params.items():
            for name, live in params.items():
                if live.given and name not in self.params.get(module, {}) and written.get((module, name)) != live.value:
                    parked[module, name] = live.value
                    steps.append(
                        f"{name} is no Param of {module} any more; its value {live.value!r} comes back with it"
                    )
        for module, params in self.params.items():
            for name, live in params.items():
                before = old.params.get(module, {}).get(name)
                if before is not live:
                    steps += _give(live, before, parked)
        self._hear(old)
        return steps

    def _hear(self, old: Program) -> None:
        """Has Params hold what the scene's file says, where that is not what it says in `old`; undone by coming back."""
        changed = self.values.changed(old.values)
        for module, name in changed:
            live = old.params.get(module, {}).get(name)
            if live is not None:
                old.left[module, name] = live.value, live.given
        self.values.apply(self.params, old.values)
        for module, name in changed:
            live = self.params.get(module, {}).get(name)
            if live is not None and (module, name) in self.left:
                value, given = self.left[module, name]
                live.set(value)
                live.given = given


def _give(live: LiveParam, before: LiveParam | None, parked: dict[Name, Value]) -> list[str]:
    """Gives a new Param the value that was given to the one before it, or is parked; tells people if that is news."""
    declared = live.declaration
    key = declared.module, declared.name
    comes_back = before is None or not before.given
    given = parked.get(key) if before is None or comes_back else before.value
    if given is None:
        return []
    try:
        value = declared.accept(given)
    except ParamError:
        parked[key] = given
        return [] if comes_back else [f"{live.name} was {given!r}, which {declared.refusal(given)}; now {live.value!r}"]
    parked.pop(key, None)
    if comes_back and live.given and live.value != value:  # the scene's file has given it another one since
        return []
    live.set(value)
    return [f"{live.name} is {value!r} again"] if comes_back else []


def retire(old: Program, new: Program, parked: dict[Name, Value]) -> list[str]:
    """Makes `new` the program that runs, and `old` one that ran; either may come back. Returns what `inherit` does.

    The modules of `new` are in `sys.modules` and its sources in tracebacks from now on, and its Params have the values
    that were given to those of `old`. What only `old` used is listed no longer, and goes when nobody holds it.
    """
    steps = new.inherit(old, parked)
    drop(old, new)
    names.forget_aliases()
    for instance in new.instances.values():
        if old.instances.get(instance.name) is not instance:
            instance.run()
    return steps


def drop(program: Program, kept: Program) -> None:
    """Takes the modules that only `program` uses, not `kept`, out of `sys.modules`."""
    for instance in program.instances.values():
        if kept.instances.get(instance.name) is not instance:
            instance.delist()
