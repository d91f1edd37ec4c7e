from libc.stdint cimport uint8_t, uint64_t

from instar.native.memory cimport Mapping

cdef extern from "plain/deltas.h" nogil:
    ctypedef struct instar_column:
        uint8_t *live
        uint8_t *committed
        uint64_t *crcs
        uint64_t capacity
        uint64_t extent
        uint64_t committed_extent


cdef class Column:
    cdef instar_column state
    cdef Mapping live_bytes
    cdef Mapping committed_bytes
    cdef Mapping crcs
