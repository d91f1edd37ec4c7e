from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from instar.native.column cimport Column, instar_column
from instar.native.frames cimport Frames, instar_ring
from instar.native.kernels cimport instar_kernels
from instar.native.memory cimport Mapping

cdef extern from "ring/deltas.h" nogil:
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
        uint32_t cold
        instar_snapshot *snapshots
        instar_pool *pool
        uint8_t *staging

cdef extern from "ring/deltas.h" nogil:
    void instar_deltas_reset(instar_deltas *deltas, int64_t frame)
    uint64_t instar_deltas_commit(instar_deltas *deltas, int64_t frame, const uint32_t *keys, uint32_t count, instar_column *const *columns)
    uint64_t instar_deltas_used(const instar_deltas *deltas)
    void instar_deltas_keep_limit(instar_deltas *deltas)

cdef extern from "ring/ring.h" nogil:
    void instar_ring_give_back(instar_ring *ring)
    uint64_t instar_ring_touch(instar_ring *ring, uint64_t bytes)

cdef extern from "ring/travel.h" nogil:
    enum:
        INSTAR_COLD

    int instar_deltas_undo(instar_deltas *deltas, instar_column *const *columns)
    int instar_deltas_redo(instar_deltas *deltas, instar_column *const *columns)
    void instar_column_restore(const instar_kernels *kernels, instar_column *column)
    int instar_deltas_step(instar_deltas *deltas, const instar_ring *ring, uint64_t place, instar_column *const *columns)
    int64_t instar_deltas_ahead(const instar_deltas *deltas)

cdef extern from "ring/upkeep.h" nogil:
    void instar_deltas_drop(instar_deltas *deltas, uint64_t frames)
    void instar_deltas_bring_back(instar_deltas *deltas, const instar_ring *ring, uint64_t place)
    int instar_frame_mend(instar_deltas *deltas, uint64_t place)
    void instar_deltas_narrow(instar_deltas *deltas, uint64_t behind, uint64_t ahead)

cdef extern from "ring/snapshot.h" nogil:
    void instar_snapshots_complete(instar_deltas *deltas)
    void instar_snapshots_forget_complete(instar_deltas *deltas)

cdef extern from "plain/pool.h" nogil:
    instar_pool *instar_pool_start(unsigned threads)
    unsigned instar_pool_threads(const instar_pool *pool)
    void instar_pool_stop(instar_pool *pool)


cdef class History(Frames):
    cdef instar_deltas deltas
    cdef Mapping ring
    cdef Mapping staging
    # Names it in the columns that it knows, which do not keep it alive.
    cdef uint64_t number
    cdef instar_column **columns
    cdef uint32_t *chosen
    # The one that may still be taken; kept alive until it is complete.
    # Those whose bytes may still be read.
    cdef list snapshots
    cdef uint32_t choose(self, columns, bint keep_cold=*) except? 0xffffffff
    cdef int _travel(self, int way, const instar_ring *ring=*, uint64_t place=*) except -1
    cdef int _grow(self) except -1
    cdef uint64_t _mend(self, int64_t place, uint64_t count, bint back, int64_t frame, list mended, list lost) except? 0xffffffff
