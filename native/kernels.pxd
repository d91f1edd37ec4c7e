# The C kernels, as Cython sees them. No module of this name exists: it only declares.
from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef extern from "kernels/kernels.h" nogil:
    enum:
        INSTAR_LINE_BYTES
        INSTAR_CHUNK_BYTES
        INSTAR_CHUNK_LINES
        INSTAR_WORD_BYTES
        INSTAR_LINE_WORDS
        INSTAR_ELEMENTS_HEADER_BYTES
        INSTAR_ELEMENTS_MOST_BYTES
        INSTAR_ELEMENTS_ROOM

    ctypedef struct instar_delta_size:
        uint32_t lines
        uint32_t words
        uint32_t bytes

    ctypedef struct instar_kernels:
        const char *isa
        instar_delta_size (*commit_elements)(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc) noexcept nogil
        instar_delta_size (*commit_dense)(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc) noexcept nogil
        void (*fence)() noexcept nogil
        void (*apply_elements)(uint8_t *live, uint8_t *committed, const uint8_t *delta, uint32_t bytes) noexcept nogil
        void (*apply_dense)(uint8_t *live, uint8_t *committed, const uint8_t *delta) noexcept nogil
        uint64_t (*elements_crc)(const uint8_t *delta, uint32_t bytes) noexcept nogil
        uint32_t (*restore_chunk)(uint8_t *live, const uint8_t *committed) noexcept nogil
        uint32_t (*check_chunk)(const uint8_t *live, const uint8_t *committed, uint64_t *crc) noexcept nogil
        uint64_t (*crc64)(const uint8_t *data, size_t size, uint64_t crc) noexcept nogil

cdef extern from "kernels/detect.h" nogil:
    enum:
        INSTAR_MAX_PATHS

    void instar_detect(const instar_kernels **paths)

cdef extern from "kernels/crc64.h" nogil:
    ctypedef struct instar_crc64_tables:
        uint64_t zero_chunk

    const instar_crc64_tables instar_crc64

    uint64_t instar_crc64_linear(const uint8_t *data, size_t size, uint64_t linear)
