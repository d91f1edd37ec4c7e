#include "frames.h"

#include <string.h>

int64_t instar_frame_after(const instar_ring *ring, uint64_t place) {
    uint64_t end = instar_frame_at(ring, place)->end;
    int64_t next = end > ring->bytes || end % sizeof(instar_record) ? -1 : instar_ring_settle(ring, end, ring->head);
    if (next == (int64_t)ring->head) return INSTAR_NONE;
    return next < 0 || instar_tag_of(instar_ring_at(ring, (uint64_t)next)) != INSTAR_FRAME ? INSTAR_DAMAGED : next;
}

/* Whether a record is as long as its form asks for: a damaged length would lead past other records, or nowhere. */
static int has_its_length(const instar_record *record, uint64_t room) {
    uint64_t length = instar_length(record);
    if (room < sizeof(instar_extent) || length > room) return 0;
    switch (instar_tag_of(record)) {
        case INSTAR_FRAME:
            return length == sizeof(instar_frame);
        case INSTAR_EXTENT:
            return length == sizeof(instar_extent);
        case INSTAR_ELEMENTS:
        case INSTAR_DENSE:
            return length == ((sizeof(instar_chunk) + (uint64_t)((const instar_chunk *)record)->payload + 7) & ~UINT64_C(7));
        default:
            return 0;
    }
}

int64_t instar_frame_next(const instar_ring *ring, uint64_t frame, uint64_t place) {
    const instar_record *record = instar_ring_at(ring, place);
    uint64_t end = instar_frame_at(ring, frame)->end, length = instar_ring_between(ring, frame, end);
    if (!has_its_length(record, instar_ring_room(ring, place))) return INSTAR_DAMAGED;
    int64_t next = instar_ring_settle(ring, place + instar_length(record), end);
    if (next == (int64_t)end) return INSTAR_NONE;
    return next < 0 || instar_ring_between(ring, frame, (uint64_t)next) >= length ? INSTAR_DAMAGED : next;
}

static int whole_at(const instar_kernels *kernels, const instar_ring *ring, uint64_t place) {
    return instar_record_whole(kernels, instar_ring_at(ring, place), instar_ring_room(ring, place));
}

int instar_frame_known(const instar_kernels *kernels, const instar_ring *ring, uint64_t place) {
    return instar_tag_of(instar_ring_at(ring, place)) == INSTAR_FRAME && whole_at(kernels, ring, place);
}

int64_t instar_frame_damage(const instar_kernels *kernels, const instar_ring *ring, uint64_t place) {
    if (!instar_frame_known(kernels, ring, place)) return (int64_t)place;
    for (int64_t last = (int64_t)place, at;; last = at) {
        at = instar_frame_next(ring, place, (uint64_t)last);
        if (at == INSTAR_NONE) return INSTAR_NONE;
        if (at < 0) return last;
        if (!whole_at(kernels, ring, (uint64_t)at)) return at;
    }
}

/* XORs a chunk record into a copy of the chunk, which may lie anywhere: kernels want whole lines. */
static void xor_copy(const instar_kernels *kernels, const instar_chunk *record, uint8_t *target) {
    _Alignas(INSTAR_LINE_BYTES) uint8_t aligned[INSTAR_CHUNK_BYTES];
    if ((uintptr_t)target % INSTAR_LINE_BYTES == 0) {
        instar_chunk_xor(kernels, record, target, target);
        return;
    }
    memcpy(aligned, target, sizeof aligned);
    instar_chunk_xor(kernels, record, aligned, aligned);
    memcpy(target, aligned, sizeof aligned);
}

int instar_frame_carry(const instar_kernels *kernels, const instar_ring *ring, uint64_t place, uint32_t key, uint64_t from, uint64_t bytes,
                       uint8_t *target) {
    int status = 0;
    int64_t at = instar_frame_next(ring, place, place);
    for (; at >= 0; at = instar_frame_next(ring, place, (uint64_t)at)) {
        const instar_chunk *record = instar_ring_at(ring, (uint64_t)at);
        uint64_t offset = (uint64_t)record->chunk * INSTAR_CHUNK_BYTES;
        uint32_t tag = instar_tag_of(&record->record);
        if (record->record.key != key || (tag != INSTAR_ELEMENTS && tag != INSTAR_DENSE) || offset < from || offset >= from + bytes) continue;
        if (whole_at(kernels, ring, (uint64_t)at))
            xor_copy(kernels, record, target + (offset - from));
        else
            status = INSTAR_DAMAGED;
    }
    return at == INSTAR_DAMAGED ? INSTAR_DAMAGED : status;
}

int instar_frame_carry_extent(const instar_ring *ring, uint64_t place, uint32_t key, uint64_t *extent) {
    int64_t at = instar_frame_next(ring, place, place);
    for (; at >= 0; at = instar_frame_next(ring, place, (uint64_t)at)) {
        const instar_extent *record = instar_ring_at(ring, (uint64_t)at);
        if (instar_tag_of(&record->record) == INSTAR_EXTENT && record->record.key == key) *extent ^= record->before ^ record->after;
    }
    return at == INSTAR_DAMAGED ? INSTAR_DAMAGED : 0;
}
