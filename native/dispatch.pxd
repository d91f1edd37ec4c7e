from libc.stdint cimport uint64_t

from instar.native.kernels cimport instar_kernels

cdef const instar_kernels *kernels
cdef uint64_t zero_chunk_crc
