"""A frame to return to, whatever becomes of the world and of its history."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from instar.hmr.state.catalog import Catalog
from instar.hmr.state.errors import FrameError
from instar.hmr.state.memory import MemoryLimit
from instar.hmr.state.memory.units import shown_size
from instar.hmr.state.migration.migration import Migration
from instar.hmr.state.probation.image import Image
from instar.hmr.state.probation.watch import BadValue, Watch
from instar.native import CHUNK_BYTES, Column, History, HistoryError


@dataclass(frozen=True, slots=True)
class Marked:
    """What is marked.

    Attributes:
        catalog: The tables.
        history: The committed frames.
        travel: Goes to a frame that is held.
        tables_changed: Is told that there are other columns.
        reload: Takes the persisted values from the tables.
        limit: The limit on memory, if there is one.
    """

    catalog: Catalog
    history: History
    travel: Callable[[int], None]
    tables_changed: Callable[[], None]
    reload: Callable[[], None]
    limit: MemoryLimit | None


class Mark:
    """The committed frame before an edit: its schemas and values, to be returned to if the edit turns out bad.

    Made before the tables take the edit's schemas. `keep`, right after that, keeps the values even if the history drops the
    frame or the frame is added to; `watch`, when the edit is complete, has what becomes of them looked at.

    Attributes:
        frame: The frame.
        notice: What people should know of what could not be kept; None if nothing.
    """

    def __init__(self, subject: Marked, spent: Iterable[Image] = ()) -> None:
        """Mark the current frame.

        Args:
            subject: What is marked.
            spent: Images that nobody needs any more, to be freed after the next commit.
        """
        self._spent = list(spent)
        self.frame = subject.history.current
        self.notice: str | None = None
        self._subject = subject
        self._structure = subject.catalog.mark()
        self._image: Image | None = None
        self._watch: Watch | None = None
        self._is_kept = self._is_amended = False

    def keep(self) -> None:
        """Keep the values of the frame, as it is with the schemas that the tables have now, unless they are kept."""
        if self._is_kept:
            return
        self._is_kept = True
        self._image = self._make_image()

    def bytes_by_table(self) -> Mapping[str, int]:
        """The bytes that are kept beside the history, by table."""
        return {} if self._image is None else self._image.bytes_by_table()

    def amended(self) -> None:
        """Note that the current frame was added to: if it is the marked one, the history does not lead back to it any more."""
        self._is_amended |= self._is_kept and self.is_current

    def watch(self) -> None:
        """Look from now on at what becomes of the values."""
        self._watch = Watch(self._subject.catalog.guarded(), self._before)

    def fault(self) -> BadValue | None:
        """What has gone bad since this was last asked, after a commit; None if nothing has."""
        if self._image is not None:
            self._image.advance()
        while self._spent:
            self._spent.pop().free()
        return None if self._watch is None else self._watch.fault(self._subject.history.current)

    @property
    def is_current(self) -> bool:
        """Whether the frame is the committed one."""
        return self._subject.history.current == self.frame

    @property
    def is_within_reach(self) -> bool:
        """Whether the frame can be returned to."""
        return self._image is not None or (self._is_held and not self._is_amended)

    @property
    def mixes_frames(self) -> bool:
        """Whether the tables, if they took the mark's schemas again, would have some values of then beside values of now.

        Raises:
            MigrationError: If they cannot take them by themselves.
        """
        layout = self._structure[0].layout
        return Migration(self._subject.catalog.era, layout, self._subject.history.current).reverts

    def give_up(self) -> Image | None:
        """Keep nothing beside the history; returns what was kept, to be freed when there is time."""
        image, self._image = self._image, None
        if image is not None:
            image.abandon()
            if self._subject.limit is not None:
                self._subject.limit.fit()
        return image

    def release(self) -> None:
        """Watch no more, and keep nothing beside the history; as long as that holds the frame it can be returned to."""
        if self._watch is not None:
            self._watch.end()
            self._watch = None
        image = self.give_up()
        if image is not None:
            image.free()

    def undo(self) -> None:
        """Return to the frame, with the schemas it had; what was committed since cannot be redone, and is not kept.

        Raises:
            FrameError: If neither the history nor an image holds it; nothing has changed.
            DamageError: If what is held is damaged.
        """
        if not self.is_within_reach:
            held = range(self._subject.history.oldest, self._subject.history.newest + 1)
            raise FrameError(
                f"frame {self.frame} is not held; the history holds {held[0]} to {held[-1]}. Nothing has changed"
            )
        catalog, history = self._subject.catalog, self._subject.history
        if self._is_amended or not (self._is_held and self._travelled()):
            self._load()
        self.release()
        catalog.return_to_mark(self._structure)
        self._subject.tables_changed()
        self._subject.reload()
        history.commit(self.frame, ())  # What was undone cannot be redone.

    @property
    def _is_held(self) -> bool:
        history = self._subject.history
        return history.oldest <= self.frame <= history.newest

    def _travelled(self) -> bool:
        """Go there through the history; False if a record on the way is damaged and there is an image."""
        try:
            self._subject.travel(self.frame)
        except HistoryError:
            if self._image is None:
                raise
            return False
        return True

    def _load(self) -> None:
        assert self._image is not None
        catalog, history = self._subject.catalog, self._subject.history
        columns = self._image.verified()
        catalog.leave()
        history.reset(self.frame)
        for column, data in columns:
            column.load(data)
        catalog.return_to(self.frame)

    def _before(self, column: Column) -> memoryview:
        """The committed bytes of a column in the frame."""
        history = self._subject.history
        if not self._is_held:
            return self._image.of(column) if self._image is not None else memoryview(b"")
        extent = history.extent_at(column, self.frame)
        data = bytearray(column.committed[: _whole_chunks(max(extent, column.committed_extent))])
        history.carry(column, 0, data, history.current, self.frame)
        return memoryview(data)[:extent]

    def _make_image(self) -> Image | None:
        subject = self._subject
        columns = {name: table._native_columns() for name, table in subject.catalog.all.items()}  # noqa: SLF001 - as the account
        total = sum(column.committed_extent for own in columns.values() for column in own)
        if subject.limit is not None and not subject.limit.fit(total):
            self.notice = (
                f"memory is limited to {shown_size(subject.limit.limit)}, which leaves no room for a copy of the world before "
                f"this edit ({shown_size(total)}): its values can be undone only as far as the history reaches"
            )
            return None
        return Image(subject.history, columns)


class Marks:
    """The marks of one state that somebody has; iterable."""

    def __init__(self) -> None:
        self._marks = weakref.WeakSet[Mark]()

    def __iter__(self) -> Iterator[Mark]:
        return iter(self._marks)

    def new(self, subject: Marked) -> Mark:
        """Make a mark; older ones keep nothing beside the history any more."""
        images = (older.give_up() for older in self._marks)
        mark = Mark(subject, [image for image in images if image is not None])
        self._marks.add(mark)
        return mark

    def amended(self) -> None:
        """Note that the current frame was added to."""
        for mark in self._marks:
            mark.amended()

    def keep(self) -> None:
        """Keep the values of the current frame where it is marked, as they are about to be written by a migration."""
        for mark in self._marks:
            if mark.is_current:
                mark.keep()


def _whole_chunks(size: int) -> int:
    return -(-size // CHUNK_BYTES) * CHUNK_BYTES
