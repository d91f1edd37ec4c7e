"""The bytes of one column: live, committed, and a checksum of each committed chunk."""

from cpython cimport array
import array
from libc.stdint cimport uint64_t

from instar.native.dispatch cimport zero_chunk_crc
from instar.native.errors import InstarError
from instar.native.kernels cimport INSTAR_CHUNK_BYTES
from instar.native.memory cimport Mapping, reserve

cdef uint64_t MOST_BYTES = <uint64_t>1 << 46
cdef array.array NO_CRCS = array.array("Q")


cdef class Column:
    def __init__(self, capacity_bytes):
        if self.live_bytes is not None:
            raise InstarError("a Column is initialised once; its bytes are kept. Make a new one")
        if not 1 <= capacity_bytes <= MOST_BYTES:
            raise InstarError(
                f"a column's capacity must lie between 1 and {MOST_BYTES:,} bytes, got {capacity_bytes:,}; nothing was reserved"
            )
        cdef uint64_t chunks = (capacity_bytes + INSTAR_CHUNK_BYTES - 1) // INSTAR_CHUNK_BYTES
        self.state.capacity = chunks * INSTAR_CHUNK_BYTES
        self.live_bytes = reserve(self.state.capacity, False, "a column's live bytes")
        self.committed_bytes = reserve(self.state.capacity, True, "a column's committed bytes")
        self.crcs = reserve(chunks * sizeof(uint64_t), True, "a column's checksums")
        self.state.live = self.live_bytes.data
        self.state.committed = self.committed_bytes.data
        self.state.crcs = <uint64_t *>self.crcs.data

    @property
    def live(self):
        return memoryview(self.live_bytes)

    @property
    def committed(self):
        return memoryview(self.committed_bytes)

    @property
    def capacity_bytes(self):
        return self.state.capacity

    @property
    def extent(self):
        return self.state.extent

    @extent.setter
    def extent(self, value):
        if not 0 <= value <= self.state.capacity:
            raise InstarError(
                f"a column of {self.state.capacity:,} bytes cannot have an extent of {value:,}; it keeps {self.state.extent:,}"
            )
        self.state.extent = value

    @property
    def committed_extent(self):
        return self.state.committed_extent

    def chunk_crcs(self):
        cdef uint64_t chunks = (self.state.committed_extent + INSTAR_CHUNK_BYTES - 1) // INSTAR_CHUNK_BYTES
        cdef uint64_t chunk
        cdef array.array crcs = array.clone(NO_CRCS, chunks, zero=False)
        for chunk in range(chunks):
            crcs.data.as_ulonglongs[chunk] = self.state.crcs[chunk] ^ zero_chunk_crc
        return crcs

    def seal(self):
        self.live_bytes.seal()
        # From here on the history's undo, redo and discard act on the committed bytes alone.
        self.state.live = self.state.committed
