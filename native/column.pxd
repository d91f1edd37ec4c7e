from libc.stdint cimport uint8_t, uint32_t, uint64_t

from instar.native.memory cimport Mapping

cdef extern from "plain/records.h" nogil:
    ctypedef struct instar_column:
        uint8_t *live
        uint8_t *committed
        uint64_t *crcs
        uint64_t capacity
        uint64_t extent
        uint64_t committed_extent

    uint64_t instar_column_chunks(const instar_column *column)


cdef class Column:
    cdef instar_column state
    cdef Mapping live_bytes
    cdef Mapping committed_bytes
    cdef Mapping crcs
    # The number of the one History that knows the column, 0 for none, and the key it gave.
    cdef uint64_t owner
    cdef uint32_t key
    cdef void _load_chunk(self, uint64_t at, const uint8_t *data, uint64_t length) noexcept nogil
