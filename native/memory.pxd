from libc.stdint cimport uint8_t


cdef class Mapping:
    cdef uint8_t *data
    cdef readonly size_t nbytes
    cdef readonly bint readonly
    cdef int seal(self) except -1


cdef Mapping reserve(size_t nbytes, bint readonly, str purpose)
