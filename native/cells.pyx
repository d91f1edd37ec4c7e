"""Who is near whom: pairs of points within a radius, and sums over them."""

from cpython.buffer cimport PyBuffer_Release
from libc.math cimport isfinite
from libc.stdint cimport INT32_MAX, int32_t, int64_t

from instar.native.buffers cimport borrow_array
from instar.native.errors import InstarError

cdef extern from "plain/cells.h" nogil:
    enum:
        INSTAR_NO_MEMORY
        INSTAR_TOO_MANY_PAIRS
        INSTAR_MOST_PAIRS

    ctypedef struct instar_cells:
        int64_t points

    int64_t instar_cells_count(instar_cells *cells, const float *x, const float *y, int64_t points, double width,
                               double height, bint periodic, double radius)
    void instar_cells_fill(const instar_cells *cells, int64_t *first, int32_t *j, float *dx, float *dy)
    void instar_cells_free(instar_cells *cells)
    int64_t instar_segment_sum(const float *values, int64_t count, const int64_t *first, int64_t segments, float *out)


cdef class CellList:
    cdef instar_cells cells
    cdef int64_t pairs
    cdef bint busy

    def __cinit__(self):
        self.pairs = -1

    def __dealloc__(self):
        instar_cells_free(&self.cells)

    def count(self, x, y, double width, double height, bint periodic, double radius):
        _check_world(width, height, periodic, radius)
        cdef Py_buffer xs, ys
        self._begin_use()
        try:
            borrow_array(&xs, x, "x", "float32", False)
            try:
                borrow_array(&ys, y, "y", "float32", False)
                try:
                    self._count(&xs, &ys, width, height, periodic, radius)
                finally:
                    PyBuffer_Release(&ys)
            finally:
                PyBuffer_Release(&xs)
        finally:
            self.busy = False
        return self.pairs

    cdef int _count(self, Py_buffer *x, Py_buffer *y, double width, double height, bint periodic, double radius) except -1:
        if x.shape[0] != y.shape[0] or x.shape[0] > INT32_MAX // 2:
            raise InstarError(f"x has {x.shape[0]} places and y has {y.shape[0]}: both must have as many, at most 2^30")
        cdef int64_t points = x.shape[0]
        self.pairs = -1
        with nogil:
            self.pairs = instar_cells_count(
                &self.cells, <const float *>x.buf, <const float *>y.buf, points, width, height, periodic, radius
            )
        if self.pairs == INSTAR_NO_MEMORY:
            raise InstarError(f"there was no memory for the pairs of {points:,} points within {radius:g}. Use a smaller radius")
        if self.pairs == INSTAR_TOO_MANY_PAIRS:
            raise InstarError(
                f"{points:,} points have more than {INSTAR_MOST_PAIRS:,} pairs within {radius:g}. Use a smaller radius, or see "
                f"whether the points have run together"
            )
        return 0

    def fill(self, first, j, dx, dy):
        cdef Py_buffer out[4]
        cdef int held = 0
        self._begin_use()
        try:
            if self.pairs < 0:
                raise InstarError("fill needs the pairs of a count before it; nothing was written. Call count first")
            for name, array, dtype, length in (
                ("first", first, "int64", self.cells.points + 1),
                ("j", j, "int32", self.pairs), ("dx", dx, "float32", self.pairs), ("dy", dy, "float32", self.pairs),
            ):
                borrow_array(&out[held], array, name, dtype, True)
                held += 1
                if out[held - 1].shape[0] != length:
                    raise InstarError(
                        f"{name} has room for {out[held - 1].shape[0]}, but count found {length} to write; nothing was written"
                    )
            with nogil:
                instar_cells_fill(
                    &self.cells, <int64_t *>out[0].buf, <int32_t *>out[1].buf, <float *>out[2].buf, <float *>out[3].buf
                )
        finally:
            while held > 0:
                held -= 1
                PyBuffer_Release(&out[held])
            self.busy = False

    cdef int _begin_use(self) except -1:
        if self.busy:
            raise InstarError("another thread is using this cell list; nothing was changed. Give each thread its own")
        self.busy = True
        return 0


cdef int _check_world(double width, double height, bint periodic, double radius) except -1:
    for name, value in (("width", width), ("height", height), ("radius", radius)):
        if not (isfinite(value) and 0.0 < value < 1e18):
            raise InstarError(f"{name} must be a positive number below 1e18, got {value}; no pairs were sought")
    if periodic and 2.0 * radius > min(width, height):
        raise InstarError(
            f"a radius of {radius:g} is more than half of the periodic world ({width:g} by {height:g}), where a pair would meet "
            f"twice; no pairs were sought. Use at most {min(width, height) / 2:g}"
        )
    return 0


def segment_sum(values, first, out):
    cdef Py_buffer held[3]
    cdef int count = 0
    cdef int64_t bad
    try:
        for name, array, dtype in (("values", values, "float32"), ("first", first, "int64"), ("out", out, "float32")):
            borrow_array(&held[count], array, name, dtype, name == "out")
            count += 1
        if held[1].shape[0] != held[2].shape[0] + 1:
            raise InstarError(
                f"first must have one entry more than out, got {held[1].shape[0]} and {held[2].shape[0]}; nothing was written"
            )
        with nogil:
            bad = instar_segment_sum(
                <const float *>held[0].buf, held[0].shape[0], <const int64_t *>held[1].buf, held[2].shape[0], <float *>held[2].buf
            )
        if bad >= 0:
            raise InstarError(
                f"first[{bad}] and first[{bad + 1}] must ascend within the {held[0].shape[0]} values; nothing was written"
            )
    finally:
        while count > 0:
            count -= 1
            PyBuffer_Release(&held[count])
