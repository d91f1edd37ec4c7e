"""CRC-64/NVME of whole buffers."""

from cpython.buffer cimport PyBuffer_Release
from libc.stdint cimport uint8_t, uint64_t

from instar.native.buffers cimport borrow_bytes
from instar.native.dispatch cimport kernels


def crc64(data, uint64_t crc=0):
    cdef Py_buffer view
    borrow_bytes(&view, data, "data")
    try:
        with nogil:
            crc = kernels.crc64(<const uint8_t *>view.buf, view.len, crc)
    finally:
        PyBuffer_Release(&view)
    return crc
