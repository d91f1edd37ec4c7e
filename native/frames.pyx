"""Frames in a ring: what they changed, and the leading of copies through them."""

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from instar.native.column cimport Column
from instar.native.dispatch cimport kernels
from instar.native.errors import HistoryError, InstarError
from instar.native.kernels cimport INSTAR_CHUNK_BYTES


cdef class Frames:
    def __init__(self):
        raise InstarError("Frames cannot be made by hand; a History is some")

    def carry(self, Column column not None, uint64_t chunk, data, int64_t start, int64_t stop):
        cdef Py_buffer view
        cdef uint64_t place
        cdef int status = 0
        self.begin_use()
        try:
            places = self._between(column, start, stop)
            PyObject_GetBuffer(data, &view, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
            try:
                if view.len % INSTAR_CHUNK_BYTES:
                    raise InstarError(f"whole chunks of {INSTAR_CHUNK_BYTES:,} bytes are carried, got {view.len:,} bytes; nothing was read")
                for one in places:
                    place = one
                    with nogil:
                        status |= instar_frame_carry(
                            kernels, self.held_in, place, column.key, chunk * INSTAR_CHUNK_BYTES, view.len, <uint8_t *>view.buf
                        )
            finally:
                PyBuffer_Release(&view)
        finally:
            self.busy = False
        if status != 0:
            raise HistoryError(
                f"the history's record of a frame from {min(start, stop) + 1} to {max(start, stop)} is damaged; the data given is not "
                f"that frame's. validate(repair=True) mends it, or drops the frames that lie behind it"
            )

    def carry_extent(self, Column column not None, uint64_t extent, int64_t start, int64_t stop):
        self.begin_use()
        try:
            for place in self._between(column, start, stop):
                instar_frame_carry_extent(self.held_in, place, column.key, &extent)
        finally:
            self.busy = False
        return extent

    def changed(self, int64_t start, int64_t stop):
        cdef dict found = {}
        self.begin_use()
        try:
            for place in self._between(None, start, stop):
                self._add_changes(place, found)
        finally:
            self.busy = False
        return {column: sorted(chunks) for column, chunks in found.items()}

    def bytes_by_column(self):
        cdef list found = [0] * len(self.added)
        self.begin_use()
        try:
            for place, frame in self._frames():
                if frame is not None:
                    self._add_bytes(place, found)
        finally:
            self.busy = False
        return {column: count for column, count in zip(self.added, found) if count}

    cdef int begin_use(self) except -1:
        if self.held_in == NULL:
            raise InstarError("the frames were never initialised; nothing was read")
        self.busy = True
        return 0

    cdef list _frames(self):
        """Where the record of each held frame is, and its number; one whose own record is damaged has none and ends its direction."""
        return []

    cdef int _require(self, Column column, int64_t low, int64_t high) except -1:
        return 0

    cdef list _places(self, int64_t low, int64_t high):
        """Where the records of the frames after `low` and up to `high` are."""
        return [place for place, frame in self._frames() if frame is not None and low < frame <= high]

    def _between(self, Column column, int64_t start, int64_t stop):
        self._require(column, min(start, stop), max(start, stop))
        return self._places(min(start, stop), max(start, stop))

    def _add_changes(self, uint64_t place, dict found):
        """Add the chunks that a frame changed to those of their columns."""
        cdef int64_t at = instar_frame_next(self.held_in, place, place)
        cdef const instar_record *record
        while at >= 0:
            record = <const instar_record *>instar_ring_at(self.held_in, at)
            tag = instar_tag_of(record)
            if tag == INSTAR_ELEMENTS or tag == INSTAR_DENSE:
                found.setdefault(self.added[record.key], set()).add((<const instar_chunk *>record).chunk)
            at = instar_frame_next(self.held_in, place, at)
        if at == INSTAR_DAMAGED:
            raise HistoryError(
                f"the history's record of {instar_frame_at(self.held_in, place).frame} is damaged; nothing was changed. "
                f"validate(repair=True) mends it, or drops the frames that lie behind it"
            )

    def _add_bytes(self, uint64_t place, list found):
        """Add the bytes of a frame's records to those of their columns, by key."""
        cdef int64_t at = instar_frame_next(self.held_in, place, place)
        cdef const instar_record *record
        while at >= 0:
            record = <const instar_record *>instar_ring_at(self.held_in, at)
            found[record.key] += instar_length(record)
            at = instar_frame_next(self.held_in, place, at)
