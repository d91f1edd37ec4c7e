"""Reserved address space: a mapping that never moves and takes memory only where it is written."""

from cpython.buffer cimport PyBuffer_FillInfo
from libc.errno cimport errno
from libc.stdint cimport uint8_t
from libc.string cimport strerror

from instar.native.errors import InstarError, ReservationError

cdef extern from *:
    """
    #include <stdint.h>
    #include <sys/mman.h>

    static uint8_t *instar_reserve(size_t bytes) {
        void *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);
        if (data == MAP_FAILED) return NULL;
    #ifdef MADV_DONTFORK
        madvise(data, bytes, MADV_DONTFORK); /* a child must not pay for, or keep, a copy of the world */
    #endif
        return data;
    }

    static int instar_release(uint8_t *data, size_t bytes) { return munmap(data, bytes); }
    static int instar_protect(uint8_t *data, size_t bytes) { return mprotect(data, bytes, PROT_READ); }

    static void instar_expect(uint8_t *data, size_t bytes) {
    #ifdef MADV_HUGEPAGE
        madvise(data, bytes, MADV_HUGEPAGE);
    #endif
    }
    """
    uint8_t *instar_reserve(size_t size) nogil
    int instar_release(uint8_t *data, size_t size) nogil
    int instar_protect(uint8_t *data, size_t size) nogil
    void instar_expect(uint8_t *data, size_t size) nogil


cdef class Mapping:
    def __init__(self):
        raise InstarError("a Mapping cannot be made by hand; Column reserves its own")

    def __dealloc__(self):
        if self.data != NULL:
            instar_release(self.data, self.nbytes)

    def __len__(self):
        return self.nbytes

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, self.data, self.nbytes, self.readonly, flags)
        self.views += 1

    def __releasebuffer__(self, Py_buffer *view):
        self.views -= 1

    cdef void expect_all(self) noexcept:
        """All of it will be written: large pages save the system most of its work."""
        instar_expect(self.data, self.nbytes)

    cdef int seal(self) except -1:
        if instar_protect(self.data, self.nbytes) != 0:
            raise InstarError(f"the system refused to make a mapping read-only: {strerror(errno).decode()}; it stays writable")
        self.readonly = True
        return 0


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
