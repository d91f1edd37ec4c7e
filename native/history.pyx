"""The committed frames that can be returned to: a ring of deltas within a budget of bytes."""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc

from instar.native.column cimport Column, instar_column
from instar.native.dispatch cimport kernels
from instar.native.errors import HistoryError, InstarError
from instar.native.frames cimport (
    INSTAR_DAMAGED, INSTAR_NONE, Frames, Joined, gather, instar_frame_after, instar_frame_at, instar_frame_damage,
    instar_frame_known, instar_ring,
)
from instar.native.kernels cimport INSTAR_LINE_BYTES, instar_kernels
from instar.native.memory cimport Mapping, reserve

cdef uint64_t LEAST_BYTES = 64 << 10
cdef uint64_t MOST_BYTES = <uint64_t>1 << 46
cdef unsigned MOST_THREADS = 64
cdef uint64_t histories = 0

cdef enum:
    UNDO
    REDO
    STEP


cdef class History(Frames):
    def __init__(self, budget_bytes, threads=1):
        if self.ring is not None:
            raise InstarError("a History is initialised once; its frames are kept. Make a new one")
        if not LEAST_BYTES <= budget_bytes <= MOST_BYTES:
            raise InstarError(
                f"a history's budget must lie between {LEAST_BYTES:,} and {MOST_BYTES:,} bytes, got {budget_bytes:,}; "
                f"nothing was reserved"
            )
        if not 1 <= threads <= MOST_THREADS:
            raise InstarError(f"a history commits with 1 to {MOST_THREADS} threads, got {threads}; nothing was reserved")
        global histories
        histories += 1
        self.number = histories
        self.added = []
        self.snapshots = []
        self.deltas.kernels = kernels
        self.deltas.ring.bytes = budget_bytes // INSTAR_LINE_BYTES * INSTAR_LINE_BYTES
        self.ring = reserve(self.deltas.ring.bytes + INSTAR_SPARE_BYTES, True, "a history")
        self.deltas.ring.base = self.ring.data
        self.deltas.limit = self.deltas.ring.bytes
        self.held_in = &self.deltas.ring
        if threads > 1:
            self.staging = reserve(threads * INSTAR_STAGING_BYTES, True, "a history's threads")
            self.deltas.staging = self.staging.data
            self.deltas.pool = instar_pool_start(threads)
            if self.deltas.pool == NULL:
                raise InstarError(f"the system did not start {threads - 1} threads for commits. Ask for fewer, or raise ulimit -u")

    def __dealloc__(self):
        if self.deltas.pool != NULL:
            with nogil:
                instar_pool_stop(self.deltas.pool)
        free(self.columns)
        free(self.chosen)

    def add(self, Column column not None):
        if column.live_bytes is None:
            raise InstarError("the column was never initialised; nothing was added")
        if column.owner == self.number:
            return column.key
        if column.owner != 0:
            raise InstarError("the column belongs to another history; nothing was added. A column has one")
        self.begin_use()
        try:
            self._grow()
            column.key = len(self.added)
            self.columns[column.key] = &column.state
            column.state.compared = self.deltas.current
            self.added.append(column)
            column.owner = self.number
        finally:
            self.busy = False
        return column.key

    def commit(self, int64_t frame, columns):
        cdef uint32_t count
        cdef uint64_t lines
        if frame < self.deltas.current:
            raise InstarError(
                f"frame {frame} cannot be committed after frame {self.deltas.current}; nothing was changed. "
                f"Commit a later frame, or undo first"
            )
        self.begin_use()
        try:
            count = self.choose(columns)
            with nogil:
                lines = instar_deltas_commit(&self.deltas, frame, self.chosen, count, self.columns)
        finally:
            self.busy = False
        return lines, lines * INSTAR_LINE_BYTES

    def discard(self, columns):
        cdef uint32_t i, count
        cdef Column column
        self.begin_use()
        try:
            count = self.choose(columns, True)
            for i in range(count):
                column = self.added[self.chosen[i]]
                if column.packed_bytes is None or not column._live_is_committed():
                    column.warm()
                    with nogil:
                        instar_column_restore(self.deltas.kernels, &column.state)
        finally:
            self.busy = False

    def undo(self):
        if self._travel(UNDO) != 0:
            raise HistoryError(
                f"no frame before {self.deltas.current} is held; the world stays there. The history reaches from "
                f"{self.deltas.oldest} to {self.deltas.newest}; a larger budget would reach further back"
            )
        return self.deltas.current

    def redo(self):
        if self._travel(REDO) != 0:
            raise HistoryError(
                f"no frame after {self.deltas.current} is held; the world stays there. A commit drops the frames that were undone"
            )
        return self.deltas.current

    def reset(self, int64_t frame):
        cdef Column column
        self.begin_use()
        for column in self.added:
            column.state.compared = frame
        with nogil:
            instar_deltas_reset(&self.deltas, frame)
        self.busy = False

    def settle(self):
        self.begin_use()
        with nogil:
            instar_snapshots_complete(&self.deltas)
        self.busy = False

    def extent_at(self, Column column not None, int64_t frame):
        return self.carry_extent(column, column.state.committed_extent, self.deltas.current, frame)

    def gather(self, int64_t after, uint64_t most_bytes, int64_t newest):
        self.begin_use()
        try:
            return gather(self, self.deltas.oldest, self.deltas.behind, after, most_bytes, newest)
        finally:
            self.busy = False

    def drop_oldest(self, uint64_t count):
        self.begin_use()
        with nogil:
            instar_deltas_drop(&self.deltas, count)
        self.busy = False

    def step(self, Joined frames not None, bint back):
        if self.deltas.behind != 0 or self.deltas.current > self.deltas.oldest:
            raise InstarError(f"frame {self.deltas.current} lies in the ring; nothing was changed. Use undo or redo")
        self._travel(STEP, &frames.ring, frames.place_of(self.deltas.current, back))
        return self.deltas.current

    def bring_back(self, Joined frames not None):
        cdef int64_t place
        self.begin_use()
        try:
            place = frames.place_of(self.deltas.current, True)
            with nogil:
                instar_deltas_bring_back(&self.deltas, &frames.ring, place)
        finally:
            self.busy = False

    def touch_ahead(self, uint64_t nbytes):
        cdef uint64_t touched
        self.begin_use()
        with nogil:
            touched = instar_ring_touch(&self.deltas.ring, nbytes)
        self.busy = False
        return touched

    def check(self, first=None, count=None):
        cdef list damaged = []
        cdef uint64_t place
        cdef int64_t status, low, high
        self.begin_use()
        try:
            low = self.deltas.oldest if first is None else first - 1
            high = self.deltas.newest if count is None else low + count
            for one, frame in self._frames():
                if frame is not None and not low < frame <= high:
                    continue
                place = one
                with nogil:
                    status = instar_frame_damage(kernels, &self.deltas.ring, place)
                if status != INSTAR_NONE:
                    damaged.append(self.deltas.current if frame is None else frame)
        finally:
            self.busy = False
        return damaged

    def mend(self):
        cdef list mended = [], lost = []
        cdef uint64_t behind, ahead
        self.begin_use()
        try:
            behind = self._mend(self.deltas.at, self.deltas.behind, True, self.deltas.current, mended, lost)
            ahead = self._mend(
                instar_deltas_ahead(&self.deltas), self.deltas.held - self.deltas.behind, False, self.deltas.newest, mended, lost
            )
            if lost:
                with nogil:
                    instar_deltas_narrow(&self.deltas, behind, ahead)
        finally:
            self.busy = False
        return mended, lost

    @property
    def oldest(self):
        return self.deltas.oldest

    @property
    def current(self):
        return self.deltas.current

    @property
    def newest(self):
        return self.deltas.newest

    @property
    def used_bytes(self):
        return instar_deltas_used(&self.deltas)

    @property
    def budget_bytes(self):
        return self.deltas.ring.bytes

    @property
    def packed(self):
        return ()

    @property
    def snapshot_pending(self):
        return any([not snapshot.complete for snapshot in self.snapshots])

    @property
    def limit_bytes(self):
        return self.deltas.limit

    @limit_bytes.setter
    def limit_bytes(self, value):
        if not LEAST_BYTES <= value <= self.deltas.ring.bytes:
            raise InstarError(
                f"a history's limit must lie between {LEAST_BYTES:,} bytes and its budget of {self.deltas.ring.bytes:,}, "
                f"got {value:,}; it keeps {self.deltas.limit:,}"
            )
        self.begin_use()
        less = value < self.deltas.limit
        self.deltas.limit = value
        if less:
            with nogil:
                instar_deltas_keep_limit(&self.deltas)
                instar_ring_give_back(&self.deltas.ring)
        self.busy = False

    @property
    def threads(self):
        return 1 if self.deltas.pool == NULL else instar_pool_threads(self.deltas.pool)

    cdef int begin_use(self) except -1:
        if self.ring is None:
            raise InstarError("the history was never initialised; nothing was changed")
        if self.busy:
            raise InstarError("another thread is using this history; nothing was changed. Use it from one thread at a time")
        self.busy = True
        if self.snapshots:
            left = [snapshot for snapshot in self.snapshots if not snapshot.complete]
            instar_snapshots_forget_complete(&self.deltas)  # and perhaps one more, which is kept in vain until the next time
            self.snapshots = left
        return 0

    cdef int _travel(self, int way, const instar_ring *ring = NULL, uint64_t place = 0) except -1:
        """Go one frame back or ahead; columns that the way needs are brought back to memory first. Returns 1 where none is held."""
        cdef int status = INSTAR_COLD
        self.begin_use()
        try:
            while status == INSTAR_COLD:
                with nogil:
                    if way == UNDO:
                        status = instar_deltas_undo(&self.deltas, self.columns)
                    elif way == REDO:
                        status = instar_deltas_redo(&self.deltas, self.columns)
                    else:
                        status = instar_deltas_step(&self.deltas, ring, place, self.columns)
                if status == INSTAR_COLD:
                    (<Column>self.added[self.deltas.cold]).warm()
        finally:
            self.busy = False
        if status == INSTAR_DAMAGED:
            raise HistoryError(_damaged("the frame that comes next", self.deltas.current))
        return status != 0

    cdef int _grow(self) except -1:
        """Room for one more column."""
        cdef size_t count = len(self.added)
        if count & (count - 1) and count:
            return 0
        cdef size_t room = 2 * count + 1
        cdef void *columns = realloc(self.columns, room * sizeof(instar_column *))
        if columns != NULL:
            self.columns = <instar_column **>columns
        cdef void *chosen = realloc(self.chosen, room * sizeof(uint32_t))
        if chosen != NULL:
            self.chosen = <uint32_t *>chosen
        if columns == NULL or chosen == NULL:
            raise MemoryError
        return 0

    cdef uint32_t choose(self, columns, bint keep_cold=False) except? 0xffffffff:
        """Look up the keys of columns, once each."""
        cdef uint32_t count = 0
        cdef Column column
        columns = tuple(columns)
        if len(columns) > len(self.added):
            raise InstarError(f"{len(columns)} columns were given, {len(self.added)} were added; nothing was changed. Give each once")
        for column in columns:
            if column is None or column.owner != self.number:
                raise InstarError("a column was given that this history does not know; nothing was changed. Call add(column) first")
            if not keep_cold:
                column.warm()
            self.chosen[count] = column.key
            count += 1
        return count

    cdef int _require(self, Column column, int64_t low, int64_t high) except -1:
        if column is not None and column.owner != self.number:
            raise InstarError("a column was given that this history does not know; nothing was read. Call add(column) first")
        if low < self.deltas.oldest or high > self.deltas.newest:
            raise HistoryError(
                f"frames {low} to {high} are not all held; nothing was read. The history reaches from {self.deltas.oldest} to "
                f"{self.deltas.newest}; a larger budget would reach further back"
            )
        return 0

    cdef list _frames(self):
        cdef list behind = [], ahead = []
        cdef uint64_t n
        cdef int64_t place = self.deltas.at
        for n in range(self.deltas.behind):
            if not instar_frame_known(kernels, &self.deltas.ring, place):
                behind.append((place, None))
                break
            behind.append((place, instar_frame_at(&self.deltas.ring, place).frame))
            place = instar_frame_at(&self.deltas.ring, place).previous
        place = instar_deltas_ahead(&self.deltas)
        while place >= 0:
            if not instar_frame_known(kernels, &self.deltas.ring, place):
                ahead.append((place, None))
                break
            ahead.append((place, instar_frame_at(&self.deltas.ring, place).frame))
            place = instar_frame_after(&self.deltas.ring, place)
        return behind[::-1] + ahead

    cdef uint64_t _mend(self, int64_t place, uint64_t count, bint back, int64_t frame, list mended, list lost) except? 0xffffffff:
        """Mend so many frames from a place on, back or ahead; returns how many are whole then."""
        cdef uint64_t whole
        cdef int status
        for whole in range(count):
            status = INSTAR_DAMAGED
            if place >= 0:
                with nogil:
                    status = instar_frame_mend(&self.deltas, place)
            if status < 0:
                lost.append(frame)
                return whole
            mended += [instar_frame_at(&self.deltas.ring, place).frame] if status > 0 else []
            frame = instar_frame_at(&self.deltas.ring, place).frame_before if back else frame
            place = instar_frame_at(&self.deltas.ring, place).previous if back else instar_frame_after(&self.deltas.ring, place)
        return count


def _damaged(frame, current):
    return (
        f"the history's record of {frame} is damaged; the world stays at frame {current}. validate(repair=True) mends it, or drops "
        f"the frames that lie behind it"
    )
