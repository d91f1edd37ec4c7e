"""The state manager: tables whose every frame is committed, checksummed and can be undone."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

from instar.hmr.metrics import Metrics
from instar.hmr.state.aging import Timeline
from instar.hmr.state.catalog import Catalog, Layout
from instar.hmr.state.catalog.travel import forget_redo, move, require_held
from instar.hmr.state.checkpoint import Checkpoint
from instar.hmr.state.checkpoint.describing import describe, refuse_uncommitted
from instar.hmr.state.checkpoint.restoring import Restoration
from instar.hmr.state.commit import Commit
from instar.hmr.state.diff import Diff, diff
from instar.hmr.state.errors import FrameError, SchemaError
from instar.hmr.state.memory import MemoryAccount, MemoryLimit
from instar.hmr.state.memory.limit import LEAST_HISTORY
from instar.hmr.state.memory.measured import Measured
from instar.hmr.state.migration.filling import Spare
from instar.hmr.state.migration.hook import Migrator
from instar.hmr.state.migration.migration import Migration
from instar.hmr.state.persistence import PersistedValues, saved_values
from instar.hmr.state.probation import Mark, Marked, Marks
from instar.hmr.state.schema import DEFAULT_CAPACITY, is_same, make_schema
from instar.hmr.state.step import Step
from instar.hmr.state.table import Table
from instar.hmr.state.validation.guard import Guard
from instar.hmr.state.validation.report import Report
from instar.hmr.state.validation.validator import Validator
from instar.native import Snapshot

HISTORY_BYTES = 256 << 20
"""The history's budget where nothing else is said."""

# A manager and its tables are one concept in several files.
# ruff: noqa: SLF001


class StateManager(Measured):
    """Tables with a committed copy of the last frame and a history of the frames before it.

    Example:
        >>> from instar import f32
        >>> state = StateManager()
        >>> boids = state.table("boids", {"x": f32, "y": f32}, capacity=1_000)
        >>> boids.spawn(10, x=1.0)
        slice(0, 10, None)
        >>> state.commit().frame
        1

    Attributes:
        tables: The visible tables by name.
        persisted: The persisted values by key.
        metrics: How long its operations took, and on how many bytes.
    """

    def __init__(
        self, *, history_bytes: int = HISTORY_BYTES, memory_limit: int | None = None, threads: int = 1
    ) -> None:
        """Make a state without tables.

        Args:
            history_bytes: The most bytes of deltas that are kept.
            memory_limit: The most bytes that all may take; where they are needed for agents, the history gets fewer.
            threads: How many share a commit of a megabyte or more; they spin for a moment after each, in hope of the next.

        Raises:
            InstarError: If so few bytes or so many threads cannot be had, or no world could live within the limit.
        """
        history = self._history = Timeline(history_bytes, threads)
        catalog = self._catalog = Catalog()
        checkpoints, marks = self._checkpoints, self._marks = weakref.WeakSet[Checkpoint](), Marks()
        self.metrics = Metrics()
        self.tables: Mapping[str, Table] = catalog.seen
        self._spare: Spare = {}
        # What follows knows the parts it needs, not the manager: a world that is let go of is gone at once.
        self._account = MemoryAccount(lambda: catalog.all, history, lambda: (*checkpoints, *marks))
        self._limit = None if memory_limit is None else MemoryLimit(memory_limit, self._account, history)
        self.persisted = PersistedValues(catalog, history, self._limit)
        self._guard = Guard(
            catalog.guarded,
            history,
            lambda: checkpoints,
            lambda: history.commit(history.current, catalog.native),
            self.metrics,
        )

    def __getitem__(self, name: str) -> Table:
        return self._catalog[name]

    @property
    def frame(self) -> int:
        """The frame that is committed now; 0 before the first commit."""
        return self._history.current

    @property
    def frames(self) -> range:
        """The frames that `rollback` and `redo` can reach, the current one among them."""
        return range(self._history.oldest, self._history.newest + 1)

    @property
    def uncommitted(self) -> str | None:
        """What differs from the committed frame, for people: the first thing found; None if nothing does."""
        tables = (table._uncommitted() for table in self._catalog.all.values())
        return self.persisted.uncommitted() or next(filter(None, tables), None)

    @property
    def crc(self) -> int:
        """CRC-64/NVME over the committed cells and ids of the visible tables, in order of their names, and persisted values."""
        return self.persisted.fold_crc(self._catalog.crc)

    def table(self, name: str, fields: Mapping[str, Any], *, capacity: int = DEFAULT_CAPACITY) -> Table:
        """Create a table.

        Args:
            name: Its name.
            fields: Column types by field name, such as ``{"x": f32}``, or `Field`s with defaults.
            capacity: The most rows it can hold.

        Raises:
            SchemaError: If a name, type or capacity is not possible, or the table exists.
        """
        schema = make_schema(name, fields, capacity)
        if name in self.tables:
            raise SchemaError(f"table {name} exists; its rows are kept. Take it with state[{name!r}]")
        layout = {**self._catalog.layout, name: schema}
        if name in self._catalog.all:
            self.migrate(layout)
        else:
            migration = Migration(self._catalog.era, layout, self.frame)
            migration.prepare()
            forget_redo(self._catalog, self._history)
            migration.take_effect(self._catalog, self._history, self._history.settle)
            self._tables_changed()
        return self.tables[name]

    def limit_memory(self, limit: int | None) -> None:
        """Have another memory limit, or none, from now on; all agents are kept. Raises as the constructor does."""
        if self._limit is not None:
            self._limit.lift(self._catalog.all.values())
        limited = None if limit is None else MemoryLimit(limit, self._account, self._history)
        self._limit = self.persisted.limit = limited
        self._tables_changed()

    def commit(self) -> Commit:
        """Make live state the next committed frame; frames that were rolled back can no longer be redone."""
        started, frame = time.perf_counter(), self.frame + 1
        lines, changed = self._commit(frame)
        seconds = time.perf_counter() - started
        self.metrics.add("commit", seconds, changed)
        return Commit(frame, lines, changed, seconds)

    def flush(self) -> None:
        """Carry out the despawns asked for so far, and take the bytes of persisted values that changed."""
        self._catalog.flush()
        self.persisted.flush()

    def amend(self) -> None:
        """Make what has changed since the last commit part of that same frame."""
        if self._commit(self.frame)[0]:
            self._marks.amended()

    def rollback(self, frame: int) -> None:
        """Return to a committed frame, bit for bit: rows, ids, order and schemas.

        The current frame itself may be named, to drop what is not committed. An interrupt, such as Ctrl-C, leaves the state at
        one of the frames on the way; ``rollback(state.frame)`` makes it whole.

        Raises:
            FrameError: If the history does not hold the frame; nothing has changed.
        """
        if frame > self.frame:
            raise FrameError(f"frame {frame} lies ahead of frame {self.frame}; nothing has changed. Use redo({frame})")
        self._travel(frame)

    def redo(self, frame: int) -> None:
        """Go forward again to a frame that was rolled back. Uncommitted changes are dropped.

        Raises:
            FrameError: If the history does not hold the frame; nothing has changed.
        """
        if frame < self.frame:
            raise FrameError(f"frame {frame} is behind frame {self.frame}; nothing has changed. Use rollback({frame})")
        self._travel(frame)

    def diff(self, frame_a: int, frame_b: int) -> Diff:
        """What became of the agents from one held frame to another, backwards too; the world stays as it is.

        Raises:
            FrameError: If the history does not hold one of the frames.
        """
        for frame in (frame_a, frame_b):
            require_held(self._history, frame)
        eras = self._catalog.eras.at(frame_a), self._catalog.eras.at(frame_b)
        with self.metrics.measure("diff") as measured:
            found, measured.size = diff(self._history, eras, (frame_a, frame_b))
        return found

    def checkpoint(self, meta: Mapping[str, Any] | None = None) -> Checkpoint:
        """Keep the committed frame: all tables, parked ones too, compressed by a worker while the program goes on.

        Args:
            meta: Plain JSON values to remember with it.

        Raises:
            CheckpointError: If something is not committed, or ``meta`` is no JSON; nothing has changed.
        """
        return self._checkpoint("checkpoint", meta)

    def save(self, path: str | os.PathLike[str], meta: Mapping[str, Any] | None = None) -> Checkpoint:
        """Write a checkpoint to a file, which is complete and on the disk when this returns.

        Raises:
            CheckpointError: If something is not committed or the file cannot be written; it is as it was then.
        """
        checkpoint = self._checkpoint("save", meta)
        checkpoint.save(path)
        return checkpoint

    def restore(
        self, checkpoint: Checkpoint, schemas: Layout | None = None, migrations: Sequence[Migrator] = ()
    ) -> list[Step]:
        """Return to a checkpoint, bit for bit but for values of fields with a step; the history begins anew at its frame.

        Uncommitted changes are dropped. Tables and columns that are alike stay the same objects.

        Args:
            checkpoint: Where to return to.
            schemas: The schemas the tables take then, as by `migrate`; those of the checkpoint, if None.
            migrations: As for `migrate`.

        Returns:
            The steps of the migration, for people.

        Raises:
            CheckpointError: If it is damaged; nothing has changed.
            MigrationError: If values would be lost; nothing has changed.
        """
        with self.metrics.measure("restore", checkpoint.raw_bytes):
            restoration = Restoration.of_checkpoint(checkpoint)
            saved_values(checkpoint)
            steps: list[Step] = []
            if schemas is not None and not is_same(schemas, restoration.layout):
                aside = StateManager(history_bytes=LEAST_HISTORY)
                restoration.put_in_place(aside._catalog, aside._history, aside._history.resetting)
                steps = aside.migrate(schemas, migrations)
                restoration = Restoration.of_tables(checkpoint.frame, aside._catalog.era)
            self._history.settle()
            restoration.put_in_place(self._catalog, self._history, self._history.resetting)
            self._tables_changed()
            self.persisted.reload()
        return steps

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, history_bytes: int = HISTORY_BYTES, memory_limit: int | None = None
    ) -> StateManager:
        """A state manager with the tables of a file.

        Raises:
            CheckpointError: If the file cannot be read, is of a newer version, or damaged; names what and where.
        """
        state = cls(history_bytes=history_bytes, memory_limit=memory_limit)
        state.restore(Checkpoint.read(path))
        return state

    def validate(self, repair: bool = False) -> Report:
        """Check all that is committed: bytes, values, references, ids, the history's records and the checkpoints kept.

        Args:
            repair: Mend what can be mended, bit for bit, from whichever source reproduces its checksum. Live state that differs
                from what was committed counts as damage then: what has been written since the commit is dropped.

        Returns:
            What was found, mended or not.

        Raises:
            DamageError: If ``repair`` is asked for and committed bytes are lost for good; names them, and the last good
                checkpoint. All else has been mended.
        """
        validator = self.validator(repair=repair)
        if repair:
            self._catalog.sync_extents()
        validator.advance(settled=repair)
        if repair:
            validator.stop_if_lost()
            self._move(self.frame)
        return validator.report

    def validator(self, *, repair: bool) -> Validator:
        """A validation in slices, between commits; with ``repair`` what can be mended is mended at once."""
        return self._guard.validator(repair=repair)

    def check(self, schemas: Layout, migrations: Sequence[Migrator] = ()) -> None:
        """See whether the tables can take these schemas, as far as that can be known without the values; changes nothing.

        Memory for new columns is found, so that a `migrate` to these schemas takes less time. Any thread may do this.

        Raises:
            SchemaError: If a `Ref` names a table that is not among them.
            MigrationError: If values would be lost; names both schemas and what to write.
        """
        if not is_same(schemas, self._catalog.layout):
            self._spare = Migration(self._catalog.era, schemas, self.frame, migrations).spare()

    def migrate(self, schemas: Layout, migrations: Sequence[Migrator] = ()) -> list[Step]:
        """Make these the schemas of the tables, as part of the committed frame: call it right after a commit.

        New fields take their defaults; fields and tables that are gone are parked and come back with their values. Fields
        and tables that were renamed (``was=``) or widened keep theirs. Where something would be lost, a `migrate` is asked.

        Args:
            schemas: The schemas of the tables that are to be visible, by name.
            migrations: Who is asked about which tables.

        Returns:
            The steps taken, for people.

        Raises:
            SchemaError: If a `Ref` names a table that is not among them; nothing has changed.
            MigrationError: If values would be lost, or a `migrate` failed; nothing has changed, but that despawns asked for
                so far are carried out.
        """
        if is_same(schemas, self._catalog.layout):
            return []
        self.flush()
        migration = Migration(self._catalog.era, schemas, self.frame, migrations)
        spare, self._spare = self._spare, {}
        migration.prepare(spare)
        self.amend()
        if migration.writes:
            self._marks.keep()
        migration.take_effect(self._catalog, self._history, self._history.settle)
        self._tables_changed()
        if migration.writes:
            self._marks.amended()
        return migration.steps

    def mark(self) -> Mark:
        """Mark the committed frame with its schemas, to return to; for the time before `migrate`. Older marks keep less."""
        back = self._travel, self._tables_changed, self.persisted.reload
        return self._marks.new(Marked(self._catalog, self._history, *back, self._limit))

    def _checkpoint(self, verb: str, meta: Mapping[str, Any] | None) -> Checkpoint:
        with self.metrics.measure("checkpoint") as measured:
            self.persisted.flush()
            refuse_uncommitted(self.frame, self._catalog.all.values(), verb)
            header, columns = describe(self.frame, self._catalog.era, meta or {})
            checkpoint = Checkpoint.take(header, Snapshot(self._history, columns), self.metrics)
            measured.size = checkpoint.raw_bytes
        self._checkpoints.add(checkpoint)
        if self._limit is not None:
            self._limit.fit()
        return checkpoint

    def maintain(self, seconds: float) -> None:
        """Spend so much time, or a little more, on memory for the next commits, and on packing what is old."""
        started = time.perf_counter()
        packed = self._history.maintain(self._catalog.packable, seconds)
        if packed:
            self.metrics.add("compress", time.perf_counter() - started, packed)

    def _tables_changed(self) -> None:
        if self._limit is not None:
            self._limit.watch(self._catalog.all.values())

    def _commit(self, frame: int) -> tuple[int, int]:
        self.flush()
        forget_redo(self._catalog, self._history)
        done = self._history.commit(frame, self._catalog.changeable())
        self._catalog.settled()
        return done

    def _travel(self, frame: int) -> None:
        require_held(self._history, frame)
        self._guard.before_travel()
        require_held(self._history, frame)
        self._move(frame)

    def _move(self, frame: int) -> None:
        era = self._catalog.era
        try:
            move(self._catalog, self._history, frame)
        finally:
            if era is not self._catalog.era:
                self._tables_changed()
            self.persisted.reload()
