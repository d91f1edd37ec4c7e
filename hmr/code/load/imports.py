"""Which files of a scene a program is made of, and which of them depend on which."""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from instar.hmr.code.compile.compiler import Import, Unit
from instar.hmr.code.compile.source import Source, digest_of
from instar.hmr.code.errors import LoadError
from instar.hmr.code.watch.reading import BeingWrittenError, read_whole
from instar.hmr.code.watch.watcher import STALE_SECONDS

Compile = Callable[[Source], Unit]


class Files:
    """The files of a scene as one edit sees them: the edited bytes, else those that run, else those on disk.

    Attributes:
        root: the scene's folder.
        looked_for: every path that an import could have meant, there or not.
    """

    def __init__(
        self,
        root: Path,
        running: Mapping[Path, Source],
        changes: Mapping[Path, bytes],
        looked_for: frozenset[Path] = frozenset(),
    ) -> None:
        """Prepares.

        Args:
            root: the scene's folder.
            running: the files that run, by path.
            changes: new contents, by path.
            looked_for: the paths that imports of what runs could have meant. Who tells of changes has told of those that
                are there by now, so they are not looked for again where it is known what a name means: a file that runs, or
                a module from outside of the scene.
        """
        self.root = root
        self.looked_for: set[Path] = set()
        self._running = running
        self._changes = changes
        self._known = looked_for
        self._found: dict[str, Source | None] = {}
        self._entries: dict[str, frozenset[str]] = {}

    def find(self, name: str) -> Source | None:
        """Returns the file that a dotted name means in the scene, None if it means none."""
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def holds(self, path: Path) -> bool:
        """Returns whether there is a file."""
        return self._has(path) or path.is_file()

    def names(self) -> list[str]:
        """Returns the .py files right in the scene's folder, for messages."""
        return sorted(path.name for path in self.root.glob("*.py"))

    def _has(self, path: Path) -> bool:
        return path in self._changes or path in self._running

    def _find(self, name: str) -> Source | None:
        places = _places(self.root, name)
        self.looked_for.update(places)
        there = [path for path in places if self._has(path)]
        if not there and name in sys.modules and self._known.issuperset(places):
            return None
        found = [
            source
            for path, folder in zip(places, (name, name.rpartition(".")[0]), strict=True)
            if not (path == places[0] and there == [places[1]] and path in self._known)  # it would have come before
            and (source := self._source(path, name, folder)) is not None
        ]
        if len(found) > 1:  # one of the two may be gone from disk and only still running
            found.sort(key=lambda source: not source.path.exists())
        if not found and any(entry.endswith(".py") for entry in self._within(name)):
            return Source.of(places[0], name, b"")
        return found[0] if found else None

    def _source(self, path: Path, name: str, folder: str) -> Source | None:
        data = self._changes.get(path)
        running = self._running.get(path)
        if data is None and running is not None:
            return running
        if data is None and path.name not in self._within(folder):
            return None
        if data is None:
            try:
                data = self._read(path)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None
            except (OSError, ValueError) as error:
                raise LoadError(f"cannot be read: {error}", path=path) from None
        return running if running is not None and running.data == data else Source.of(path, name, data)

    def _read(self, path: Path) -> bytes:
        """Returns the content of a file that nothing has told of so far, but never a half-written one.

        A scene that starts waits for the writer, but not for good; a running one has its watcher, which tells of the file
        when it is complete.
        """
        until = time.monotonic() + (0.0 if self._running else STALE_SECONDS)
        while True:
            try:
                data = read_whole(path)
            except BeingWrittenError:
                data = None
            if data is not None:
                return data
            found = path.read_bytes()  # raises what keeps it from being read
            if time.monotonic() >= until:
                break
            time.sleep(0.001)
        if not self._running:
            return found
        raise LoadError(
            "another program is writing this file",
            path=path,
            advice="The edit is tried again when the file is complete.",
        )

    def _within(self, folder: str) -> frozenset[str]:
        """Returns the names in a folder, which is given as a dotted name; empty is the scene's own.

        Each is looked at once, because most imports mean nothing in the scene.
        """
        if folder not in self._entries:
            parent, _, last = folder.rpartition(".")
            inside = not folder or last in self._within(parent)
            try:
                self._entries[folder] = frozenset(os.listdir(self.root.joinpath(*folder.split("."))) if inside else ())  # noqa: PTH208 - names are enough
            except OSError:
                self._entries[folder] = frozenset()
        return self._entries[folder]


class Graph:
    """The files that a scene's modules reach by imports.

    Attributes:
        units: the compiled files by dotted name, in the order in which they were reached.
    """

    def __init__(
        self, files: Files, modules: Sequence[str], running: Mapping[str, Unit], compile_file: Compile
    ) -> None:
        """Finds and compiles all files.

        Args:
            files: where they are.
            modules: the scene's modules, by dotted name.
            running: units that need no compilation where the content is the same, by dotted name.
            compile_file: compiles the others.

        Raises:
            LoadError: a module has no file, or a file cannot be read.
            CompileError: a file is not valid Python.
        """
        self.units: dict[str, Unit] = {}
        self._files = files
        self._running = running
        self._compile = compile_file
        self._edges: dict[str, set[str]] = {}
        for module in modules:
            if files.find(module) is None:
                raise self._missing(module)
            self._add(module)
        self._closures = {name: self._reach(name) for name in self.units}

    def closure(self, name: str) -> set[str]:
        """Returns the names of all files that `name` can reach by imports, itself among them."""
        return self._closures[name]

    def key(self, name: str) -> str:
        """Names the content of a file and all it can reach: the file's own digest if it reaches no other."""
        reached = self._closures[name]
        if len(reached) == 1:
            return self.units[name].source.digest
        lines = (
            f"{other} {self.units[other].source.path} {self.units[other].source.digest}\n" for other in sorted(reached)
        )
        return digest_of("".join(lines).encode("utf-8", "surrogateescape"))

    def _missing(self, module: str) -> LoadError:
        path = self._files.root.joinpath(*module.split(".")).with_suffix(".py")
        there = ", ".join(self._files.names()) or "none"
        return LoadError(
            f"the scene's module {module!r} has no file",
            path=path,
            advice=f"Python files there: {there}. Name one of them in scene.toml's modules, or make the file.",
        )

    def _add(self, name: str) -> None:
        """Adds a file that is known to exist, the packages around it, and all it imports."""
        waiting = [name]
        while waiting:
            name = waiting.pop()
            if name in self._edges:
                continue
            edges = self._edges[name] = set()
            package = name.rpartition(".")[0]
            if package:
                edges.add(package)
            for statement in self._unit(name).imports:
                edges.update(self._targets(self.units[name].source, statement))
            waiting.extend(sorted(edges - self._edges.keys(), reverse=True))

    def _unit(self, name: str) -> Unit:
        if name not in self.units:
            source = self._files.find(name)
            assert source is not None
            running = self._running.get(name)
            same = running is not None and running.source.path == source.path and running.source.data == source.data
            self.units[name] = running if running is not None and same else self._compile(source)
        return self.units[name]

    def _targets(self, importer: Source, statement: Import) -> Iterator[str]:
        """Yields the files that an import statement can execute."""
        base = absolute(importer, statement.level, statement.module)
        if base is None:
            return
        parts = base.split(".") if base else []
        for length in range(1, len(parts) + 1):
            prefix = ".".join(parts[:length])
            if self._files.find(prefix) is None:
                return
            yield prefix
        inside = self._files.find(base) if base else None
        if base and (inside is None or not inside.is_package):
            return
        names = self._unit(base).exports if base and "*" in statement.names else statement.names
        for name in names:
            candidate = f"{base}.{name}" if base else name
            if name != "*" and self._files.find(candidate) is not None:
                yield candidate

    def _reach(self, start: str) -> set[str]:
        """Returns what a file reaches; a package reaches its files in the program, because they are its attributes."""
        inside: dict[str, list[str]] = {}
        for name in self.units:
            inside.setdefault(name.rpartition(".")[0], []).append(name)
        reached: set[str] = set()
        waiting = [start]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting.extend(self._edges[name])
                waiting.extend(inside.get(name, ()))
        return reached


@functools.lru_cache(maxsize=4096)
def _places(root: Path, name: str) -> tuple[Path, Path]:
    """Returns the files that a dotted name can mean: the same objects each time, for paths are dear to make and compare."""
    folder = root.joinpath(*name.split("."))
    return folder / "__init__.py", folder.with_name(folder.name + ".py")


def absolute(importer: Source, level: int, module: str) -> str | None:
    """Returns the dotted name that an import means: empty for the scene's folder itself, None if outside of it."""
    if level == 0:
        return module
    parts = importer.package.split(".") if importer.package else []
    if level - 1 > len(parts):
        return None
    parts = parts[: len(parts) - (level - 1)]
    return ".".join([*parts, module] if module else parts)
