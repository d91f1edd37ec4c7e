#include "travel.h"

#include "snapshot.h"

int64_t instar_deltas_ahead(const instar_deltas *deltas) {
    if (deltas->behind == deltas->held) return INSTAR_NONE;
    return deltas->behind ? instar_frame_after(&deltas->ring, deltas->at) : (int64_t)deltas->ring.tail;
}

/* Whether the frame at `place` changes a column whose committed bytes are packed. */
static int is_cold(instar_deltas *deltas, const instar_ring *ring, uint64_t place, instar_column *const *columns) {
    for (int64_t at = instar_frame_next(ring, place, place); at >= 0; at = instar_frame_next(ring, place, (uint64_t)at)) {
        deltas->cold = ((const instar_record *)instar_ring_at(ring, (uint64_t)at))->key;
        if (!columns[deltas->cold]->committed) return 1;
    }
    return 0;
}

/* A frame that was added to may name a chunk or an extent twice; XOR does not mind the order. */
int instar_deltas_step(instar_deltas *deltas, const instar_ring *ring, uint64_t place, instar_column *const *columns) {
    if (instar_frame_damage(deltas->kernels, ring, place) != INSTAR_NONE) return INSTAR_DAMAGED;
    const instar_frame *frame = instar_frame_at(ring, place);
    if (deltas->current != frame->frame && deltas->current != frame->frame_before) return INSTAR_NONE;
    if (is_cold(deltas, ring, place, columns)) return INSTAR_COLD;
    instar_snapshots_complete(deltas);
    instar_deltas_turn(deltas);
    for (int64_t at = instar_frame_next(ring, place, place); at >= 0; at = instar_frame_next(ring, place, (uint64_t)at)) {
        const instar_record *record = instar_ring_at(ring, (uint64_t)at);
        instar_record_apply(deltas->kernels, record, columns[record->key]);
        columns[record->key]->compared = deltas->current;
    }
    deltas->current ^= frame->frame ^ frame->frame_before;
    instar_deltas_turn(deltas);
    return 0;
}

int instar_deltas_undo(instar_deltas *deltas, instar_column *const *columns) {
    if (deltas->behind == 0) return INSTAR_NONE;
    int status = instar_deltas_step(deltas, &deltas->ring, deltas->at, columns);
    if (status) return status;
    deltas->at = instar_frame_at(&deltas->ring, deltas->at)->previous;
    deltas->behind--;
    return 0;
}

int instar_deltas_redo(instar_deltas *deltas, instar_column *const *columns) {
    int64_t next = instar_deltas_ahead(deltas);
    if (next < 0) return (int)next;
    int status = instar_deltas_step(deltas, &deltas->ring, (uint64_t)next, columns);
    if (status) return status;
    deltas->at = (uint64_t)next;
    deltas->behind++;
    return 0;
}

void instar_column_restore(const instar_kernels *kernels, instar_column *column) {
    uint64_t bytes = instar_column_chunks(column) * INSTAR_CHUNK_BYTES;
    for (uint64_t at = 0; at < bytes; at += INSTAR_CHUNK_BYTES) kernels->restore_chunk(column->live + at, column->committed + at);
    column->extent = column->committed_extent;
}
