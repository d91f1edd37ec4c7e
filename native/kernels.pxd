# The C kernels, as Cython sees them. No module of this name exists: it only declares.
from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef extern from "kernels/kernels.h" nogil:
    enum:
        INSTAR_LINE_BYTES
        INSTAR_CHUNK_BYTES

    ctypedef struct instar_kernels:
        const char *isa
        uint32_t (*restore_chunk)(uint8_t *live, const uint8_t *committed) noexcept nogil
        uint64_t (*crc64)(const uint8_t *data, size_t size, uint64_t crc) noexcept nogil

cdef extern from "kernels/detect.h" nogil:
    enum:
        INSTAR_MAX_PATHS

    void instar_detect(const instar_kernels **paths)

cdef extern from "kernels/crc64.h" nogil:
    ctypedef struct instar_crc64_tables:
        uint64_t zero_chunk

    const instar_crc64_tables instar_crc64
