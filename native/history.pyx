"""The committed frames that can be returned to: a ring of deltas within a budget of bytes."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc

from instar.native.column cimport Column, instar_column
from instar.native.dispatch cimport kernels, zero_chunk_crc
from instar.native.errors import HistoryError, InstarError
from instar.native.kernels cimport INSTAR_CHUNK_BYTES, INSTAR_LINE_BYTES, instar_kernels
from instar.native.memory cimport Mapping, reserve

cdef extern from "plain/deltas.h" nogil:
    enum:
        INSTAR_CHUNK_RECORD_BYTES

    ctypedef struct instar_deltas:
        const instar_kernels *kernels
        uint64_t zero_chunk_crc
        uint8_t *ring
        uint64_t bytes
        int64_t oldest
        int64_t current
        int64_t newest

    void instar_deltas_reset(instar_deltas *deltas, int64_t frame)
    void instar_deltas_begin(instar_deltas *deltas, int64_t frame)
    uint64_t instar_deltas_commit(instar_deltas *deltas, uint32_t key, instar_column *column)
    void instar_deltas_end(instar_deltas *deltas)
    int instar_deltas_undo(instar_deltas *deltas, instar_column *const *columns)
    int instar_deltas_redo(instar_deltas *deltas, instar_column *const *columns)
    uint64_t instar_deltas_used(const instar_deltas *deltas)
    void instar_column_restore(const instar_kernels *kernels, instar_column *column)

cdef uint64_t LEAST_BYTES = 64 << 10
cdef uint64_t MOST_BYTES = <uint64_t>1 << 46


cdef class History:
    cdef instar_deltas deltas
    cdef Mapping ring
    cdef dict keys
    cdef instar_column **columns
    cdef uint32_t *chosen
    cdef bint busy

    def __init__(self, budget_bytes):
        if self.ring is not None:
            raise InstarError("a History is initialised once; its frames are kept. Make a new one")
        if not LEAST_BYTES <= budget_bytes <= MOST_BYTES:
            raise InstarError(
                f"a history's budget must lie between {LEAST_BYTES:,} and {MOST_BYTES:,} bytes, got {budget_bytes:,}; "
                f"nothing was reserved"
            )
        self.keys = {}
        self.deltas.kernels = kernels
        self.deltas.zero_chunk_crc = zero_chunk_crc
        self.deltas.bytes = budget_bytes // INSTAR_LINE_BYTES * INSTAR_LINE_BYTES
        self.ring = reserve(self.deltas.bytes + INSTAR_CHUNK_RECORD_BYTES, True, "a history")
        self.deltas.ring = self.ring.data

    def __dealloc__(self):
        free(self.columns)
        free(self.chosen)

    def add(self, Column column not None):
        if column.live_bytes is None:
            raise InstarError("the column was never initialised; nothing was added")
        if column in self.keys:
            return self.keys[column]
        self._begin_use()
        try:
            self._grow()
            key = len(self.keys)
            self.columns[key] = &column.state
            self.keys[column] = key
        finally:
            self.busy = False
        return key

    def commit(self, int64_t frame, columns):
        cdef uint32_t i, count
        cdef uint64_t lines = 0
        if frame < self.deltas.current:
            raise InstarError(
                f"frame {frame} cannot be committed after frame {self.deltas.current}; nothing was changed. "
                f"Commit a later frame, or undo first"
            )
        self._begin_use()
        try:
            count = self._choose(columns)
            with nogil:
                instar_deltas_begin(&self.deltas, frame)
                for i in range(count):
                    lines += instar_deltas_commit(&self.deltas, self.chosen[i], self.columns[self.chosen[i]])
                instar_deltas_end(&self.deltas)
        finally:
            self.busy = False
        return lines, lines * INSTAR_LINE_BYTES

    def discard(self, columns):
        cdef uint32_t i, count
        self._begin_use()
        try:
            count = self._choose(columns)
            with nogil:
                for i in range(count):
                    instar_column_restore(self.deltas.kernels, self.columns[self.chosen[i]])
        finally:
            self.busy = False

    def undo(self):
        cdef int status
        self._begin_use()
        try:
            with nogil:
                status = instar_deltas_undo(&self.deltas, self.columns)
        finally:
            self.busy = False
        if status != 0:
            raise HistoryError(
                f"no frame before {self.deltas.current} is held; the world stays there. The history reaches from "
                f"{self.deltas.oldest} to {self.deltas.newest}; a larger budget would reach further back"
            )
        return self.deltas.current

    def redo(self):
        cdef int status
        self._begin_use()
        try:
            with nogil:
                status = instar_deltas_redo(&self.deltas, self.columns)
        finally:
            self.busy = False
        if status != 0:
            raise HistoryError(
                f"no frame after {self.deltas.current} is held; the world stays there. A commit drops the frames that were undone"
            )
        return self.deltas.current

    def reset(self, int64_t frame):
        self._begin_use()
        instar_deltas_reset(&self.deltas, frame)
        self.busy = False

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
        return self.deltas.bytes

    cdef int _begin_use(self) except -1:
        if self.ring is None:
            raise InstarError("the history was never initialised; nothing was changed")
        if self.busy:
            raise InstarError("another thread is using this history; nothing was changed. Use it from one thread at a time")
        self.busy = True
        return 0

    cdef int _grow(self) except -1:
        """Room for one more column."""
        cdef size_t count = len(self.keys)
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

    cdef uint32_t _choose(self, columns) except? 0xffffffff:
        """Look up the keys of columns, once each."""
        cdef uint32_t count = 0
        columns = tuple(columns)
        if len(columns) > len(self.keys):
            raise InstarError(f"{len(columns)} columns were given, {len(self.keys)} were added; nothing was changed. Give each once")
        for column in columns:
            key = self.keys.get(column)
            if key is None:
                raise InstarError("a column was given that this history does not know; nothing was changed. Call add(column) first")
            self.chosen[count] = key
            count += 1
        return count
