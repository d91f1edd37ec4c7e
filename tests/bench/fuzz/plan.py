"""What the storm does: steps drawn from a seed, the same ones for the same seed whatever comes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from contents import BAD_VALUES, BASE, DEEP, FLORA, MODULES, NAMES, SETTINGS, SHARED, YANG, YIN, Column, Content
from editing import Editing
from schemas import Schemas
from steps import Step

WEIGHTS = {
    "edit": 460, "undo": 80, "burst": 50, "several files": 70, "signature": 35, "signature in two": 15,
    "renamed file": 12, "new file": 12, "branch": 20, "wrong": 80, "wrong among others": 20, "exit at import": 10,
    "os exit at import": 5, "hang at import": 1, "fault": 30, "bad value": 10, "hang in a hook": 2, "crash between": 5, "schema": 70, "refused schema": 8,
    "migration": 12, "lossy schema": 8, "capacity": 6, "settings": 25, "module away": 6, "fault in schema": 8,
    "late fault": 2, "save during a fault": 10,
    "touch": 15, "same content": 20, "litter": 25, "permissions": 6, "delete": 12, "delete and return": 15,
    "folder away": 4,
}  # fmt: skip
"""How often each kind of step is drawn, where nothing else is asked for."""


class Plan(Editing, Schemas):
    """The steps of one storm."""

    def __init__(self, seed: int, weights: Mapping[str, float] = WEIGHTS, largest: int = 5000) -> None:
        super().__init__(seed, largest)
        self._weights = {kind: weight for kind, weight in weights.items() if weight > 0}

    def steps(self) -> Iterator[Step]:
        """Yields the steps, without end: one of each kind in some order, then as their weights are."""
        first = self._random.sample(list(self._weights), len(self._weights))
        while True:
            if self._next_steps:
                yield self._next_steps.pop(0)()
                continue
            kind = first.pop() if first else self._random.choices(list(self._weights), list(self._weights.values()))[0]
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

    def _crash_between(self) -> Step:
        """A file that ends its process at import is saved between two good ones."""
        files = self._random.sample([file for file in self.disk if file != SETTINGS], 3)
        contents = [self._next(self.disk[file]) for file in files]
        contents[1] = replace(contents[1], error=self._random.choice(("exit", "os exit", "signal", "signal", "hang")))
        pause = self._random.choice((0.0, 0.02, 0.1))
        return self._make("crash between", self._save_all(contents, pause))

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
        self._note_types(columns)
        writes = self.disk[FLORA].writes if self.disk[FLORA].columns == self._columns else ()
        step = self._fault(
            self._random.choice(("raise", *BAD_VALUES)), "fault in schema", columns=columns, writes=writes
        )
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
        return self._fault(self._random.choice(BAD_VALUES), "bad value")
