"""Whether memory still is what was committed, and the mending of what is not."""

from collections import namedtuple

from cpython.buffer cimport PyBuffer_Release
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from instar.native.buffers cimport borrow_bytes
from instar.native.column cimport Column, instar_column
from instar.native.dispatch cimport kernels, zero_chunk_crc
from instar.native.errors import InstarError
from instar.native.frames cimport instar_frame_at, instar_frame_known, instar_ring, instar_ring_between
from instar.native.history cimport History, instar_deltas
from instar.native.kernels cimport INSTAR_CHUNK_BYTES, instar_kernels

cdef extern from "plain/bounds.h" nogil:
    ctypedef enum instar_element:
        INSTAR_ANY
        INSTAR_F32
        INSTAR_F64
        INSTAR_I8
        INSTAR_I16
        INSTAR_I32
        INSTAR_I64
        INSTAR_U8
        INSTAR_U16
        INSTAR_U32
        INSTAR_U64

    ctypedef union instar_number:
        double real
        int64_t integer
        uint64_t natural

    ctypedef struct instar_bounds:
        instar_element element
        instar_number low
        instar_number high

    uint64_t instar_count_outside(const void *values, uint64_t size, const instar_bounds *bounds)

cdef extern from "plain/integrity.h" nogil:
    ctypedef struct instar_suspect:
        uint64_t chunk
        uint64_t syndrome
        uint32_t lines
        uint32_t outside
        uint32_t past_end

    uint32_t instar_check_chunks(const instar_kernels *kernels, uint64_t zero_chunk_crc, const instar_column *column,
                                 uint64_t first, uint64_t *stop, bint with_live, const instar_bounds *bounds,
                                 instar_suspect *suspects, uint32_t room)
    int64_t instar_find_flip(uint64_t syndrome, uint64_t size)
    int instar_frame_verify(const instar_kernels *kernels, const instar_ring *ring, uint64_t frame, uint64_t *at, uint64_t size, uint64_t *seen)

cdef extern from "plain/identities.h" nogil:
    uint64_t instar_count_stray_rows(const uint64_t *ids, uint64_t first, uint64_t stop, const uint64_t *slots,
                                     uint64_t slot_count, uint64_t *row)
    uint64_t instar_count_dead_slots(const uint64_t *slots, uint64_t slot_count, uint64_t *retired)
    uint64_t instar_count_bad_free(const uint32_t *free_list, uint64_t count, const uint64_t *slots, uint64_t slot_count,
                                   uint8_t *seen)
    uint64_t instar_count_dangling(const uint64_t *references, uint64_t first, uint64_t stop, const uint64_t *slots,
                                   uint64_t slot_count, uint64_t *place)


cdef enum:
    ROOM = 64
    # About what the record of a frame itself takes.
    FRAME_BYTES = 64

Suspect = namedtuple("Suspect", "chunk syndrome lines outside past_end")

cdef dict ELEMENTS = {
    "f32": INSTAR_F32, "f64": INSTAR_F64, "i8": INSTAR_I8, "i16": INSTAR_I16, "i32": INSTAR_I32, "i64": INSTAR_I64,
    "u8": INSTAR_U8, "u16": INSTAR_U16, "u32": INSTAR_U32, "u64": INSTAR_U64, "bool": INSTAR_U8,
}


cdef class Bounds:
    cdef instar_bounds bounds

    def __init__(self, element, low, high):
        if element not in ELEMENTS:
            raise InstarError(f"{element!r} names no element (there are {', '.join(ELEMENTS)})")
        self.bounds.element = ELEMENTS[element]
        if element[0] == "f":
            self.bounds.low.real = low
            self.bounds.high.real = high
        elif element[0] == "i":
            self.bounds.low.integer = low
            self.bounds.high.integer = high
        else:
            self.bounds.low.natural = low
            self.bounds.high.natural = high


def check_chunks(Column column not None, uint64_t first, uint64_t stop, *, bint with_live, Bounds bounds=None):
    cdef instar_suspect found[ROOM]
    cdef instar_bounds wanted
    cdef uint64_t end
    cdef uint32_t i, count = ROOM
    if bounds is None:
        wanted.element = INSTAR_ANY
    else:
        wanted = bounds.bounds
    column.warm()
    suspects = []
    while count == ROOM and first < stop:
        end = stop
        with nogil:
            count = instar_check_chunks(kernels, zero_chunk_crc, &column.state, first, &end, with_live, &wanted, found, ROOM)
        suspects += [
            Suspect(found[i].chunk, found[i].syndrome, found[i].lines, found[i].outside, found[i].past_end) for i in range(count)
        ]
        first = end
    return suspects


def count_outside(data, Bounds bounds not None):
    cdef Py_buffer view
    cdef uint64_t outside
    borrow_bytes(&view, data, "data")
    try:
        with nogil:
            outside = instar_count_outside(view.buf, view.len, &bounds.bounds)
    finally:
        PyBuffer_Release(&view)
    return outside


def watch(Column column not None, Bounds bounds):
    column.watched = bounds
    column.state.watched = NULL if bounds is None else &bounds.bounds
    column.state.outside = 0
    column.state.first_outside = <uint64_t>-1


def seen_outside(Column column not None):
    if column.state.outside == 0:
        return None
    chunk = column.state.first_outside
    column.state.outside = 0
    column.state.first_outside = <uint64_t>-1
    return chunk


def live_is_committed(Column column not None, uint64_t first, uint64_t stop):
    cdef uint64_t chunk, end = min(stop, (column.state.committed_extent + INSTAR_CHUNK_BYTES - 1) // INSTAR_CHUNK_BYTES)
    cdef bint same = True
    with nogil:
        for chunk in range(first, end):
            same &= kernels.crc64(column.state.live + chunk * INSTAR_CHUNK_BYTES, INSTAR_CHUNK_BYTES, 0) ^ zero_chunk_crc == column.state.crcs[chunk]
    return same


def find_flip(uint64_t syndrome, uint64_t size):
    cdef int64_t bit
    with nogil:
        bit = instar_find_flip(syndrome, size)
    return None if bit < 0 else bit


def crc64(data, uint64_t crc=0):
    cdef Py_buffer view
    borrow_bytes(&view, data, "data")
    try:
        with nogil:
            crc = kernels.crc64(<const uint8_t *>view.buf, view.len, crc)
    finally:
        PyBuffer_Release(&view)
    return crc


def linear_crc(data):
    cdef Py_buffer view
    cdef uint64_t crc
    borrow_bytes(&view, data, "data")
    try:
        with nogil:
            # Continuing from all bits set undoes the inversion at the beginning.
            crc = ~kernels.crc64(<const uint8_t *>view.buf, view.len, ~<uint64_t>0)
    finally:
        PyBuffer_Release(&view)
    return crc


def mend_committed(Column column not None, uint64_t chunk, data):
    cdef Py_buffer view
    _check_chunk(column, chunk)
    borrow_bytes(&view, data, "data")
    try:
        if view.len != INSTAR_CHUNK_BYTES:
            raise InstarError(f"a chunk has {INSTAR_CHUNK_BYTES} bytes, {view.len} were given; nothing was changed")
        memcpy(column.state.committed + chunk * INSTAR_CHUNK_BYTES, view.buf, INSTAR_CHUNK_BYTES)
    finally:
        PyBuffer_Release(&view)


def mend_live(Column column not None, uint64_t chunk):
    _check_chunk(column, chunk)
    cdef uint64_t at = chunk * INSTAR_CHUNK_BYTES
    return kernels.restore_chunk(column.state.live + at, column.state.committed + at)


def mend_crc(Column column not None, uint64_t chunk):
    _check_chunk(column, chunk)
    column.state.crcs[chunk] = zero_chunk_crc ^ kernels.crc64(
        column.state.committed + chunk * INSTAR_CHUNK_BYTES, INSTAR_CHUNK_BYTES, 0
    )


def mend_past_end(Column column not None):
    cdef uint64_t used = column.state.committed_extent % INSTAR_CHUNK_BYTES
    if used != 0:
        memset(column.state.live + column.state.committed_extent, 0, INSTAR_CHUNK_BYTES - used)


def flip(Column column not None, str where, uint64_t byte, int bit):
    cdef uint8_t *memory
    cdef uint64_t room = column.state.capacity
    if where == "live":
        memory = column.state.live
    elif where == "committed":
        column.warm()
        memory = column.state.committed
    elif where == "crc":
        memory = <uint8_t *>column.state.crcs
        room = column.state.capacity // INSTAR_CHUNK_BYTES * sizeof(uint64_t)
    else:
        raise InstarError(f"{where!r} is no memory of a column (there are live, committed, crc); nothing was changed")
    if byte >= room or not 0 <= bit < 8:
        raise InstarError(f"bit {bit} of byte {byte:,} lies outside a column's {room:,} bytes; nothing was changed")
    memory[byte] ^= <uint8_t>1 << bit


def flip_record(History history not None, uint64_t byte, int bit):
    cdef instar_ring *ring = &history.deltas.ring
    cdef uint64_t held = instar_ring_between(ring, ring.tail, ring.head)
    if byte >= held or not 0 <= bit < 8:
        raise InstarError(f"bit {bit} of byte {byte:,} lies outside the {held:,} bytes of the history's ring in use; nothing was changed")
    ring.base[(ring.tail + byte) % ring.bytes] ^= <uint8_t>1 << bit


cdef class RecordWalk:
    cdef History history
    cdef uint64_t place, at
    cdef int64_t frame
    cdef readonly bint done
    cdef readonly bint astray

    def __init__(self, History history not None):
        self.history = history
        self.place = self.at = history.deltas.at
        self.frame = history.deltas.current

    def advance(self, uint64_t size):
        cdef instar_deltas *deltas = &self.history.deltas
        cdef uint64_t seen = 0
        cdef int status = 1
        self.history.begin_use()
        try:
            with nogil:
                while status > 0 and seen < size and self.frame > deltas.oldest:
                    if not self._is_where_it_was():
                        self.astray = True
                        break
                    status = instar_frame_verify(deltas.kernels, &deltas.ring, self.place, &self.at, size, &seen)
                    if status > 0:
                        seen += FRAME_BYTES
                        self.frame = instar_frame_at(&deltas.ring, self.place).frame_before
                        self.place = self.at = instar_frame_at(&deltas.ring, self.place).previous
        finally:
            self.history.busy = False
        self.done = self.frame <= deltas.oldest
        return seen, status >= 0

    cdef bint _is_where_it_was(self) noexcept nogil:
        """Whether the frame that comes next is still held, and its record where it was when the frame after it told."""
        cdef instar_deltas *deltas = &self.history.deltas
        return (
            self.frame <= deltas.current
            and instar_frame_known(deltas.kernels, &deltas.ring, self.place)
            and instar_frame_at(&deltas.ring, self.place).frame == self.frame
        )


def stray_rows(Column ids not None, uint64_t first, uint64_t stop, Column slots not None, uint64_t slot_count):
    cdef uint64_t row = 0, count
    _check_room(ids, 8 * stop)
    _check_room(slots, 8 * slot_count)
    with nogil:
        count = instar_count_stray_rows(
            <uint64_t *>ids.state.committed, first, stop, <uint64_t *>slots.state.committed, slot_count, &row
        )
    return count, row


def dead_slots(Column slots not None, uint64_t slot_count):
    cdef uint64_t retired = 0, dead
    _check_room(slots, 8 * slot_count)
    with nogil:
        dead = instar_count_dead_slots(<uint64_t *>slots.state.committed, slot_count, &retired)
    return dead, retired


def bad_free(Column free_list not None, uint64_t count, Column slots not None, uint64_t slot_count):
    cdef uint64_t bad
    _check_room(free_list, 4 * count)
    _check_room(slots, 8 * slot_count)
    seen = bytearray(slot_count // 8 + 1)
    cdef uint8_t[::1] bits = seen
    with nogil:
        bad = instar_count_bad_free(
            <uint32_t *>free_list.state.committed, count, <uint64_t *>slots.state.committed, slot_count, &bits[0]
        )
    return bad


def dangling(Column references not None, uint64_t first, uint64_t stop, Column slots not None, uint64_t slot_count):
    cdef uint64_t place = 0, count
    _check_room(references, 8 * stop)
    _check_room(slots, 8 * slot_count)
    with nogil:
        count = instar_count_dangling(
            <uint64_t *>references.state.committed, first, stop, <uint64_t *>slots.state.committed, slot_count, &place
        )
    return count, place


cdef int _check_chunk(Column column, uint64_t chunk) except -1:
    if chunk >= column.state.capacity // INSTAR_CHUNK_BYTES:
        raise InstarError(f"chunk {chunk} lies outside the column's {column.state.capacity:,} bytes; nothing was changed")
    return column.warm()


cdef int _check_room(Column column, uint64_t size) except -1:
    if size > column.state.capacity:
        raise InstarError(f"{size:,} bytes lie outside a column of {column.state.capacity:,}; nothing was checked")
    return column.warm()
