from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from instar.native.memory cimport Mapping

cdef extern from "plain/bounds.h" nogil:
    ctypedef struct instar_bounds:
        pass

cdef extern from "ring/records.h" nogil:
    ctypedef struct instar_column:
        uint8_t *live
        uint8_t *committed
        uint64_t *crcs
        uint64_t capacity
        uint64_t extent
        uint64_t committed_extent
        int64_t compared
        const instar_bounds *watched
        uint64_t outside
        uint64_t first_outside

    uint64_t instar_column_chunks(const instar_column *column)


cdef class Column:
    cdef instar_column state
    cdef Mapping live_bytes
    cdef Mapping committed_bytes
    cdef Mapping crcs
    # The number of the one History that knows the column, 0 for none, and the key it gave.
    cdef uint64_t owner
    cdef uint32_t key
    # The most bytes that were ever expected.
    cdef uint64_t expected
    # What brings the committed bytes back while they are packed; there is no address of them then.
    cdef object packed_bytes
    # What the elements that commits change are held against.
    cdef object watched
    # Whoever reads or writes committed bytes calls this before.
    cdef int warm(self) except -1
    cdef int _thaw(self) except -1
    cdef bint _live_is_committed(self) noexcept nogil
    cdef void _load_chunk(self, uint64_t at, const uint8_t *data, uint64_t length) noexcept nogil
    cdef void _fill_chunks(self, const uint8_t *cell, uint64_t cell_bytes, uint64_t size) noexcept nogil
    cdef void _clear(self) noexcept nogil
    cdef int _require_unowned(self) except -1
    cdef int _require_unused(self) except -1
