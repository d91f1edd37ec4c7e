"""Which of the compiled paths this process runs: the best that the processor has, or what INSTAR_ISA says."""

import os

from instar.native.errors import InstarError
from instar.native.kernels cimport (
    INSTAR_CHUNK_BYTES, INSTAR_LINE_BYTES, INSTAR_MAX_PATHS, instar_crc64, instar_detect, instar_kernels,
)

CHUNK_BYTES = INSTAR_CHUNK_BYTES
LINE_BYTES = INSTAR_LINE_BYTES

cdef const instar_kernels *paths[INSTAR_MAX_PATHS]
instar_detect(paths)
zero_chunk_crc = instar_crc64.zero_chunk


def isas():
    names = []
    cdef int i = 0
    while paths[i] != NULL:
        names.append(paths[i].isa.decode())
        i += 1
    return tuple(names)


def isa():
    return kernels.isa.decode()


def _select(asked):
    global kernels
    runnable = isas()
    if asked and asked not in runnable:
        raise InstarError(
            f"INSTAR_ISA={asked} names no path that this processor can run; nothing was started. "
            f"Unset it, or choose one of: {', '.join(runnable)}"
        )
    kernels = paths[runnable.index(asked) if asked else 0]


_select(os.environ.get("INSTAR_ISA"))
