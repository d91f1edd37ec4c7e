from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from instar.native.column cimport Column, instar_column
from instar.native.kernels cimport instar_kernels
from instar.native.memory cimport Mapping

cdef extern from "plain/deltas.h" nogil:
    enum:
        INSTAR_SPARE_BYTES
        INSTAR_STAGING_BYTES

    ctypedef struct instar_pool:
        pass

    ctypedef struct instar_ring:
        uint8_t *base
        uint64_t bytes
        uint64_t tail
        uint64_t head

    ctypedef struct instar_record:
        uint32_t key

    ctypedef struct instar_frame:
        int64_t frame
        int64_t frame_before
        uint64_t previous

    ctypedef struct instar_extent:
        uint64_t before
        uint64_t after

    ctypedef struct instar_chunk:
        uint32_t chunk

    ctypedef struct instar_snapshot:
        pass

    ctypedef struct instar_deltas:
        const instar_kernels *kernels
        instar_ring ring
        uint64_t at
        uint64_t held
        uint64_t behind
        int64_t oldest
        int64_t current
        int64_t newest
        instar_snapshot *snapshot
        instar_pool *pool
        uint8_t *staging


cdef class History:
    cdef instar_deltas deltas
    cdef Mapping ring
    cdef Mapping staging
    cdef list added
    # Names it in the columns that it knows, which do not keep it alive.
    cdef uint64_t number
    cdef instar_column **columns
    cdef uint32_t *chosen
    cdef bint busy
    # The one that may still be taken; kept alive until it is complete.
    cdef object snapshot
    cdef int begin_use(self) except -1
    cdef uint32_t choose(self, columns) except? 0xffffffff
    cdef int _grow(self) except -1
    cdef int _require_frames(self, Column column, int64_t low, int64_t high) except -1
    cdef list _places(self, int64_t low, int64_t high)
    cdef list _frames(self)
    cdef int _collect_changes(self, uint64_t place, dict found) except -1
    cdef uint64_t _mend_behind(self, list mended, list lost) except? 0xffffffff
    cdef uint64_t _mend_ahead(self, list mended, list lost) except? 0xffffffff
