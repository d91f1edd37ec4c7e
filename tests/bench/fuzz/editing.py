"""Steps that edit files, and those that only look like it."""

from __future__ import annotations

from dataclasses import replace

from belief import Moment
from contents import FAUNA, FLORA, NAMES, runs
from drawing import Drawing
from steps import Act, Action, Checkout, Save, Step


class Editing(Drawing):
    """Saves of all kinds that are right."""

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
        """Some files or all of them change together, as git writes them."""
        files = sorted(self._random.sample(list(self.disk), self._random.choice((1, 2, 4, 6, len(self.disk)))))
        contents = tuple(self._next(self.disk[file]) for file in files)
        self._note(contents)
        return self._make("branch", [Checkout(contents, self._pause())])

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
        below = [one for file, one in self.disk.items() if file.startswith("life/")]
        self._moments = [Moment((one,), late=True, again=True) for one in below]
        return self._make("folder away", [Act("move away", "life", 0, 0), Act("move back", "life", pause, 0)])
