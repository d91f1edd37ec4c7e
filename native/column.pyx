"""The bytes of one column: live, committed, and a checksum of each committed chunk."""

from cpython cimport array
import array
from cpython.buffer cimport PyBUF_WRITE, PyBuffer_Release
from cpython.memoryview cimport PyMemoryView_FromMemory
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from instar.native.buffers cimport borrow_bytes
from instar.native.dispatch cimport kernels, zero_chunk_crc
from instar.native.errors import InstarError
from instar.native.kernels cimport INSTAR_CHUNK_BYTES
from instar.native.memory cimport Mapping, move_into, reserve

cdef extern from "plain/pages.h" nogil:
    int instar_pages_give_back(uint8_t *data, uint64_t size)

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
    def live_views(self):
        return self.live_bytes.views

    @property
    def committed(self):
        self.warm()
        return memoryview(self.committed_bytes)

    @property
    def compared(self):
        return self.state.compared

    @property
    def packed(self):
        return self.packed_bytes

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
        self.expect(value)
        self.state.extent = value

    def expect(self, uint64_t nbytes):
        if nbytes > self.expected:
            self.live_bytes.expect(nbytes)
            self.committed_bytes.expect(nbytes)
            self.expected = nbytes

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

    def freeze(self, packed):
        if self.packed_bytes is not None:
            raise InstarError("the column's committed bytes are packed already; nothing was changed")
        if self.committed_bytes.views:
            return False
        self.packed_bytes = packed
        self.state.committed = NULL
        instar_pages_give_back(self.committed_bytes.data, self.state.capacity)
        return True

    cdef int warm(self) except -1:
        return 0 if self.packed_bytes is None else self._thaw()

    cdef int _thaw(self) except -1:
        """Bring the committed bytes back. Chunks that the packed ones do not give are those of live; the checksums tell of both."""
        cdef uint8_t *committed = self.committed_bytes.data
        cdef uint64_t chunk, at, chunks = (self.state.committed_extent + INSTAR_CHUNK_BYTES - 1) // INSTAR_CHUNK_BYTES
        instar_pages_give_back(committed, self.state.capacity)
        self.packed_bytes.unpack(PyMemoryView_FromMemory(<char *>committed, self.state.committed_extent, PyBUF_WRITE))
        with nogil:
            for chunk in range(chunks):
                at = chunk * INSTAR_CHUNK_BYTES
                if kernels.crc64(committed + at, INSTAR_CHUNK_BYTES, 0) ^ zero_chunk_crc != self.state.crcs[chunk]:
                    memcpy(committed + at, self.state.live + at, INSTAR_CHUNK_BYTES)
        self.state.committed = committed
        self.packed_bytes = None
        return 0

    cdef bint _live_is_committed(self) noexcept nogil:
        """Whether the live bytes have the checksums of the committed ones."""
        cdef uint64_t chunk, chunks = (self.state.committed_extent + INSTAR_CHUNK_BYTES - 1) // INSTAR_CHUNK_BYTES
        if self.state.extent != self.state.committed_extent:
            return False
        for chunk in range(chunks):
            if kernels.crc64(self.state.live + chunk * INSTAR_CHUNK_BYTES, INSTAR_CHUNK_BYTES, 0) ^ zero_chunk_crc != self.state.crcs[chunk]:
                return False
        return True

    def first_change(self):
        if self.packed_bytes is not None and self._live_is_committed():
            return None
        self.warm()
        cdef uint64_t at = 0, size = self.state.committed_extent, part = 0, i
        cdef const uint8_t *live = self.state.live
        cdef const uint8_t *committed = self.state.committed
        with nogil:
            while at < size:
                part = min(size - at, <uint64_t>INSTAR_CHUNK_BYTES)
                if memcmp(live + at, committed + at, part) != 0:
                    break
                at += part
            if at < size:
                while live[at] == committed[at]:
                    at += 1
        return at if at < size else None

    def load(self, data):
        cdef Py_buffer view
        cdef uint64_t at = 0, size
        borrow_bytes(&view, data, "data")
        try:
            if <uint64_t>view.len > self.state.capacity:
                raise InstarError(
                    f"a column of {self.state.capacity:,} bytes cannot hold {view.len:,}; it keeps what it has. Give it less"
                )
            self.state.committed = self.committed_bytes.data
            self.packed_bytes = None
            size = max(<uint64_t>view.len, max(self.state.extent, self.state.committed_extent))
            with nogil:
                while at < size:
                    self._load_chunk(at, <const uint8_t *>view.buf, view.len)
                    at += INSTAR_CHUNK_BYTES
                self.state.extent = self.state.committed_extent = view.len
        finally:
            PyBuffer_Release(&view)

    cdef void _load_chunk(self, uint64_t at, const uint8_t *data, uint64_t length) noexcept nogil:
        """Chunks that are zero now and before are not touched, so that they take no memory."""
        cdef uint64_t given = min(length - at, <uint64_t>INSTAR_CHUNK_BYTES) if at < length else 0
        cdef bint used = at < self.state.extent or at < self.state.committed_extent
        if not used and (given == 0 or (data[at] == 0 and memcmp(data + at, data + at + 1, given - 1) == 0)):
            self.state.crcs[at // INSTAR_CHUNK_BYTES] = 0
            return
        memcpy(self.state.committed + at, data + at, given)
        memset(self.state.committed + at + given, 0, INSTAR_CHUNK_BYTES - given)
        memcpy(self.state.live + at, self.state.committed + at, INSTAR_CHUNK_BYTES)
        self.state.crcs[at // INSTAR_CHUNK_BYTES] = kernels.crc64(self.state.committed + at, INSTAR_CHUNK_BYTES, 0) ^ zero_chunk_crc

    def fill(self, cell, uint64_t count):
        cdef Py_buffer view
        cdef uint64_t size
        borrow_bytes(&view, cell, "cell")
        try:
            self._require_unowned()
            size = <uint64_t>view.len * count
            if view.len == 0 or size > self.state.capacity or (count and size // count != <uint64_t>view.len):
                raise InstarError(
                    f"a column of {self.state.capacity:,} bytes cannot hold {count:,} cells of {view.len:,}; nothing was changed"
                )
            self.expect(size)
            with nogil:
                self._clear()
            if not _is_zero(<const uint8_t *>view.buf, view.len):
                with nogil:
                    self._fill_chunks(<const uint8_t *>view.buf, view.len, size)
            self.state.extent = self.state.committed_extent = size
        finally:
            PyBuffer_Release(&view)

    cdef void _fill_chunks(self, const uint8_t *cell, uint64_t cell_bytes, uint64_t size) noexcept nogil:
        """Each chunk is made of the one before where the cells lie alike in both, so that only writing takes memory's time."""
        cdef uint8_t chunk[INSTAR_CHUNK_BYTES]
        cdef uint64_t at = 0, part = 0, have, crc = 0, phase, made = cell_bytes
        while at < size:
            part = min(size - at, <uint64_t>INSTAR_CHUNK_BYTES)
            phase = at % cell_bytes
            if phase != made or part < INSTAR_CHUNK_BYTES:
                have = min(part, cell_bytes - phase)
                memcpy(chunk, cell + phase, have)
                memcpy(chunk + have, cell, min(part - have, phase))
                have = min(part, cell_bytes)
                while have < part:
                    memcpy(chunk + have, chunk, min(have, part - have))
                    have += min(have, part - have)
                memset(chunk + part, 0, INSTAR_CHUNK_BYTES - part)
                crc = kernels.crc64(chunk, INSTAR_CHUNK_BYTES, 0) ^ zero_chunk_crc
                made = phase
            memcpy(self.state.live + at, chunk, part)
            memcpy(self.state.committed + at, chunk, part)
            self.state.crcs[at // INSTAR_CHUNK_BYTES] = crc
            at += INSTAR_CHUNK_BYTES

    def touch(self, uint64_t nbytes):
        cdef uint64_t at = 0, size = min(nbytes, self.state.capacity)
        cdef volatile uint8_t *live = self.state.live
        cdef volatile uint8_t *committed = self.state.committed
        self._require_unused()
        self.expect(size)
        with nogil:
            while at < size:
                live[at] = 0
                committed[at] = 0
                at += 4096

    def settle(self, uint64_t nbytes):
        cdef uint64_t at = 0, part
        self._require_unused()
        if nbytes > self.state.capacity:
            raise InstarError(f"a column of {self.state.capacity:,} bytes cannot hold {nbytes:,}; nothing was changed")
        self.expect(nbytes)
        with nogil:
            while at < nbytes:
                part = min(nbytes - at, <uint64_t>INSTAR_CHUNK_BYTES)
                memcpy(self.state.committed + at, self.state.live + at, part)
                self.state.crcs[at // INSTAR_CHUNK_BYTES] = kernels.crc64(self.state.committed + at, INSTAR_CHUNK_BYTES, 0) ^ zero_chunk_crc
                at += INSTAR_CHUNK_BYTES
            self.state.extent = self.state.committed_extent = nbytes

    cdef void _clear(self) noexcept nogil:
        """Zero what an earlier `fill` left."""
        cdef uint64_t at = 0
        while at < self.state.extent:
            memset(self.state.live + at, 0, INSTAR_CHUNK_BYTES)
            memset(self.state.committed + at, 0, INSTAR_CHUNK_BYTES)
            self.state.crcs[at // INSTAR_CHUNK_BYTES] = 0
            at += INSTAR_CHUNK_BYTES
        self.state.extent = self.state.committed_extent = 0

    cdef int _require_unowned(self) except -1:
        if self.owner != 0:
            raise InstarError("a history knows the column; it keeps what it has. Take a new one")
        return 0

    cdef int _require_unused(self) except -1:
        self._require_unowned()
        if self.state.extent or self.state.committed_extent:
            raise InstarError("the column is in use; it keeps what it has. Take a new one")
        return 0

    def renew(self, uint64_t capacity_bytes=0):
        cdef uint64_t chunks = (capacity_bytes + INSTAR_CHUNK_BYTES - 1) // INSTAR_CHUNK_BYTES
        cdef uint64_t used = min(self.state.capacity, max(self.state.extent, self.state.committed_extent) + INSTAR_CHUNK_BYTES)
        cdef uint64_t capacity = max(self.state.capacity, chunks * INSTAR_CHUNK_BYTES)
        cdef Mapping live, committed, crcs
        if capacity_bytes > MOST_BYTES:
            raise InstarError(f"a column holds at most {MOST_BYTES:,} bytes, not {capacity_bytes:,}; nothing was changed")
        if capacity == self.state.capacity:
            if self.live_bytes.views:
                live = reserve(capacity, False, "a column's live bytes")
                move_into(live, self.live_bytes, used)
                self.live_bytes = live
                self.state.live = live.data
            return
        self.warm()
        chunks = capacity // INSTAR_CHUNK_BYTES
        # All three are there before any of them moves.
        live = reserve(capacity, False, "a column's live bytes")
        committed = reserve(capacity, True, "a column's committed bytes")
        crcs = reserve(chunks * sizeof(uint64_t), True, "a column's checksums")
        move_into(live, self.live_bytes, used)
        move_into(committed, self.committed_bytes, used)
        move_into(crcs, self.crcs, self.state.capacity // INSTAR_CHUNK_BYTES * sizeof(uint64_t))
        self.live_bytes, self.committed_bytes, self.crcs = live, committed, crcs
        self.state.live, self.state.committed, self.state.crcs = live.data, committed.data, <uint64_t *>crcs.data
        self.state.capacity = capacity


cdef bint _is_zero(const uint8_t *data, uint64_t size) noexcept:
    return size == 0 or (data[0] == 0 and memcmp(data, data + 1, size - 1) == 0)
