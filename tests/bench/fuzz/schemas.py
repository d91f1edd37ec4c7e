"""Steps that change what the tables hold, and what the scene is made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from contents import FAUNA, FLORA, NAMES, NARROWER, SETTINGS, Column
from drawing import Drawing
from steps import Step

WIDER = {"i16": ("i32", "i64", "f64"), "i32": ("i64", "f64"), "f32": ("f64",)}


class Schemas(Drawing):
    """Edits of schemas and of the scene's settings."""

    def _schema(self) -> Step:
        """Fields of the flora come, go, come back, widen and change their order."""
        flora = self.disk[FLORA]
        columns = list(self._columns)
        what = self._random.choice(("add", "add", "remove", "return", "reorder", "widen", "rename"))
        if what == "remove" and columns:
            gone = columns.pop(self._random.randrange(len(columns)))
            self._parked.append(gone)
        elif what == "return" and self._parked:
            columns.append(self._parked.pop(self._random.randrange(len(self._parked))))
        elif what == "reorder" and len(columns) > 1:
            self._random.shuffle(columns)
        elif what == "widen" and any(column.dtype in WIDER for column in columns):
            place = self._random.choice([i for i, column in enumerate(columns) if column.dtype in WIDER])
            columns[place] = replace(columns[place], dtype=self._random.choice(WIDER[columns[place].dtype]))
        elif what == "rename" and columns:
            place = self._random.randrange(len(columns))
            old = columns[place]
            columns[place] = new = replace(old, name=f"{old.name[0]}{self._new_tag()}", was=old.name)
            self._first_names[new.name] = self._first_name(old.name)
        elif len(columns) < 8:
            dtype = self._random.choice(("i16", "i32", "f32", "f64"))
            columns.append(Column(f"{dtype[0]}{self._new_tag()}", dtype, self._random.randint(0, 9)))
        else:
            self._parked.append(columns.pop(0))
        names = [column.name for column in columns]
        writes = tuple(sorted(self._random.sample(names, self._random.randint(0, len(names)))))
        self._columns = tuple(columns)
        self._note_types(columns)
        content = self._next(flora, columns=self._columns, writes=writes)
        return self._make("schema", [self._save(content)])

    def _added(self, dtype: str) -> Step:
        """A field is added."""
        self._columns = (*self._columns, Column(f"{dtype[0]}{self._new_tag()}", dtype, self._random.randint(0, 9)))
        self._note_types(self._columns)
        return self._make("schema", [self._save(self._next(self.disk[FLORA], columns=self._columns))])

    def _migration(self, kind: str = "migration", **changes: Any) -> Step:
        """A column is narrowed, and `migrate` says what becomes of it."""
        columns = list(self._columns)
        places = [
            (place, dtype)
            for place, column in enumerate(columns)
            for dtype in NARROWER.get(column.dtype, ())
            if (self._first_name(column.name), dtype) not in self._had
        ]
        if not places:
            self._next_steps.append(lambda: self._migration(kind, **changes))
            return self._added(self._random.choice(("i64", "f64")))
        place, dtype = self._random.choice(places)
        columns[place] = replace(columns[place], dtype=dtype, was=None)
        if not changes:
            self._columns = tuple(columns)
            self._note_types(columns)
            changes = {"migrates": True}
        content = self._next(self.disk[FLORA], columns=tuple(columns), writes=(), **changes)
        return self._make(kind, [self._save(content)])

    def _lossy_schema(self) -> Step:
        """The same without: it is refused, and the lines to write are named."""
        return self._migration("lossy schema", migrates=False, error="lossy schema")

    def _capacity(self) -> Step:
        content = self.disk[FLORA]
        return self._make("capacity", [self._save(self._next(content, capacity=min(2 * content.capacity, 1 << 22)))])

    def _settings(self) -> Step:
        """The scene's Params have other values, its modules another order."""
        modules = self._random.sample(list(NAMES), len(NAMES))
        return self._make("settings", [self._save(self._next(self.disk[SETTINGS], modules=tuple(modules)))])

    def _module_away(self) -> Step:
        """A module is taken out of the scene and put back; its file may be saved meanwhile."""
        file = self._random.choice((FLORA, FAUNA))
        left = tuple(name for name in NAMES if NAMES[name] != file)

        def away() -> Step:
            return self._make("module away", [self._save(self._next(self.disk[SETTINGS], modules=left))])

        def edit() -> Step:
            return self._make("edit of what is away", [self._save(self._next(self.disk[file]))])

        def back() -> Step:
            return self._make("module back", [self._save(self._next(self.disk[SETTINGS]))])

        self._next_steps += [away, *([edit] if self._random.random() < 0.5 else []), back]
        return self._make("all files", self._save_all((self._next(content) for content in self.disk.values()), 0))

    def _first_name(self, name: str) -> str:
        return self._first_names.get(name, name)

    def _note_types(self, columns: Iterable[Column]) -> None:
        """The types that columns have had: they come back with their values, and are no loss."""
        self._had |= {(self._first_name(column.name), column.dtype) for column in columns}

    def _refused_schema(self) -> Step:
        flora = self.disk[FLORA]
        narrow = [i for i, column in enumerate(self._columns) if column.name.startswith("f")]
        if not narrow:
            return self._schema()
        columns = list(self._columns)
        place = self._random.choice(narrow)
        columns[place] = replace(columns[place], dtype="i16")
        refused = self._next(flora, columns=tuple(columns), error="refused schema")
        return self._make("refused schema", [self._save(refused)])
