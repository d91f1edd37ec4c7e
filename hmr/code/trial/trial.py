"""Trials: an edit is executed in another process first, so that what hangs or ends it does so there."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from instar.hmr.code.compile.compiler import Unit
from instar.hmr.code.errors import LoadError, excerpt
from instar.hmr.code.load.loading import Instance, Stage
from instar.hmr.code.trial.acts import acts_of
from instar.hmr.code.trial.spare import Spare
from instar.hmr.code.trial.wire import Body, Entry, Reply, Request
from instar.hmr.code.trial.worker import Death, Step, Worker, as_traced

LIMIT_SECONDS = 2.0
"""What the top level of an edit may take, but for imports of what is no file of the scene."""
IMPORT_SECONDS = 60.0
"""What it may take with those."""
_REMEMBERED = 4096
_MOST_GROWTH = 512 << 20
_MOST_REQUESTS = 2000
_MOST_DEATHS = 3
"""Processes that die one after the other for no reason that lies in the edit, until no more are started."""

Values = Mapping[str, Mapping[str, object]]
_Mark = tuple[str, str, str]
_Deed = tuple[str, str, str, tuple[str, ...]]
_K = TypeVar("_K")
_T = TypeVar("_T")

_ADVICE = {
    "hang": "A loop at the top level of a file must end; move long work into setup.",
    "exit": "Remove the call, or move it into a hook: there, sys.exit() ends the run.",
    "crash": "It happened in native code, most likely for the arguments of this call: correct it, or undo the last change.",
}


class _File(NamedTuple):
    """One file of a program, without what it is in this process."""

    name: str
    key: str
    closure: tuple[str, ...]
    unit: Unit
    is_new: bool
    is_wanted: bool

    mark: _Mark


class Trial:
    """Executes the new files of programs in a process of its own, which may hang, end or crash.

    The process keeps what the program in hand is made of, so that an edit costs it what it costs here. Another takes its
    place whenever it has died, grown, or holds what the frame process may want: a port, a file, a thread. After the first
    edit a spare one is kept ready for that, so that an edit that hangs or crashes does not delay the next. What it raises
    counts for nothing; the real load finds that out. Values of `keep` are not made there (see `trying`), its output goes
    nowhere, and it ends with this process.

    Attributes:
        notice: what people should know about trials, None if nothing.
    """

    def __init__(self, limit: float = LIMIT_SECONDS, import_limit: float = IMPORT_SECONDS) -> None:
        """Args: limit, import_limit: seconds for the files of an edit, and where they import what is new."""
        self.notice: str | None = None
        self._limits = limit, import_limit
        self._worker: Worker | None = None
        self._turn = threading.Lock()
        self._warming: list[threading.Thread] = []
        self._closed = False
        self._passed: OrderedDict[_Mark, None] = OrderedDict()
        self._refused: OrderedDict[_Mark, LoadError | None] = OrderedDict()
        self._unfit: OrderedDict[_Mark, None] = OrderedDict()
        self._done: OrderedDict[_Deed, None] = OrderedDict()
        self._files: tuple[_File, ...] = ()
        self._values: Values = {}
        self._spare = Spare(lambda: Worker(*self._limits), self._warm_spare)

    @property
    def pid(self) -> int | None:
        """The process, None while there is none."""
        worker = self._worker
        return None if worker is None else worker.pid

    def start(self, instances: Mapping[str, Instance], values: Values) -> None:
        """Starts the process and returns at once; there it executes, beside this one, what runs here.

        Args:
            instances: the files that run, by dotted name.
            values: the values of their Params that are not the defaults, by declaring file and name.
        """
        self._files, self._values = _files_of(instances), values
        _remember(self._passed, [file.mark for file in self._files])
        for instance in instances.values():
            deed = _deed(instance)
            _remember(self._done, [] if deed is None else [deed])
            instance.take_code()  # it has run
        with self._turn:
            self._restart()

    def run(self, instances: Mapping[str, Instance], values: Callable[[], Values]) -> int:
        """Executes the files of a program that have not been executed here yet, in the trial process.

        Args:
            instances: all files of the program by dotted name, in the order of their execution.
            values: returns what `start` takes; called if they are executed.

        Returns:
            What it took, in ns; 0 if all of them are known to pass: their contents have, or contents that do the same.

        Raises:
            LoadError: one of them hangs, ends the process or crashes it.
        """
        began = time.perf_counter_ns()
        fresh = [instance for instance in instances.values() if instance.stage is Stage.NEW]
        new = [_mark(instance) for instance in fresh]
        for mark in new:
            refused = self._refused.get(mark)
            if refused is not None:
                raise _copy(refused)
        unknown = [instance for instance, mark in zip(fresh, new, strict=True) if mark not in self._passed]
        if not unknown or self.notice is not None:
            return 0
        self._spare.want()
        deeds = [_deed(instance) for instance in unknown]
        if all(deed in self._done for deed in deeds):
            _remember(self._passed, new)
            return 0
        with self._turn:
            self._try(_files_of(instances), values())
        _remember(self._passed, new)
        _remember(self._done, [deed for deed in deeds if deed is not None])
        return time.perf_counter_ns() - began

    def close(self) -> None:
        """Ends the process."""
        self._closed = True
        worker = self._worker
        if worker is not None:
            worker.kill()
        self._spare.close()
        for thread in self._warming:
            thread.join()
        with self._turn:
            self._end()

    def _try(self, files: tuple[_File, ...], values: Values) -> None:
        """Has the process execute files; a file that runs here and cannot there is left out."""
        for _ in range(_MOST_DEATHS):
            try:
                worker = self._started()
                reply = worker.ask(self._request(worker, files, values))
            except OSError as error:
                self._give_up(f"no process can be started ({error})")
                return
            except Death as death:
                self._end()
                if self._closed:
                    raise LoadError("it was not tried, because the run ends") from None
                blamed = None if death.index is None else files[death.index]
                if blamed is not None and blamed.is_new:
                    self._restart()
                    self._spare.want()
                    refusal = _refusal(death, blamed, files)
                    _remember(self._refused, [blamed.mark], refusal)
                    raise _copy(refusal) from None
                if blamed is not None:
                    _remember(self._unfit, [blamed.mark])
            else:
                self._take(worker, reply, files, values)
                return
        self._give_up("its process dies again and again")

    def _request(self, worker: Worker, files: Sequence[_File], values: Values) -> Request:
        return Request(
            tuple(
                Entry(file.name, file.key, file.closure, file.is_new, file.is_wanted, self._body(worker, file))
                for file in files
            ),
            {module: _plain(found) for module, found in values.items()},
        )

    def _body(self, worker: Worker, file: _File) -> Body | None:
        if file.mark in worker.there or (file.mark in self._unfit and not file.is_new):
            return None
        return Body(str(file.unit.source.path), file.unit.text, file.unit.code, file.unit.params)

    def _take(self, worker: Worker, reply: Reply, files: tuple[_File, ...], values: Values) -> None:
        self._files = tuple(file._replace(is_new=False) for file in files)
        self._values = values
        if not self._fits(worker, reply, files):
            self._end()
            self._restart()

    def _fits(self, worker: Worker, reply: Reply, files: Sequence[_File]) -> bool:
        """Notes what a process holds, and returns whether it can go on."""
        worker.there = frozenset(file.mark for file in files if file.name in frozenset(reply.executed))
        holders = frozenset(name for name, _ in reply.holders)
        _remember(self._unfit, [file.mark for file in files if file.name in holders])
        return not holders and reply.grown <= _MOST_GROWTH and worker.requests < _MOST_REQUESTS

    def _restart(self) -> None:
        """Starts a process, and has it execute what runs here as soon as nobody else wants it."""
        try:
            self._started()
        except OSError as error:
            self._give_up(f"no process can be started ({error})")
            return
        self._warming = [thread for thread in self._warming if thread.is_alive()]
        thread = threading.Thread(target=self._warm, name="instar-trial", daemon=True)
        self._warming.append(thread)
        thread.start()

    def _warm(self) -> None:
        with contextlib.suppress(LoadError), self._turn:
            worker = self._worker
            if worker is not None and any(self._body(worker, file) is not None for file in self._files):
                self._try(self._files, self._values)

    def _warm_spare(self, spare: Worker) -> None:
        """Has a process that nobody uses yet execute what runs here."""
        files = self._files
        try:
            reply = spare.ask(self._request(spare, files, self._values))
        except Death as death:
            _remember(self._unfit, [] if death.index is None else [files[death.index].mark])
            raise
        if not self._fits(spare, reply, files):
            raise Death("it holds what others may want", "exit")

    def _started(self) -> Worker:
        if self._worker is not None and not self._worker.is_alive:
            self._end()
        if self._worker is None:
            if self._closed:
                raise Death("it was closed", "exit")
            spare = self._spare.take()
            if spare is not None:
                self._spare.want()
                if not spare.is_alive:
                    spare.end()
                    spare = None
            self._worker = spare or Worker(*self._limits)
        return self._worker

    def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.end()

    def _give_up(self, why: str) -> None:
        self._end()
        self.notice = f"Edits are loaded without a trial: {why}. One that hangs or exits at import can end the run."


def _files_of(instances: Mapping[str, Instance]) -> tuple[_File, ...]:
    return tuple(
        _File(
            found.name,
            found.key,
            tuple(found.closure),
            found.unit,
            is_new=found.stage is Stage.NEW,
            is_wanted=found.stage in (Stage.NEW, Stage.DONE),
            mark=_mark(found),
        )
        for found in instances.values()
    )


def _mark(instance: Instance) -> _Mark:
    """Names the content of a file, that of all it can reach, and its place."""
    return instance.name, instance.key, str(instance.unit.source.path)


def _deed(instance: Instance) -> _Deed | None:
    """Names what executing a file does, and does again in every version of it for which this is the same; None if unclear."""
    acts = acts_of(instance.code, [name for _, name in instance.unit.params])
    closure = instance.closure
    if acts is None or not acts.modules.isdisjoint(name.partition(".")[0] for name in closure):
        return None
    if len(closure) > 1 and not acts.is_straight:
        return None  # it may do something else where an import of the scene's fails
    if any("__getattr__" in vars(other.module) for other in closure.values()):
        return None  # it is called for names that are imported
    return instance.name, str(instance.unit.source.path), acts.name, tuple(sorted(closure))


def _refusal(death: Death, blamed: _File, files: Sequence[_File]) -> LoadError:
    """Returns the error for a file that the process died of, with the lines that it was in."""
    units = {as_traced(str(file.unit.source.path)): file.unit for file in files}
    steps = [(units[step.file], step) for step in death.steps if step.file in units]
    unit, line = (steps[0][0], steps[0][1].line) if steps else (blamed.unit, None)
    shown = [] if line is None else [excerpt(line, unit.line(line))]
    if len(steps) > 1:
        shown.append("Called from:")
        shown += [_shown(unit, step) for unit, step in reversed(steps[1:])]
    return LoadError(
        death.problem, path=unit.source.path, line=line, excerpt="\n".join(shown), advice=_ADVICE[death.kind]
    )


def _shown(unit: Unit, step: Step) -> str:
    return f"  {unit.source.path.name}:{step.line} in {step.function}: {unit.line(step.line).strip()}"


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    """Returns the values that a Param can have; the load says what is wrong with others."""
    return {name: value for name, value in values.items() if isinstance(value, bool | int | float | str)}


def _copy(error: LoadError) -> LoadError:
    return LoadError(error.problem, path=error.path, line=error.line, excerpt=error.excerpt, advice=error.advice)


def _remember(known: OrderedDict[_K, _T | None], marks: Iterable[_K], value: _T | None = None) -> None:
    """Notes marks as the newest of those that are known."""
    for mark in marks:
        known[mark] = value
        known.move_to_end(mark)
    while len(known) > _REMEMBERED:
        known.popitem(last=False)
