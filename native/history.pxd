from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from instar.native.column cimport Column, instar_column
from instar.native.frames cimport Frames, instar_ring
from instar.native.kernels cimport instar_kernels
from instar.native.memory cimport Mapping

cdef extern from "plain/deltas.h" nogil:
    enum:
        INSTAR_SPARE_BYTES
        INSTAR_STAGING_BYTES

    ctypedef struct instar_pool:
        pass

    ctypedef struct instar_snapshot:
        pass

    ctypedef struct instar_deltas:
        const instar_kernels *kernels
        instar_ring ring
        uint64_t limit
        uint64_t at
        uint64_t held
        uint64_t behind
        int64_t oldest
        int64_t current
        int64_t newest
        instar_snapshot *snapshot
        instar_pool *pool
        uint8_t *staging


cdef class History(Frames):
    cdef instar_deltas deltas
    cdef Mapping ring
    cdef Mapping staging
    # Names it in the columns that it knows, which do not keep it alive.
    cdef uint64_t number
    cdef instar_column **columns
    cdef uint32_t *chosen
    # The one that may still be taken; kept alive until it is complete.
    cdef object snapshot
    cdef uint32_t choose(self, columns) except? 0xffffffff
    cdef int _grow(self) except -1
    cdef uint64_t _mend(self, int64_t place, uint64_t count, bint back, int64_t frame, list mended, list lost) except? 0xffffffff
