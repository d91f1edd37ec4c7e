from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from instar.native.column cimport Column
from instar.native.kernels cimport instar_kernels

cdef extern from "plain/frames.h" nogil:
    enum:
        INSTAR_NONE
        INSTAR_DAMAGED
        INSTAR_EXTENT
        INSTAR_ELEMENTS
        INSTAR_DENSE

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
        uint64_t end

    ctypedef struct instar_extent:
        uint64_t before
        uint64_t after

    ctypedef struct instar_chunk:
        uint32_t chunk

    uint32_t instar_tag_of(const instar_record *record)
    uint32_t instar_length(const instar_record *record)
    void *instar_ring_at(const instar_ring *ring, uint64_t place)
    instar_frame *instar_frame_at(const instar_ring *ring, uint64_t place)
    int64_t instar_frame_after(const instar_ring *ring, uint64_t place)
    int64_t instar_frame_next(const instar_ring *ring, uint64_t frame, uint64_t place)
    bint instar_frame_known(const instar_kernels *kernels, const instar_ring *ring, uint64_t place)
    int64_t instar_frame_damage(const instar_kernels *kernels, const instar_ring *ring, uint64_t place)
    int instar_frame_carry(const instar_kernels *kernels, const instar_ring *ring, uint64_t place, uint32_t key, uint64_t start,
                           uint64_t bytes, uint8_t *target)
    void instar_frame_carry_extent(const instar_ring *ring, uint64_t place, uint32_t key, uint64_t *extent)


cdef class Frames:
    cdef instar_ring *held_in
    # Those whose keys the records name.
    cdef list added
    cdef bint busy
    cdef int begin_use(self) except -1
    cdef list _frames(self)
    cdef list _places(self, int64_t low, int64_t high)
    cdef int _require(self, Column column, int64_t low, int64_t high) except -1
