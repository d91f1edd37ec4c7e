"""Frames in a ring: what they changed, and the leading of copies through them."""

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memset

from instar.native.column cimport Column
from instar.native.dispatch cimport kernels
from instar.native.errors import HistoryError, InstarError
from instar.native.kernels cimport INSTAR_CHUNK_BYTES
from instar.native.memory cimport reserve

cdef enum:
    MOST_BUNDLES = 16


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
        cdef int status = 0
        self.begin_use()
        try:
            for place in self._between(column, start, stop):
                status |= instar_frame_carry_extent(self.held_in, place, column.key, &extent)
        finally:
            self.busy = False
        if status != 0:
            raise HistoryError(
                f"the history's record of a frame from {min(start, stop) + 1} to {max(start, stop)} is damaged; the extent is not known. "
                f"validate(repair=True) mends it, or drops the frames that lie behind it"
            )
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


cdef class Bundle:
    def __init__(self):
        raise InstarError("a Bundle cannot be made by hand; History.gather makes one")


cdef gather(Frames frames, int64_t oldest, uint64_t behind, int64_t after, uint64_t most_bytes, int64_t newest):
    """Frames of a ring whose first `behind` may be taken: those after one frame, up to another, of so many bytes; None if there are none."""
    cdef instar_ring *ring = frames.held_in
    cdef instar_counts counts
    cdef int64_t place = ring.tail, first = ring.tail
    cdef uint64_t length, n
    cdef int status
    cdef const instar_frame *frame
    cdef Bundle bundle = Bundle.__new__(Bundle)
    cdef list found = [0] * len(frames.added)
    memset(&counts, 0, sizeof(counts))
    bundle.oldest = oldest
    for n in range(behind):
        if place < 0 or not instar_frame_known(kernels, ring, place):
            raise HistoryError(f"the history's record of the frame after {oldest} is damaged; nothing was taken")
        frame = instar_frame_at(ring, place)
        if frame.frame <= after:
            place = first = instar_frame_after(ring, place)
            bundle.oldest = frame.frame
            continue
        length = instar_ring_between(ring, first, frame.end)
        if frame.frame > newest or length > (most_bytes if counts.frames else MOST_BUNDLES * most_bytes):
            break
        with nogil:
            status = instar_bundle_count(kernels, ring, place, &counts)
        if status != 0:
            raise HistoryError(f"the history's record of {frame.frame} is damaged; nothing was taken")
        frames._add_bytes(place, found)
        bundle.newest = frame.frame
        bundle.ring_bytes = length
        place = instar_frame_after(ring, place)
    if counts.frames == 0:
        return None
    bundle.count = counts.frames
    bundle.bytes_by_column = {column: count for column, count in zip(frames.added, found) if count}
    _take(frames, bundle, first, &counts)
    return bundle


cdef int _take(Frames frames, Bundle bundle, uint64_t place, const instar_counts *counts) except -1:
    cdef uint64_t headers = instar_bundle_headers(counts), words = instar_bundle_words(counts)
    if frames.gathered is None or frames.gathered.nbytes < headers + words:
        frames.gathered = reserve(2 * (headers + words), True, "frames to be packed")
    cdef uint8_t *room = frames.gathered.data
    with nogil:
        instar_bundle_take(frames.held_in, place, counts, room, room + headers)
    whole = memoryview(frames.gathered)
    bundle.headers = whole[:headers]
    bundle.words = whole[headers:headers + words]
    return 0


cdef class Joined(Frames):
    def __init__(self, Frames source not None, headers, words):
        cdef const uint8_t[::1] heads = headers
        cdef const uint8_t[::1] changed = words
        cdef const uint8_t *first_word = &changed[0] if changed.shape[0] else NULL
        cdef uint64_t room = instar_bundle_room(&heads[0], heads.shape[0], changed.shape[0]) if heads.shape[0] else 0
        cdef int64_t place = 0
        if self.memory is not None:
            raise InstarError("Joined frames are initialised once; make others")
        if room == 0:
            raise HistoryError("the headers of a bundle of frames make no sense; nothing was put together")
        self.added = source.added
        self.memory = reserve(room, True, "frames of the past")
        self.ring.base = self.memory.data
        self.ring.bytes = room
        with nogil:
            instar_bundle_join(kernels, &heads[0], first_word, &self.ring)
        self.held_in = &self.ring
        self.frames = []
        while place >= 0:
            self.frames.append((place, instar_frame_at(&self.ring, place).frame))
            place = instar_frame_after(&self.ring, place)

    @property
    def oldest(self):
        return instar_frame_at(&self.ring, 0).frame_before

    @property
    def newest(self):
        return self.frames[len(self.frames) - 1][1]

    cdef list _frames(self):
        return self.frames

    cdef int64_t place_of(self, int64_t frame, bint back) except -2:
        """Where the record is that leads from a frame back, or forward."""
        cdef uint64_t place
        for place, number in self.frames:
            if frame == (number if back else instar_frame_at(&self.ring, place).frame_before):
                return place
        raise HistoryError(f"no record that leads from frame {frame} is among those of {self.oldest} to {self.newest}; nothing was changed")
