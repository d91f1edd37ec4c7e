"""Rows that come and go: ids given and freed, holes closed, ids found."""

from cpython.buffer cimport PyBuffer_Release
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from instar.native.buffers cimport borrow_array, borrow_bytes
from instar.native.column cimport Column
from instar.native.errors import InstarError
from instar.native.kernels cimport INSTAR_CHUNK_BYTES

cdef extern from "plain/despawns.h" nogil:
    ctypedef struct instar_despawns:
        uint64_t words
        uint64_t count
        uint64_t room
        uint64_t growths

    int instar_despawns_reserve(instar_despawns *despawns, uint64_t rows)
    int64_t instar_despawns_mark(instar_despawns *despawns, const int64_t *chosen, uint64_t count, uint64_t rows)
    void instar_despawns_mark_mask(instar_despawns *despawns, const uint8_t *mask, uint64_t rows)
    void instar_despawns_mark_range(instar_despawns *despawns, int64_t start, uint64_t count, int64_t step)
    int instar_despawns_plan(instar_despawns *despawns, uint64_t rows)
    void instar_despawns_close(const instar_despawns *despawns, uint8_t *cells, size_t cell_bytes, uint64_t rows)
    void instar_despawns_clear(instar_despawns *despawns)
    void instar_despawns_free(instar_despawns *despawns)

cdef extern from "plain/index.h" nogil:
    enum:
        INSTAR_INDEX_FULL

    ctypedef struct instar_index:
        uint64_t *ids
        uint64_t *slots
        uint32_t *free
        uint64_t used
        uint64_t free_count
        uint64_t room

    int instar_index_spawn(instar_index *index, uint64_t start, uint64_t count)
    int instar_index_despawn(instar_index *index, const instar_despawns *despawns, uint64_t rows)
    void instar_index_rows(const instar_index *index, const uint64_t *ids, int64_t *rows, uint64_t count)
    uint64_t instar_index_forget(const instar_index *index, uint64_t *ids, const uint64_t *known, uint64_t count, uint64_t *stray)

cdef extern from "Python.h" nogil:
    ctypedef struct PyThreadState:
        pass

    PyThreadState *PyEval_SaveThread()
    void PyEval_RestoreThread(PyThreadState *thread)

# Below it, letting other threads run costs more than the work.
cdef uint64_t MANY = 8192
cdef uint64_t MOST_ROWS = <uint64_t>1 << 31


cdef class Despawns:
    cdef instar_despawns state
    cdef bint busy

    def __dealloc__(self):
        instar_despawns_free(&self.state)

    def __len__(self):
        return self.state.count

    def mark_rows(self, chosen, uint64_t rows):
        cdef Py_buffer view
        cdef int64_t bad
        self._reserve(rows)
        borrow_array(&view, chosen, "rows", "int64", False)
        try:
            bad = instar_despawns_mark(&self.state, <const int64_t *>view.buf, view.shape[0], rows)
            return None if bad < 0 else (<const int64_t *>view.buf)[bad]
        finally:
            PyBuffer_Release(&view)

    def mark_mask(self, mask):
        cdef Py_buffer view
        borrow_bytes(&view, mask, "mask")
        try:
            self._reserve(view.len)
            instar_despawns_mark_mask(&self.state, <const uint8_t *>view.buf, view.len)
        finally:
            PyBuffer_Release(&view)

    def mark_range(self, chosen, uint64_t rows):
        cdef uint64_t count = len(chosen)
        if count == 0:
            return
        ends = (chosen[0], chosen[count - 1])
        if min(ends) < 0 or max(ends) >= rows:
            raise InstarError(f"{chosen} does not lie within {rows:,} rows; none is marked")
        self._reserve(rows)
        instar_despawns_mark_range(&self.state, chosen.start, count, chosen.step)

    def clear(self):
        _require_idle(self.busy)
        instar_despawns_clear(&self.state)

    @property
    def scratch_bytes(self):
        return 8 * (self.state.words + self.state.room)

    @property
    def growths(self):
        return self.state.growths

    cdef int _reserve(self, uint64_t rows) except -1:
        _require_idle(self.busy)
        if rows > MOST_ROWS:
            raise InstarError(f"a table holds at most {MOST_ROWS:,} rows, not {rows:,}; none is marked")
        if instar_despawns_reserve(&self.state, rows) != 0:
            raise MemoryError(f"there was no memory to mark rows among {rows:,}; none is marked")
        return 0


cdef class Index:
    cdef instar_index state
    cdef Column ids
    cdef Column slots
    cdef Column free
    cdef bint busy

    def __init__(self, Column ids not None, Column slots not None, Column free not None):
        if self.ids is not None:
            raise InstarError("an Index is initialised once; its ids are kept. Make a new one")
        self.ids, self.slots, self.free = ids, slots, free
        self._locate()

    @property
    def slots_used(self):
        return self.state.used

    @property
    def free_count(self):
        return self.state.free_count

    def restore(self, uint64_t slots_used, uint64_t free_count):
        _require_idle(self.busy)
        self._locate()
        if slots_used > self.state.room or free_count > self.state.room:
            raise InstarError(
                f"an id index with room for {self.state.room:,} rows cannot have {slots_used:,} slots and {free_count:,} free ones; "
                f"nothing was changed"
            )
        self.state.used, self.state.free_count = slots_used, free_count

    def spawn(self, uint64_t start, uint64_t count):
        cdef PyThreadState *thread
        cdef int status
        _require_idle(self.busy)
        self._locate()
        self.busy = True
        thread = _let_go(count)
        status = instar_index_spawn(&self.state, start, count)
        _come_back(thread)
        self.busy = False
        if status == INSTAR_INDEX_FULL:
            raise InstarError(f"the id index has no room for {count:,} more rows; nothing was changed")
        _require_sound(status)

    def despawn(self, Despawns despawns not None, uint64_t rows, columns):
        cdef Column column
        cdef size_t cell_bytes
        _require_idle(self.busy or despawns.busy)
        despawns._reserve(rows)
        if despawns.state.count > rows or rows > self.state.room:
            raise InstarError(f"{len(despawns):,} rows cannot go from {rows:,}; nothing was changed")
        self._locate()
        columns = tuple(columns)
        for column, cell_bytes in columns:
            _require_room(column, rows, cell_bytes)
        self.busy = despawns.busy = True
        try:
            self._close(&despawns.state, rows, columns)
        finally:
            self.busy = despawns.busy = False
        instar_despawns_clear(&despawns.state)

    cdef int _close(self, instar_despawns *despawns, uint64_t rows, columns) except -1:
        cdef PyThreadState *thread = _let_go(rows)
        cdef Column column
        cdef size_t cell_bytes
        cdef int no_memory = instar_despawns_plan(despawns, rows), status = 0
        if no_memory == 0:
            status = instar_index_despawn(&self.state, despawns, rows)
        _come_back(thread)
        if no_memory != 0:
            raise MemoryError(f"there was no memory to move rows among {rows:,}; nothing was changed")
        _require_sound(status)
        for column, cell_bytes in columns:
            thread = _let_go(rows)
            instar_despawns_close(despawns, column.state.live, cell_bytes, rows)
            _come_back(thread)
        return 0

    def rows_of(self, ids, rows):
        cdef PyThreadState *thread
        cdef Py_buffer wanted, found
        self._locate()
        borrow_array(&wanted, ids, "ids", "uint64", False)
        try:
            borrow_array(&found, rows, "rows", "int64", True)
            try:
                if wanted.shape[0] != found.shape[0]:
                    raise InstarError(f"{wanted.shape[0]} ids were given, and room for {found.shape[0]} rows; nothing was written")
                thread = _let_go(wanted.shape[0])
                instar_index_rows(&self.state, <const uint64_t *>wanted.buf, <int64_t *>found.buf, wanted.shape[0])
                _come_back(thread)
            finally:
                PyBuffer_Release(&found)
        finally:
            PyBuffer_Release(&wanted)

    def forget(self, Column references not None, uint64_t count, bint everywhere):
        cdef PyThreadState *thread
        cdef uint64_t forgotten, stray
        references.warm()
        cdef uint64_t *known = NULL if everywhere else <uint64_t *>references.state.committed
        self._locate()
        _require_room(references, count, 8)
        thread = _let_go(count)
        forgotten = instar_index_forget(&self.state, <uint64_t *>references.state.live, known, count, &stray)
        _come_back(thread)
        if stray < count:
            references.state.outside += 1
            references.state.first_outside = min(references.state.first_outside, 8 * stray // INSTAR_CHUNK_BYTES)
        return forgotten

    cdef int _locate(self) except -1:
        """Take the addresses and the room, which change where a column is given more."""
        _require_room(self.ids, 0, 8)
        _require_room(self.slots, 0, 8)
        _require_room(self.free, 0, 4)
        self.state.room = min(
            self.ids.state.capacity // 8, self.slots.state.capacity // 8, self.free.state.capacity // 4, MOST_ROWS
        )
        self.state.ids = <uint64_t *>self.ids.state.live
        self.state.slots = <uint64_t *>self.slots.state.live
        self.state.free = <uint32_t *>self.free.state.live
        return 0


cdef PyThreadState *_let_go(uint64_t count) noexcept nogil:
    return PyEval_SaveThread() if count > MANY else NULL


cdef void _come_back(PyThreadState *thread) noexcept nogil:
    if thread != NULL:
        PyEval_RestoreThread(thread)


cdef int _require_room(Column column, uint64_t rows, size_t cell_bytes) except -1:
    if column is None or column.live_bytes is None or column.live_bytes.readonly:
        raise InstarError("a column that can be written is needed; nothing was changed")
    if cell_bytes == 0 or rows > column.state.capacity // cell_bytes:
        raise InstarError(
            f"{rows:,} rows of {cell_bytes} bytes do not fit into a column of {column.state.capacity:,}; nothing was changed"
        )
    return 0


cdef int _require_idle(bint busy) except -1:
    if busy:
        raise InstarError("another thread is changing these rows; nothing was changed. Change a table from one thread at a time")
    return 0


cdef int _require_sound(int status) except -1:
    if status != 0:
        raise InstarError("the id index is damaged; nothing was changed. validate(repair=True) mends it, or says what is lost")
    return 0
