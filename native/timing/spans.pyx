"""Spans of time with names, nested, in a ring: what the last frames were spent on."""

from cpython.pythread cimport PyThread_get_thread_ident
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

import numpy as np

from instar.native.errors import InstarError

cdef extern from "plain/ticks.h" nogil:
    int64_t instar_monotonic_ns()
    int instar_ticks_are_steady()
    int64_t instar_ticks(int steady)

cdef enum:
    DEEPEST = 64

cdef struct instar_span:
    int64_t begin
    int64_t end
    int64_t frame
    uint32_t name
    uint16_t depth
    uint16_t unused

_LAYOUT = np.dtype(
    {
        "names": ["begin_ns", "end_ns", "frame", "name", "depth"],
        "formats": ["<i8", "<i8", "<i8", "<u4", "<u2"],
        "offsets": [0, 8, 16, 24, 28],
        "itemsize": sizeof(instar_span),
    }
)


cdef class Spans:
    cdef instar_span *ring
    cdef uint64_t mask, count
    cdef int64_t frame
    cdef unsigned long thread
    cdef uint32_t depth
    cdef int64_t begun[DEEPEST]
    cdef int steady
    # Two moments at which both clocks were read: when this was made, and when the last frame began.
    cdef int64_t made_ticks, made_ns, last_ticks, last_ns
    cdef dict known
    cdef list given

    def __cinit__(self, uint64_t capacity=1 << 16):
        if capacity < 2 or capacity & (capacity - 1):
            raise InstarError(f"a ring of {capacity} spans cannot be made; their number is a power of two")
        self.ring = <instar_span *>malloc(capacity * sizeof(instar_span))
        if self.ring == NULL:
            raise MemoryError
        self.mask = capacity - 1
        self.frame = -1
        self.steady = instar_ticks_are_steady()
        self.made_ns = self.last_ns = instar_monotonic_ns()
        self.made_ticks = self.last_ticks = instar_ticks(self.steady)
        self.known = {}
        self.given = []

    def __dealloc__(self):
        free(self.ring)

    @property
    def names(self):
        return tuple(self.given)

    @property
    def recorded(self):
        return self.count

    def begin_frame(self, int64_t frame):
        self.thread = PyThread_get_thread_ident()
        self.frame = frame
        self.depth = 0
        self.last_ns = instar_monotonic_ns()
        self.last_ticks = instar_ticks(self.steady)

    def span(self, str name not None):
        cdef Span found = self.known.get(name)
        if found is None:
            found = Span.__new__(Span)
            found.spans = self
            found.name = len(self.given)
            self.given.append(name)
            self.known[name] = found
        return found

    def since(self, uint64_t count=0):
        cdef uint64_t first = max(count, self.count - min(self.count, self.mask + 1))
        cdef uint64_t at = first, part
        found = np.empty(max(self.count, first) - first, _LAYOUT)
        cdef uint8_t[::1] kept = found.view(np.uint8)
        while at < self.count:
            part = min(self.count - at, self.mask + 1 - (at & self.mask))
            memcpy(&kept[(at - first) * sizeof(instar_span)], &self.ring[at & self.mask], part * sizeof(instar_span))
            at += part
        if self.last_ticks > self.made_ticks:
            rate = (self.last_ns - self.made_ns) / (self.last_ticks - self.made_ticks)
            for moment in ("begin_ns", "end_ns"):
                found[moment] = self.last_ns + np.rint((found[moment] - self.last_ticks) * rate).astype(np.int64)
        return found

    cdef inline void keep(self, uint32_t name, int64_t begin, int64_t end) noexcept:
        cdef instar_span *span = &self.ring[self.count & self.mask]
        span.begin = begin
        span.end = end
        span.frame = self.frame
        span.name = name
        span.depth = self.depth
        span.unused = 0
        self.count += 1


cdef class Span:
    cdef Spans spans
    cdef uint32_t name

    def __init__(self):
        raise InstarError("a span is made by Spans.span(name)")

    def __enter__(self):
        cdef Spans spans = self.spans
        if spans.thread == PyThread_get_thread_ident():
            if spans.depth < DEEPEST:
                spans.begun[spans.depth] = instar_ticks(spans.steady)
            spans.depth += 1

    def __exit__(self, kind, error, trace):
        cdef Spans spans = self.spans
        if spans.thread == PyThread_get_thread_ident() and spans.depth:
            spans.depth -= 1
            if spans.depth < DEEPEST:
                spans.keep(self.name, spans.begun[spans.depth], instar_ticks(spans.steady))
