"""How contents are drawn from a seed, and what the files hold by now."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from random import Random

import saves
from belief import Moment
from contents import FIRST_TAG, FLORA, HELPERS, MODULES, NAMES, SETTINGS, Column, Content
from steps import Action, Save, Step


class Drawing:
    """What steps are made of.

    Attributes:
        disk: what the files hold by now.
    """

    def __init__(self, seed: int, largest: int) -> None:
        self._random = Random(seed)
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
        self._first_names: dict[str, str] = {}
        self._had: set[tuple[str, str]] = set()
        self._next_steps: list[Callable[[], Step]] = []

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
