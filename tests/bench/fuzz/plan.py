"""What the storm does: steps drawn from a seed, the same ones for the same seed whatever comes of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Any

import saves
from belief import Moment
from contents import (
    BASE,
    DEEP,
    FAUNA,
    FIRST_TAG,
    FLORA,
    HELPERS,
    MODULES,
    NAMES,
    NARROWER,
    SETTINGS,
    SHARED,
    YANG,
    YIN,
    Column,
    Content,
    runs,
)
from steps import Act, Action, Checkout, Save, Step

WEIGHTS = {
    "edit": 460, "undo": 80, "burst": 50, "several files": 70, "signature": 35, "signature in two": 15,
    "renamed file": 12, "new file": 12, "branch": 20, "wrong": 80, "wrong among others": 20, "exit at import": 10,
    "os exit at import": 5, "hang at import": 1, "fault": 30, "bad value": 10, "hang in a hook": 2, "schema": 70, "refused schema": 8,
    "migration": 12, "lossy schema": 8, "capacity": 6, "settings": 25, "module away": 6, "fault in schema": 8,
    "late fault": 2, "save during a fault": 10,
    "touch": 15, "same content": 20, "litter": 25, "permissions": 6, "delete": 12, "delete and return": 15,
    "folder away": 4,
}  # fmt: skip
"""How often each kind of step is drawn, where nothing else is asked for."""


class Plan:
    """The steps of one storm.

    Attributes:
        disk: what the files hold by now.
    """

    def __init__(self, seed: int, weights: Mapping[str, float] = WEIGHTS, largest: int = 5000) -> None:
        self._random = Random(seed)
        self._weights = {kind: weight for kind, weight in weights.items() if weight > 0}
        self._largest = largest
        self._tag = FIRST_TAG
        self._spare_tag = 9 * FIRST_TAG
        self._number = 0
        self._past: dict[str, list[Content]] = {}
        self._parked: list[Column] = []
        files = (*MODULES, "rates.py", *HELPERS, SETTINGS)
        self.disk = {file: Content(file, self._new_tag(), contract=FIRST_TAG) for file in files}
        self._before = self.disk
        self._moments: list[Moment] = []
        self._columns: tuple[Column, ...] = ()
        self._had: set[tuple[str, str]] = set()
        self._next_steps: list[Callable[[], Step]] = []

    def steps(self) -> Iterator[Step]:
        """Yields the steps, without end."""
        while True:
            if self._next_steps:
                yield self._next_steps.pop(0)()
                continue
            kind = self._random.choices(list(self._weights), list(self._weights.values()))[0]
            yield self._step(kind)

    def restoring(self) -> list[Content]:
        """Contents of all files that run, so that the storm can go on after a defect; the steps stay those of the seed."""
        mended = []
        for content in list(self.disk.values()):
            self._spare_tag += 1
            columns = self._columns if content.file == FLORA else ()
            changes = {
                "tag": self._spare_tag,
                "error": None,
                "fault": None,
                "columns": columns,
                "modules": tuple(NAMES),
            }
            mended.append(replace(content, **changes, writes=content.writes if content.columns == columns else ()))  # type: ignore[arg-type]
        self.disk = self._before = {content.file: content for content in mended}
        return mended

    def _step(self, kind: str) -> Step:
        drawn: Callable[[], Step] = getattr(self, "_" + kind.replace(" ", "_"))
        return drawn()

    # what is drawn

    def _new_tag(self) -> int:
        self._tag += 1
        return self._tag

    def _lines(self) -> int:
        largest = self._largest if self._random.random() < 0.1 else min(400, self._largest)
        return round(math.exp(self._random.uniform(math.log(10), math.log(largest))))

    def _pause(self) -> float:
        return self._random.choice((0, 0, self._random.uniform(0, 0.02)))

    def _file(self) -> str:
        return self._random.choice([file for file in self.disk if self.disk[file].error is None] or list(self.disk))

    def _next(self, content: Content, **changes: object) -> Content:
        """A new content of the same file; some have the size of the one before."""
        lines = content.lines if self._random.random() < 0.5 else self._lines()
        kept = replace(content, tag=self._new_tag(), lines=lines, error=None, fault=None, modules=tuple(NAMES))
        if kept.file == FLORA and "columns" not in changes and content.columns != self._columns:
            kept = replace(kept, columns=self._columns, writes=())
        return replace(kept, **changes)  # type: ignore[arg-type]

    # how it is done

    def _save(self, content: Content, pause: float | None = None) -> Save:
        seed = self._random.getrandbits(32)
        way = saves.choose(self._random)
        before = self.disk.get(content.file)
        if way in {"sed -i", "hard link"} and len(self._moments) > 3:
            way = "rename"
        if way == "sed -i" and (before is None or before.lines != content.lines):
            way = "in pieces"
        self._note([content], late=way == "hard link")
        return Save(content, way, self._pause() if pause is None else pause, seed)

    def _save_all(self, contents: Iterable[Content], pause: float | None = None) -> list[Action]:
        return [self._save(content, pause) for content in contents]

    def _note(self, contents: Iterable[Content], *, late: bool = False) -> None:
        """The next moment: some contents are saved."""
        found = tuple(contents)
        self.disk = {**self.disk, **{content.file: content for content in found}}
        for content in found:
            past = self._past.setdefault(content.file, [])
            if content not in past:
                past.append(content)
                del past[:-12]
        self._moments.append(Moment(found, late=late))

    def _forget(self, file: str) -> None:
        """The next moment: a file is gone."""
        self.disk = {name: content for name, content in self.disk.items() if name != file}
        self._moments.append(Moment(gone=(file,)))

    def _make(self, kind: str, actions: Iterable[Action], expects: str | None = None) -> Step:
        made = tuple(actions)
        self._number += 1
        step = Step(self._number, kind, made, tuple(self._moments), self._before, self.disk, expects)
        self._before, self._moments = self.disk, []
        return step

    # the kinds

    def _edit(self) -> Step:
        wrong = [file for file, content in self.disk.items() if content.error]
        file = self._random.choice(wrong) if wrong and self._random.random() < 0.5 else self._file()
        return self._make("edit", [self._save(self._next(self.disk[file]))])

    def _undo(self) -> Step:
        file = self._file()
        fitting = [
            one for one in self._past.get(file, ())
            if one is not self.disk[file] and not one.error and not one.fault and runs({**self.disk, file: one})
            and (one.columns == self._columns or file != FLORA) and len(one.modules) == len(NAMES)
        ]  # fmt: skip
        if not fitting:
            return self._edit()
        back = self._random.choice(fitting[-4:])
        actions = [self._save(back)]
        return self._make("undo", actions)

    def _burst(self) -> Step:
        files = self._random.sample(list(self.disk), self._random.randint(1, 2))
        actions = []
        for _ in range(self._random.randint(3, 8)):
            content = self._next(self.disk[self._random.choice(files)])
            if self._random.random() < 0.1:
                content = replace(content, error="syntax")
            actions.append(self._save(content, self._random.choice((0, 0.001, 0.005))))
        actions += self._save_all(self._next(self.disk[file]) for file in files if self.disk[file].error)
        return self._make("burst", actions)

    def _several_files(self) -> Step:
        files = self._random.sample(list(self.disk), self._random.randint(2, 5))
        return self._make("several files", self._save_all((self._next(self.disk[file]) for file in files), 0))

    def _signature(self, *, pause: float | None = 0, kind: str = "signature") -> Step:
        """The rates' signature changes, and with it the files that call it, in any order."""
        contract = self._new_tag()
        files = [f"{self.disk[FLORA].rates}.py", FLORA, FAUNA]
        self._random.shuffle(files)
        contents = (self._next(self.disk[file], contract=contract) for file in files)
        return self._make(kind, self._save_all(contents, pause))

    def _signature_in_two(self) -> Step:
        """So slowly that the first half is seen alone, and refused until the rest is there."""
        return self._signature(pause=0.06, kind="signature in two")

    def _renamed_file(self) -> Step:
        old = f"{self.disk[FLORA].rates}.py"
        new = f"rates_{self._new_tag()}"
        content = self._next(self.disk[old], file=f"{new}.py", rates=new)
        callers = [self._next(self.disk[file], rates=new) for file in (FLORA, FAUNA)]
        if self._random.random() < 0.5:
            actions = [self._save(content), *self._save_all(callers, 0)]
        else:
            actions = [*self._save_all(callers, 0), self._save(content)]
        actions.append(Act("delete", old, 0, 0))
        self._forget(old)
        return self._make("renamed file", actions)

    def _new_file(self) -> Step:
        """A file that is new to the scene is written slowly while a caller of it is saved already."""
        new = f"rates_{self._new_tag()}"
        old = f"{self.disk[FLORA].rates}.py"
        lines = self._random.randint(20, 300)
        callers = [self._next(self.disk[file], rates=new, lines=40) for file in (FLORA, FAUNA)]
        actions: list[Action] = [*self._save_all(callers, 0)]
        content = self._next(self.disk[old], file=f"{new}.py", rates=new, lines=lines)
        self._note([content])
        actions.append(Save(content, "in pieces", 0, self._random.getrandbits(32)))
        self._forget(old)
        actions.append(Act("delete", old, 0, 0))
        return self._make("new file", actions)

    def _branch(self) -> Step:
        files = sorted(self._random.sample(list(self.disk), self._random.randint(1, 6)))
        contents = tuple(self._next(self.disk[file]) for file in files)
        for content in contents:
            self._note([content])
        return self._make("branch", [Checkout(contents, self._pause())])

    def _wrong(self, errors: tuple[str, ...] = ("syntax", "syntax", "raise", "unknown hook argument")) -> Step:
        error = self._random.choice(errors)
        file = self._random.choice(MODULES) if error == "unknown hook argument" else self._file()
        if file == SETTINGS:
            error = self._random.choice(("syntax", "unknown key", "out of bounds"))
        content = self._next(self.disk[file], error=error)
        kind = f"{error} at import" if error in {"exit", "os exit", "signal", "hang"} else "wrong"
        return self._make(kind, [self._save(content)])

    def _exit_at_import(self) -> Step:
        return self._wrong(("exit",))

    def _os_exit_at_import(self) -> Step:
        return self._wrong(("os exit", "signal"))

    def _hang_at_import(self) -> Step:
        return self._wrong(("hang",))

    def _wrong_among_others(self) -> Step:
        files = self._random.sample(list(self.disk), self._random.randint(2, 3))
        contents = [self._next(self.disk[file]) for file in files]
        error = "syntax" if contents[0].file == SETTINGS else self._random.choice(("syntax", "raise"))
        contents[0] = replace(contents[0], error=error)
        self._random.shuffle(contents)
        return self._make("wrong among others", self._save_all(contents, 0))

    def _fault(
        self, what: str = "raise", kind: str = "fault", calls: tuple[int, ...] = (0, 0, 1, 2, 3, 5, 10), **changes: Any
    ) -> Step:
        """All files are saved anew, so that it is clear what comes back; then one that fails, and then it is mended."""
        file = FLORA if changes else self._random.choice(MODULES)
        call = self._random.choice(calls)

        def fail() -> Step:
            return self._make(kind, [self._save(self._next(self.disk[file], fault=(what, call), **changes))], "fault")

        def mend() -> Step:
            return self._make("mend", [self._save(self._next(self.disk[file]))])

        self._next_steps += [fail, mend]
        return self._make("all files", self._save_all((self._next(content) for content in self.disk.values()), 0))

    def _late_fault(self) -> Step:
        """At the end of the probation: up to it the old version is back, after it the module rests."""
        return self._fault("raise", "late fault", (58, 59, 60, 61))

    def _fault_in_schema(self) -> Step:
        """The edit that fails has added a field."""
        if len(self._columns) >= 8:
            return self._fault()
        dtype = self._random.choice(("i16", "i32", "f32", "f64"))
        column = Column(f"{dtype[0]}{self._new_tag()}", dtype, self._random.randint(0, 9))
        columns = (*self._columns, column)
        writes = self.disk[FLORA].writes if self.disk[FLORA].columns == self._columns else ()
        step = self._fault(self._random.choice(("raise", "nan")), "fault in schema", columns=columns, writes=writes)
        self._next_steps.insert(1, lambda: self._grown(columns))
        return step

    def _grown(self, columns: tuple[Column, ...]) -> Step:
        """What was undone with its field is mended, and has it again."""
        self._columns = columns
        return self._next_steps.pop(0)()

    def _save_during_a_fault(self) -> Step:
        """Another file is saved while the one that fails runs or is undone, and that is mended at once."""
        file, other = self._random.choice(MODULES), self._random.choice((BASE, SHARED, DEEP, YIN, YANG))
        call = self._random.choice((0, 1, 2, 3))

        def saved() -> Step:
            pauses = [self._random.choice((0.0, 0.01, 0.02, 0.04)) for _ in range(2)]
            failing = self._save(self._next(self.disk[file], fault=("raise", call)), 0)
            between = self._save(self._next(self.disk[other]), pauses[0])
            mended = self._save(self._next(self.disk[file]), pauses[1])
            return self._make("save during a fault", [failing, between, mended], "passing fault")

        self._next_steps.append(saved)
        return self._make("all files", self._save_all((self._next(content) for content in self.disk.values()), 0))

    def _hang_in_a_hook(self) -> Step:
        return self._fault("hang", "hang in a hook")

    def _bad_value(self) -> Step:
        """A column that was finite is not: the world returns to the frame before the swap."""
        return self._fault("nan", "bad value")

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
            columns[place] = replace(old, name=f"{old.name[0]}{self._new_tag()}", was=old.name)
        elif len(columns) < 8:
            dtype = self._random.choice(("i16", "i32", "f32", "f64"))
            columns.append(Column(f"{dtype[0]}{self._new_tag()}", dtype, self._random.randint(0, 9)))
        else:
            self._parked.append(columns.pop(0))
        names = [column.name for column in columns]
        writes = tuple(sorted(self._random.sample(names, self._random.randint(0, len(names)))))
        self._columns = tuple(columns)
        self._had |= {(column.name, column.dtype) for column in columns}
        content = self._next(flora, columns=self._columns, writes=writes)
        return self._make("schema", [self._save(content)])

    def _migration(self, kind: str = "migration", **changes: Any) -> Step:
        """A column is narrowed, and `migrate` says what becomes of it."""
        columns = list(self._columns)
        places = [
            (place, dtype)
            for place, column in enumerate(columns)
            for dtype in NARROWER.get(column.dtype, ())
            if (column.name, dtype) not in self._had
        ]
        if not places:
            return self._schema()
        place, dtype = self._random.choice(places)
        columns[place] = replace(columns[place], dtype=dtype, was=None)
        if not changes:
            self._columns = tuple(columns)
            self._had |= {(column.name, column.dtype) for column in columns}
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

    def _touch(self) -> Step:
        return self._make("touch", [self._act("touch")])

    def _litter(self) -> Step:
        return self._make("litter", [self._act("litter")])

    def _permissions(self) -> Step:
        return self._make("permissions", [self._act("chmod")])

    def _act(self, what: str) -> Act:
        return Act(what, self._random.choice(list(self.disk)), self._pause(), self._random.getrandbits(32))

    def _same_content(self) -> Step:
        content = self.disk[self._file()]
        save = self._save(content)
        self._moments = [Moment((content,), again=True)]
        return self._make("same content", [save])

    def _delete(self) -> Step:
        """A file is gone for a while, others are edited meanwhile, and it returns with another content."""
        file = self._file()
        content = self._next(self.disk[file])
        actions: list[Action] = [Act("delete", file, self._pause(), 0)]
        self._forget(file)
        others = [other for other in self.disk if self.disk[other].error is None]
        actions += self._save_all(self._next(self.disk[other]) for other in self._random.sample(others, 1))
        actions.append(self._save(content, self._random.choice((0.0, 0.03))))
        return self._make("delete", actions)

    def _delete_and_return(self) -> Step:
        file = self._file()
        content = self.disk[file]
        actions = [Act("delete", file, self._pause(), 0), self._save(content, self._random.choice((0.0, 0.03)))]
        self._moments = [Moment((content,), again=True)]
        return self._make("delete and return", actions)

    def _folder_away(self) -> Step:
        pause = self._random.choice((0.0, 0.02))
        return self._make("folder away", [Act("move away", "life", 0, 0), Act("move back", "life", pause, 0)])


WIDER = {"i16": ("i32", "i64", "f64"), "i32": ("i64", "f64"), "f32": ("f64",)}
