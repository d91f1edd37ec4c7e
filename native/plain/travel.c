#include "travel.h"

#include <string.h>

#include "snapshot.h"

int64_t instar_deltas_next(const instar_deltas *deltas, uint64_t place) {
    uint64_t end = instar_frame_at(deltas, place)->end;
    int64_t next = end > deltas->ring.bytes ? -1 : instar_ring_settle(&deltas->ring, end, deltas->ring.head);
    if (next == (int64_t)deltas->ring.head) return INSTAR_NONE;
    return next < 0 || instar_tag_of(instar_ring_at(&deltas->ring, (uint64_t)next)) != INSTAR_FRAME ? INSTAR_DAMAGED : next;
}

int64_t instar_deltas_ahead(const instar_deltas *deltas) {
    if (deltas->behind == deltas->held) return INSTAR_NONE;
    return deltas->behind ? instar_deltas_next(deltas, deltas->at) : (int64_t)deltas->ring.tail;
}

int64_t instar_frame_next(const instar_deltas *deltas, uint64_t frame, uint64_t place) {
    uint64_t next = place + instar_length(instar_ring_at(&deltas->ring, place));
    uint64_t end = instar_frame_at(deltas, frame)->end;
    int64_t settled = next > deltas->ring.bytes ? -1 : instar_ring_settle(&deltas->ring, next, end);
    if (settled == (int64_t)end) return INSTAR_NONE;
    return settled < 0 ? INSTAR_DAMAGED : settled;
}

static int whole_at(const instar_deltas *deltas, uint64_t place) {
    return instar_record_whole(deltas->kernels, instar_ring_at(&deltas->ring, place), instar_ring_room(&deltas->ring, place));
}

int instar_frame_known(const instar_deltas *deltas, uint64_t place) {
    return instar_tag_of(instar_ring_at(&deltas->ring, place)) == INSTAR_FRAME && whole_at(deltas, place);
}

int64_t instar_frame_damage(const instar_deltas *deltas, uint64_t place) {
    const instar_ring *ring = &deltas->ring;
    if (!instar_frame_known(deltas, place)) return (int64_t)place;
    uint64_t length = instar_ring_between(ring, place, instar_frame_at(deltas, place)->end);
    for (int64_t last = (int64_t)place, at;; last = at) {
        at = instar_frame_next(deltas, place, (uint64_t)last);
        if (at == INSTAR_NONE) return INSTAR_NONE;
        if (at < 0 || instar_ring_between(ring, place, (uint64_t)at) >= length) return last;
        if (!whole_at(deltas, (uint64_t)at)) return at;
    }
}

/* XORs the frame whose record is at `place` into the columns. A frame that was added to may name a chunk or an extent twice;
 * XOR does not mind the order. */
static int apply_frame(instar_deltas *deltas, uint64_t place, instar_column *const *columns) {
    if (instar_frame_damage(deltas, place) != INSTAR_NONE) return INSTAR_DAMAGED;
    instar_snapshot_complete(deltas->snapshot);
    instar_deltas_turn(deltas);
    for (int64_t at = instar_frame_next(deltas, place, place); at >= 0; at = instar_frame_next(deltas, place, (uint64_t)at)) {
        const instar_record *record = instar_ring_at(&deltas->ring, (uint64_t)at);
        instar_record_apply(deltas->kernels, record, columns[record->key]);
    }
    instar_deltas_turn(deltas);
    return 0;
}

int instar_deltas_undo(instar_deltas *deltas, instar_column *const *columns) {
    if (deltas->behind == 0) return INSTAR_NONE;
    if (apply_frame(deltas, deltas->at, columns)) return INSTAR_DAMAGED;
    const instar_frame *frame = instar_frame_at(deltas, deltas->at);
    deltas->current = frame->frame_before;
    deltas->at = frame->previous;
    deltas->behind--;
    return 0;
}

int instar_deltas_redo(instar_deltas *deltas, instar_column *const *columns) {
    int64_t next = instar_deltas_ahead(deltas);
    if (next == INSTAR_NONE) return INSTAR_NONE;
    if (next < 0 || apply_frame(deltas, (uint64_t)next, columns)) return INSTAR_DAMAGED;
    deltas->current = instar_frame_at(deltas, (uint64_t)next)->frame;
    deltas->at = (uint64_t)next;
    deltas->behind++;
    return 0;
}

void instar_column_restore(const instar_kernels *kernels, instar_column *column) {
    uint64_t bytes = instar_column_chunks(column) * INSTAR_CHUNK_BYTES;
    for (uint64_t at = 0; at < bytes; at += INSTAR_CHUNK_BYTES) kernels->restore_chunk(column->live + at, column->committed + at);
    column->extent = column->committed_extent;
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

int instar_frame_carry(const instar_deltas *deltas, uint64_t place, uint32_t key, uint64_t from, uint64_t bytes, uint8_t *target) {
    int status = 0;
    for (int64_t at = instar_frame_next(deltas, place, place); at >= 0; at = instar_frame_next(deltas, place, (uint64_t)at)) {
        const instar_chunk *record = instar_ring_at(&deltas->ring, (uint64_t)at);
        uint64_t offset = (uint64_t)record->chunk * INSTAR_CHUNK_BYTES;
        uint32_t tag = instar_tag_of(&record->record);
        if (record->record.key != key || (tag != INSTAR_ELEMENTS && tag != INSTAR_DENSE) || offset < from || offset >= from + bytes) continue;
        if (whole_at(deltas, (uint64_t)at))
            xor_copy(deltas->kernels, record, target + (offset - from));
        else
            status = INSTAR_DAMAGED;
    }
    return status;
}
