"""Blocks of elements, brought into a form that compresses well, and back."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython cimport array
import array
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcmp, memcpy

from instar.native.buffers cimport borrow_bytes
from instar.native.dispatch cimport kernels
from instar.native.errors import InstarError
from instar.native.kernels cimport INSTAR_CHUNK_BYTES

cdef extern from "kernels/shuffle.h" nogil:
    ctypedef struct instar_shuffles:
        void (*shuffle)(const uint8_t *data, uint8_t *out, size_t count, size_t size) noexcept nogil
        void (*unshuffle)(const uint8_t *data, uint8_t *out, size_t count, size_t size) noexcept nogil
        void (*spread_bits)(const uint8_t *data, uint8_t *out, size_t count) noexcept nogil
        void (*gather_bits)(const uint8_t *data, uint8_t *out, size_t count) noexcept nogil

    const instar_shuffles *instar_shuffles_of(const char *isa)

cdef const instar_shuffles *shuffles = instar_shuffles_of(kernels.isa)

cdef array.array NO_CRCS = array.array("Q")
cdef const uint8_t[INSTAR_CHUNK_BYTES] ZEROS

ELEMENT_BYTES = (1, 2, 4, 8)


cdef class Shuffler:
    cdef uint8_t *room
    cdef object memory
    cdef size_t capacity

    def __init__(self, size_t capacity):
        self.memory = bytearray(capacity)
        self.room = <uint8_t *>self.memory
        self.capacity = capacity

    def shuffle(self, data, out, size_t size):
        self._run(data, out, size, False, False)

    def unshuffle(self, data, out, size_t size):
        self._run(data, out, size, True, False)

    def bit_shuffle(self, data, out, size_t size):
        self._run(data, out, size, False, True)

    def bit_unshuffle(self, data, out, size_t size):
        self._run(data, out, size, True, True)

    cdef int _run(self, data, out, size_t size, bint back, bint bits) except -1:
        cdef Py_buffer source, target
        if size not in ELEMENT_BYTES:
            raise InstarError(f"elements of {size} bytes cannot be shuffled; nothing was written. Use one of {ELEMENT_BYTES}")
        borrow_bytes(&source, data, "data")
        try:
            PyObject_GetBuffer(out, &target, PyBUF_SIMPLE | PyBUF_WRITABLE)
            try:
                self._check(&source, &target)
                with nogil:
                    _transform(<const uint8_t *>source.buf, <uint8_t *>target.buf, self.room, source.len, size, back, bits)
            finally:
                PyBuffer_Release(&target)
        except (TypeError, ValueError, BufferError) as error:
            raise InstarError(f"out must be writable contiguous bytes, got {type(out).__name__}: {error}. Nothing was written") from None
        finally:
            PyBuffer_Release(&source)
        return 0

    cdef int _check(self, Py_buffer *source, Py_buffer *target) except -1:
        if source.len > target.len or <size_t>source.len > self.capacity:
            raise InstarError(
                f"{source.len:,} bytes do not fit into {min(<size_t>target.len, self.capacity):,}; nothing was written"
            )
        cdef uint8_t *a = <uint8_t *>source.buf
        cdef uint8_t *b = <uint8_t *>target.buf
        if source.len and a < b + source.len and b < a + source.len:
            raise InstarError("data and out overlap; nothing was written. Give out bytes of its own")
        return 0


cdef void _transform(
    const uint8_t *data, uint8_t *out, uint8_t *room, size_t length, size_t size, bint back, bint bits
) noexcept nogil:
    """Whole elements, for bits in eights, are transformed; what is left of the bytes is copied as it is."""
    cdef size_t count = length // size
    cdef size_t plane
    if bits:
        count = count // 8 * 8
    cdef size_t head = count * size
    memcpy(out + head, data + head, length - head)
    if not bits:
        if size == 1:
            memcpy(out, data, head)
        elif back:
            shuffles.unshuffle(data, out, count, size)
        else:
            shuffles.shuffle(data, out, count, size)
    elif back:
        for plane in range(size):
            shuffles.gather_bits(data + plane * count, (out if size == 1 else room) + plane * count, count)
        if size > 1:
            shuffles.unshuffle(room, out, count, size)
    else:
        if size > 1:
            shuffles.shuffle(data, room, count, size)
        for plane in range(size):
            shuffles.spread_bits((data if size == 1 else room) + plane * count, out + plane * count, count)


def chunk_crcs(data):
    cdef Py_buffer view
    cdef uint64_t chunk, count, last
    cdef uint64_t *crcs
    cdef array.array found
    borrow_bytes(&view, data, "data")
    try:
        count = (view.len + INSTAR_CHUNK_BYTES - 1) // INSTAR_CHUNK_BYTES
        last = view.len - (count - 1) * INSTAR_CHUNK_BYTES if count else 0
        found = array.clone(NO_CRCS, count, zero=False)
        crcs = <uint64_t *>found.data.as_ulonglongs
        with nogil:
            for chunk in range(count):
                crcs[chunk] = kernels.crc64(
                    <const uint8_t *>view.buf + chunk * INSTAR_CHUNK_BYTES, last if chunk + 1 == count else INSTAR_CHUNK_BYTES, 0
                )
            if last:
                crcs[count - 1] = kernels.crc64(ZEROS, INSTAR_CHUNK_BYTES - last, crcs[count - 1])
    finally:
        PyBuffer_Release(&view)
    return found


def all_zero(data):
    cdef Py_buffer view
    cdef bint zero
    borrow_bytes(&view, data, "data")
    cdef const uint8_t *start = <const uint8_t *>view.buf
    try:
        with nogil:
            zero = view.len == 0 or (start[0] == 0 and memcmp(start, start + 1, view.len - 1) == 0)
    finally:
        PyBuffer_Release(&view)
    return zero
