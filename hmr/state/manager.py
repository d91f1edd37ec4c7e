"""The state manager: tables whose every frame is committed, checksummed and can be undone."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Mapping
from typing import Any

from instar.hmr.metrics import Metrics
from instar.hmr.state.aging import Timeline
from instar.hmr.state.catalog import Catalog, Layout
from instar.hmr.state.checkpoint import Checkpoint
from instar.hmr.state.checkpoint.describing import describe, refuse_uncommitted
from instar.hmr.state.checkpoint.restoring import Restoration
from instar.hmr.state.commit import Commit
from instar.hmr.state.diff import Diff, diff
from instar.hmr.state.errors import FrameError, SchemaError
from instar.hmr.state.fields import Field, make_field
from instar.hmr.state.memory import MemoryAccount, MemoryLimit, MemoryUse
from instar.hmr.state.probation.image import Image
from instar.hmr.state.probation.mark import Mark, Marked
from instar.hmr.state.schema import DEFAULT_CAPACITY, Schema
from instar.hmr.state.step import Step
from instar.hmr.state.table import Table
from instar.hmr.state.validation.guard import Guard
from instar.hmr.state.validation.report import Report
from instar.hmr.state.validation.validator import Validator
from instar.native import Snapshot

HISTORY_BYTES = 256 << 20
"""The history's budget where nothing else is said."""


class StateManager:
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
            InstarError: If so few bytes or so many threads cannot be had.
            MemoryLimitError: If the limit is none that a world could live within.
        """
        history = self._history = Timeline(history_bytes, threads)
        catalog = self._catalog = Catalog()
        checkpoints = self._checkpoints = weakref.WeakSet[Checkpoint]()
        self.metrics = Metrics()
        self.tables: Mapping[str, Table] = catalog.seen
        # What follows knows the parts it needs, not the manager: a world that is let go of is gone at once.
        images = self._images = weakref.WeakSet[Image]()
        self._account = MemoryAccount(lambda: catalog.all, history, lambda: (*checkpoints, *images))
        self._limit = None if memory_limit is None else MemoryLimit(memory_limit, self._account, history)
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
        return next((what for table in self._catalog.all.values() if (what := table._uncommitted())), None)  # noqa: SLF001

    @property
    def history_bytes(self) -> int:
        """The bytes the history holds now."""
        return self._history.used_bytes

    def memory(self) -> MemoryUse:
        """What all this takes, in bytes by table and purpose. It walks the whole history: a matter of ms where that is long."""
        return self._account.measure(self._limit.limit if self._limit else None)

    def memory_summary(self) -> dict[str, Any]:
        """Total, limit and bytes by purpose as plain JSON values, at once."""
        purposes = self._account.purposes()
        limit = self._limit.limit if self._limit else None
        return {"total": sum(purposes.values()), "limit": limit, "purposes": purposes}

    @property
    def memory_notice(self) -> str | None:
        """What the memory limit made of the history, for people; None if it has its whole budget."""
        return self._limit.notice if self._limit else None

    @property
    def crc(self) -> int:
        """CRC-64/NVME over the committed cells and ids of the visible tables, in order of their names."""
        return self._catalog.crc

    def table(self, name: str, fields: Mapping[str, Any], *, capacity: int = DEFAULT_CAPACITY) -> Table:
        """Create a table.

        Args:
            name: Its name.
            fields: Column types by field name, such as ``{"x": f32}``, or `Field`s with defaults.
            capacity: The most rows it can hold.

        Raises:
            SchemaError: If a name, type or capacity is not possible, or the table exists.
        """
        if not name.isidentifier():
            raise SchemaError(f"{name!r} cannot name a table: use letters, digits and underscores")
        if name in self.tables:
            raise SchemaError(f"table {name} exists; its rows are kept. Take it with state[{name!r}]")
        ready = {key: kind if isinstance(kind, Field) else make_field(key, kind) for key, kind in fields.items()}
        layout = {**self._catalog.layout, name: Schema.build(name, ready, capacity)}
        self.check(layout)
        if self._catalog.existing(name, self.frame) is not None:
            self.migrate(layout)
            return self.tables[name]
        self._forget_redo()
        self._history.commit(self.frame, ())
        self._take(layout)
        made = self.tables[name]
        self._history.commit(self.frame, tuple(made._changeable()))  # noqa: SLF001 - its counts, which are its header
        made._settled()  # noqa: SLF001
        return made

    def limit_memory(self, limit: int | None) -> None:
        """Have another memory limit, or none, from now on; all agents are kept. Raises as the constructor does."""
        if self._limit is not None:
            self._limit.lift(self._catalog.all.values())
        self._limit = None if limit is None else MemoryLimit(limit, self._account, self._history)
        self._tables_changed()

    def commit(self) -> Commit:
        """Make live state the next committed frame; frames that were rolled back can no longer be redone."""
        started = time.perf_counter()
        frame = self.frame + 1
        lines, changed = self._commit(frame)
        seconds = time.perf_counter() - started
        self.metrics.add("commit", seconds, changed)
        return Commit(frame, lines, changed, seconds)

    def flush(self) -> None:
        """Carry out the despawns asked for so far."""
        self._catalog.flush()

    def amend(self) -> None:
        """Make what has changed since the last commit part of that same frame."""
        self._commit(self.frame)

    def rollback(self, frame: int) -> None:
        """Return to a committed frame, bit for bit: rows, ids, order and schemas.

        The current frame itself may be named, to drop what is not committed.

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
            raise FrameError(
                f"frame {frame} lies behind frame {self.frame}; nothing has changed. Use rollback({frame})"
            )
        self._travel(frame)

    def diff(self, frame_a: int, frame_b: int) -> Diff:
        """What became of the agents from one held frame to another, backwards too; the world stays as it is.

        Raises:
            FrameError: If the history does not hold one of the frames.
        """
        for frame in (frame_a, frame_b):
            self._require(frame)
        layouts = self._catalog.layout_at(frame_a), self._catalog.layout_at(frame_b)
        with self.metrics.measure("diff") as measured:
            found, measured.size = diff(self._history, self._catalog.all, layouts, (frame_a, frame_b))
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

    def restore(self, checkpoint: Checkpoint, schemas: Layout | None = None) -> list[Step]:
        """Return to a checkpoint, bit for bit but for values of fields with a step; the history begins anew at its frame.

        Uncommitted changes are dropped. Tables and columns that are alike stay the same objects.

        Args:
            checkpoint: Where to return to.
            schemas: The schemas the tables take then, as by `migrate`; those of the checkpoint, if None.

        Returns:
            The steps of the migration, for people.

        Raises:
            CheckpointError: If it is damaged; nothing has changed.
            MigrationError: If values would be lost; nothing has changed.
        """
        with self.metrics.measure("restore", checkpoint.raw_bytes):
            for other in self._checkpoints:
                other.settle()
            restoration = Restoration(checkpoint, self._catalog.all)
            if schemas is not None:
                restoration.check(schemas)
            self._catalog.become(restoration)
            self._history.reset(restoration.frame)
            self._tables_changed()
            return [] if schemas is None else self.migrate(schemas)

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

    def check(self, schemas: Layout) -> None:
        """See whether the tables can take these schemas by themselves; changes nothing.

        Raises:
            SchemaError: If a `Ref` names a table that is not among them.
            MigrationError: If values would be lost; names what and what to write instead.
        """
        self._catalog.check(schemas, self.frame)

    def migrate(self, schemas: Layout) -> list[Step]:
        """Make these the schemas of the tables, as part of the committed frame: call it right after a commit.

        New fields take their defaults; fields and tables that are gone are parked and come back with their values.

        Returns:
            The steps taken, for people.

        Raises:
            MigrationError: If values would be lost; nothing has changed.
        """
        self.check(schemas)
        if schemas == self._catalog.layout:
            return []
        self._forget_redo()
        steps = self._take(schemas)
        self.amend()
        return steps

    def mark(self) -> Mark:
        """Mark the committed frame, with its schemas, to return to; for the time before `migrate`. See `Mark`."""
        return Mark(Marked(self._catalog, self._history, self._travel, self._tables_changed, self._limit, self._images))

    def _checkpoint(self, verb: str, meta: Mapping[str, Any] | None) -> Checkpoint:
        with self.metrics.measure("checkpoint") as measured:
            refuse_uncommitted(self.frame, self._catalog.all.values(), verb)
            header, columns = describe(self.frame, self._catalog.all.values(), self.tables, meta or {})
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

    def _take(self, layout: Layout) -> list[Step]:
        steps = self._catalog.take(layout, self.frame, self._history.oldest)
        self._tables_changed()
        return steps

    def _tables_changed(self) -> None:
        """Have the history know all columns, and the memory limit all tables."""
        for column in self._catalog.native:
            self._history.add(column)
        if self._limit is not None:
            self._limit.watch(self._catalog.all.values())

    def _commit(self, frame: int) -> tuple[int, int]:
        """Commit live state as a frame: the next one, or the current one again."""
        self.flush()
        self._forget_redo()
        done = self._history.commit(frame, self._catalog.changeable())
        self._catalog.settled()
        return done

    def _forget_redo(self) -> None:
        """Forget layouts, tables and columns that came after the current frame, as it becomes the newest."""
        if self._catalog.forget_after(self.frame):
            self._tables_changed()

    def _require(self, frame: int) -> None:
        held = self.frames
        if frame not in held:
            raise FrameError(
                f"frame {frame} is not held; the history holds {held[0]} to {held[-1]}. Nothing has changed"
            )

    def _travel(self, frame: int) -> None:
        self._require(frame)
        self._guard.before_travel()
        self._require(frame)
        self._move(frame)

    def _move(self, frame: int) -> None:
        """Make live state what was committed, which is known to be sound, and go to a frame that is held."""
        self._catalog.leave()
        self._history.discard(self._catalog.native)
        try:
            while self.frame > frame:
                self._history.undo()
            while self.frame < frame:
                self._history.redo()
        finally:
            if self._catalog.return_to(self.frame):
                self._tables_changed()
