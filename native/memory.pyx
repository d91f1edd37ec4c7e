"""Reserved address space: a mapping that never moves and takes memory only where it is written."""

import mmap

from cpython.buffer cimport PyBuffer_FillInfo
from libc.errno cimport errno
from libc.stdint cimport uint8_t
from libc.string cimport memcpy, strerror

from instar.native.errors import InstarError, ReservationError

cdef extern from *:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <stdint.h>
    #include <string.h>
    #include <sys/mman.h>
    #include <unistd.h>

    enum { INSTAR_LARGE_PAGE = 2 << 20 };

    /* At a boundary of large pages where it holds one. */
    static uint8_t *instar_reserve(size_t bytes) {
        size_t spare = bytes >= INSTAR_LARGE_PAGE ? INSTAR_LARGE_PAGE : 0;
        uint8_t *data = mmap(NULL, bytes + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);
        if (data == MAP_FAILED) return NULL;
        size_t before = spare ? -(uintptr_t)data & (INSTAR_LARGE_PAGE - 1) : 0, page = (size_t)sysconf(_SC_PAGESIZE);
        size_t end = (before + bytes + page - 1) & ~(page - 1), whole = (bytes + spare + page - 1) & ~(page - 1);
        if (before) munmap(data, before);
        if (end < whole) munmap(data + end, whole - end);
        data += before;
    #ifdef MADV_DONTFORK
        madvise(data, bytes, MADV_DONTFORK); /* a child must not pay for, or keep, a copy of the world */
    #endif
        return data;
    }

    static int instar_release(uint8_t *data, size_t bytes) { return munmap(data, bytes); }

    /* Moves whole pages to the beginning of another mapping, without copying them where the system can. Returns whether it did. */
    static int instar_move(uint8_t *from, uint8_t *to, size_t bytes) {
    #ifdef MREMAP_FIXED
        return mremap(from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) == (void *)to;
    #else
        (void)from, (void)to, (void)bytes;
        return 0;
    #endif
    }

    /* Large pages for all that begin within so many bytes. */
    static void instar_expect(uint8_t *data, size_t bytes) {
    #ifdef MADV_HUGEPAGE
        madvise(data, bytes, MADV_HUGEPAGE);
    #endif
    }
    """
    enum:
        INSTAR_LARGE_PAGE

    uint8_t *instar_reserve(size_t size) nogil
    int instar_release(uint8_t *data, size_t size) nogil
    int instar_move(uint8_t *source, uint8_t *target, size_t size) nogil
    void instar_expect(uint8_t *data, size_t size) nogil


cdef size_t PAGE_BYTES = mmap.PAGESIZE


cdef class Mapping:
    def __init__(self):
        raise InstarError("a Mapping cannot be made by hand; Column reserves its own")

    def __dealloc__(self):
        if self.data != NULL:
            with nogil:  # to give back many pages takes ms
                instar_release(self.data, self.nbytes)

    def __len__(self):
        return self.nbytes

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, self.data, self.nbytes, self.readonly, flags)
        self.views += 1

    def __releasebuffer__(self, Py_buffer *view):
        self.views -= 1

    cdef void expect(self, size_t nbytes) noexcept:
        """So many bytes will be written: where they are many, large pages save the system, and later the processor, work."""
        if nbytes >= INSTAR_LARGE_PAGE:
            instar_expect(self.data, min(self.nbytes, (nbytes + INSTAR_LARGE_PAGE - 1) // INSTAR_LARGE_PAGE * INSTAR_LARGE_PAGE))


cdef Mapping reserve(size_t nbytes, bint readonly, str purpose):
    cdef Mapping mapping = Mapping.__new__(Mapping)
    mapping.data = instar_reserve(nbytes)
    if mapping.data == NULL:
        raise ReservationError(
            f"the system did not give {nbytes:,} bytes of address space for {purpose}: {strerror(errno).decode()}. "
            f"Nothing was changed; ask for less, or raise the limit (ulimit -v)"
        )
    mapping.nbytes = nbytes
    mapping.readonly = readonly
    return mapping


cdef int move_into(Mapping target, Mapping source, size_t used) except -1:
    cdef size_t pages = (used + PAGE_BYTES - 1) // PAGE_BYTES * PAGE_BYTES
    if used == 0:
        return 0
    target.expect(used)
    if source.views == 0 and pages <= min(source.nbytes, target.nbytes) and instar_move(source.data, target.data, pages):
        source.data += pages
        source.nbytes -= pages
        if source.nbytes == 0:
            source.data = NULL
    else:
        with nogil:
            memcpy(target.data, source.data, used)
    return 0
