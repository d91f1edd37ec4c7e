"""The committed bytes of columns in one frame, taken beside the frames that follow."""

from cpython.buffer cimport PyBUF_WRITE
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from cpython.memoryview cimport PyMemoryView_FromMemory
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from instar.native.column cimport Column, instar_column
from instar.native.errors import HistoryError, InstarError
from instar.native.history cimport History, instar_deltas
from instar.native.kernels cimport INSTAR_CHUNK_BYTES
from instar.native.memory cimport Mapping, reserve

cdef extern from "ring/snapshot.h" nogil:
    ctypedef struct instar_snapshot_column:
        instar_column *column
        uint32_t key
        uint64_t bytes
        uint8_t *target

    ctypedef struct instar_snapshot:
        int64_t frame
        uint64_t pieces
        uint64_t done
        int damaged

    void instar_snapshot_begin(instar_snapshot *snapshot, instar_deltas *deltas, instar_snapshot_column *columns, uint32_t count)
    void instar_snapshot_complete(instar_snapshot *snapshot)
    void instar_snapshot_let_go(instar_snapshot *snapshot)
    uint64_t instar_snapshot_followed(const instar_snapshot *snapshot)


cdef class Snapshot:
    cdef instar_snapshot state
    cdef instar_snapshot_column *parts
    cdef History history
    cdef tuple columns
    cdef Mapping target
    cdef list places
    # Of columns whose committed bytes are packed: what they are packed in.
    cdef list packed
    cdef readonly tuple extents
    cdef readonly tuple chunk_crcs

    def __init__(self, History history not None, columns):
        cdef uint32_t count
        if self.columns is not None:
            raise InstarError("a Snapshot is initialised once; it keeps its bytes. Make a new one")
        history.begin_use()
        try:
            self.columns = tuple(columns)
            count = history.choose(self.columns, True)
            self.parts = <instar_snapshot_column *>PyMem_Calloc(len(self.columns) + 1, sizeof(instar_snapshot_column))
            if self.parts == NULL:
                raise MemoryError
            self._lay_out()
            with nogil:
                instar_snapshot_begin(&self.state, &history.deltas, self.parts, count)
            self.history = history
            history.snapshots.append(self)
        finally:
            history.busy = False

    def __dealloc__(self):
        PyMem_Free(self.parts)

    @property
    def frame(self):
        return self.state.frame

    @property
    def complete(self):
        return self.state.done >= self.state.pieces

    @property
    def followed_bytes(self):
        return 0 if self.complete else instar_snapshot_followed(&self.state)

    def abandon(self):
        with nogil:
            instar_snapshot_let_go(&self.state)

    def take(self):
        with nogil:
            instar_snapshot_complete(&self.state)
        self.history = None
        if self.state.damaged:
            raise HistoryError(
                f"frame {self.state.frame} cannot be taken: a record of the history that leads back to it is damaged. The world goes "
                f"on; validate(repair=True) mends the history, then take another"
            )
        if self.target is None:
            raise InstarError(f"the bytes of frame {self.state.frame} were taken before; they belong to who took them")
        self._unpack()
        # Who takes the bytes gives their memory back, in a thread of its own choice.
        whole, self.target = memoryview(self.target), None
        return [whole[place : place + extent] for place, extent in zip(self.places, self.extents)]

    cdef int _unpack(self) except -1:
        cdef uint64_t place
        for i, packed in enumerate(self.packed):
            if packed is not None:
                place = self.places[i]
                packed.unpack(PyMemoryView_FromMemory(<char *>self.target.data + place, self.extents[i], PyBUF_WRITE))
        self.packed = []
        return 0

    cdef int _lay_out(self) except -1:
        """Room for the bytes of each column; extents and checksums as they are now."""
        cdef Column column
        cdef uint64_t chunks, total = 0
        cdef Py_ssize_t i
        self.places = []
        self.packed = []
        for i, column in enumerate(self.columns):
            chunks = (column.state.committed_extent + INSTAR_CHUNK_BYTES - 1) // INSTAR_CHUNK_BYTES
            self.parts[i].column = &column.state
            self.parts[i].key = column.key
            self.places.append(total)
            self.packed.append(column.packed_bytes)
            self.parts[i].bytes = chunks * INSTAR_CHUNK_BYTES if column.packed_bytes is None else 0
            total += chunks * INSTAR_CHUNK_BYTES
        self.target = reserve(total + 1, True, "a snapshot")
        self.target.expect(total)
        for i in range(len(self.columns)):
            self.parts[i].target = self.target.data + <uint64_t>self.places[i]
        self.extents = tuple([column.committed_extent for column in self.columns])
        self.chunk_crcs = tuple([column.chunk_crcs() for column in self.columns])
        return 0
