from libc.stdint cimport uint8_t


cdef class Mapping:
    cdef uint8_t *data
    cdef readonly size_t nbytes
    cdef readonly bint readonly
    # How many buffers of it are alive; whatever is made of one, at any remove, keeps that one alive.
    cdef readonly size_t views
    cdef void expect(self, size_t nbytes) noexcept


cdef Mapping reserve(size_t nbytes, bint readonly, str purpose)
# Gives a fresh mapping the first bytes of another, which gives up its pages if nobody has a view of them.
cdef int move_into(Mapping target, Mapping source, size_t used) except -1
