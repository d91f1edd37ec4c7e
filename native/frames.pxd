from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from instar.native.column cimport Column
from instar.native.kernels cimport instar_kernels
from instar.native.memory cimport Mapping

cdef extern from "ring/frames.h" nogil:
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
    uint64_t instar_ring_between(const instar_ring *ring, uint64_t start, uint64_t stop)
    void *instar_ring_at(const instar_ring *ring, uint64_t place)
    instar_frame *instar_frame_at(const instar_ring *ring, uint64_t place)
    int64_t instar_frame_after(const instar_ring *ring, uint64_t place)
    int64_t instar_frame_next(const instar_ring *ring, uint64_t frame, uint64_t place)
    bint instar_frame_known(const instar_kernels *kernels, const instar_ring *ring, uint64_t place)
    int64_t instar_frame_damage(const instar_kernels *kernels, const instar_ring *ring, uint64_t place)
    int instar_frame_carry(const instar_kernels *kernels, const instar_ring *ring, uint64_t place, uint32_t key, uint64_t start,
                           uint64_t bytes, uint8_t *target)
    int instar_frame_carry_extent(const instar_ring *ring, uint64_t place, uint32_t key, uint64_t *extent)

cdef extern from "ring/bundle.h" nogil:
    ctypedef struct instar_counts:
        uint64_t frames

    int instar_bundle_count(const instar_kernels *kernels, const instar_ring *ring, uint64_t place, instar_counts *counts)
    uint64_t instar_bundle_headers(const instar_counts *counts)
    uint64_t instar_bundle_words(const instar_counts *counts)
    uint64_t instar_bundle_take(const instar_ring *ring, uint64_t place, const instar_counts *counts, uint8_t *headers, uint8_t *words)
    uint64_t instar_bundle_room(const uint8_t *headers, uint64_t headers_bytes, uint64_t words_bytes)
    uint64_t instar_bundle_join(const instar_kernels *kernels, const uint8_t *headers, const uint8_t *words, instar_ring *ring)


cdef class Frames:
    cdef instar_ring *held_in
    # Those whose keys the records name.
    cdef list added
    # What bundles are taken apart into, one after the other.
    cdef Mapping gathered
    cdef bint busy
    cdef int begin_use(self) except -1
    cdef list _frames(self)
    cdef list _places(self, int64_t low, int64_t high)
    cdef int _require(self, Column column, int64_t low, int64_t high) except -1


cdef class Bundle:
    cdef readonly int64_t oldest
    cdef readonly int64_t newest
    cdef readonly uint64_t count
    cdef readonly uint64_t ring_bytes
    cdef readonly dict bytes_by_column
    cdef readonly object headers
    cdef readonly object words


cdef class Joined(Frames):
    cdef instar_ring ring
    cdef Mapping memory
    cdef list frames
    cdef int64_t place_of(self, int64_t frame, bint back) except -2


cdef gather(Frames frames, int64_t oldest, uint64_t behind, int64_t after, uint64_t most_bytes, int64_t newest)
