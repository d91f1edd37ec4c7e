#include "upkeep.h"

#include <string.h>

#include "snapshot.h"

/* Mends the pad or wrap that follows a whole record. */
static int mend_skip(const instar_deltas *deltas, uint64_t place) {
    const instar_ring *ring = &deltas->ring;
    uint64_t next = place + instar_length(instar_ring_at(ring, place));
    if (next == ring->bytes) next = 0;
    if (next > ring->bytes - sizeof(instar_record)) return 0;
    instar_record *skip = instar_ring_at(ring, next);
    for (uint32_t bit = 0; bit < 8 * sizeof *skip; bit++) {
        ((uint8_t *)skip)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        uint32_t tag = instar_tag_of(skip);
        if ((tag == INSTAR_PAD || tag == INSTAR_WRAP) && instar_record_whole(deltas->kernels, skip, instar_ring_room(ring, next))) return 1;
        ((uint8_t *)skip)[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    return 0;
}

int instar_frame_mend(instar_deltas *deltas, uint64_t place) {
    const instar_ring *ring = &deltas->ring;
    for (int mended = 0;; mended++) {
        int64_t at = instar_frame_damage(deltas->kernels, ring, place);
        if (at == INSTAR_NONE) return mended;
        instar_snapshots_complete(deltas); /* the search flips bits that it may be reading */
        instar_record *record = instar_ring_at(ring, (uint64_t)at);
        uint64_t room = instar_ring_room(ring, (uint64_t)at);
        int whole = instar_record_whole(deltas->kernels, record, room);
        if (whole ? !mend_skip(deltas, (uint64_t)at) : !instar_record_mend(deltas->kernels, record, room)) return INSTAR_DAMAGED;
    }
}

static int is_known(const instar_deltas *deltas, int64_t place) {
    return place >= 0 && instar_frame_known(deltas->kernels, &deltas->ring, (uint64_t)place);
}

/* How many frames up to the current one can be found, at most `most`; `first` receives the place of the first. */
static uint64_t find_behind(const instar_deltas *deltas, uint64_t most, uint64_t *first) {
    uint64_t found = 0, place = deltas->at;
    for (; found < most && is_known(deltas, (int64_t)place); found++) {
        *first = place;
        place = instar_frame_at(&deltas->ring, place)->previous;
    }
    return found;
}

/* The same after the current one; `last` receives the place of the last. */
static uint64_t find_ahead(const instar_deltas *deltas, uint64_t most, uint64_t *last) {
    uint64_t found = 0;
    if (deltas->behind && !is_known(deltas, (int64_t)deltas->at)) return 0;
    for (int64_t place = instar_deltas_ahead(deltas); found < most && is_known(deltas, place); found++) {
        *last = (uint64_t)place;
        place = instar_frame_after(&deltas->ring, *last);
    }
    return found;
}

void instar_deltas_narrow(instar_deltas *deltas, uint64_t behind, uint64_t ahead) {
    instar_snapshots_complete(deltas);
    uint64_t first = 0, last = deltas->at;
    behind = find_behind(deltas, behind, &first);
    ahead = find_ahead(deltas, ahead, &last);
    if (behind + ahead == 0) {
        int64_t newest = deltas->current < deltas->oldest ? deltas->oldest : deltas->current;
        instar_deltas_forget(deltas);
        deltas->oldest = deltas->newest = newest;
        return;
    }
    deltas->ring.tail = behind ? first : (uint64_t)instar_deltas_ahead(deltas);
    deltas->oldest = instar_frame_at(&deltas->ring, deltas->ring.tail)->frame_before;
    deltas->ring.head = instar_frame_at(&deltas->ring, last)->end;
    deltas->newest = ahead ? instar_frame_at(&deltas->ring, last)->frame : deltas->current;
    deltas->behind = behind;
    deltas->held = behind + ahead;
}

void instar_deltas_drop(instar_deltas *deltas, uint64_t frames) {
    instar_snapshots_complete(deltas);
    uint64_t from = deltas->ring.tail, keep = frames < deltas->behind ? deltas->behind - frames : 0;
    while (deltas->behind > keep) instar_deltas_evict(deltas);
    if (deltas->held)
        instar_ring_give_back_before_tail(&deltas->ring, from);
    else
        instar_ring_give_back(&deltas->ring);
}

void instar_deltas_bring_back(instar_deltas *deltas, const instar_ring *ring, uint64_t place) {
    const instar_frame *source = instar_frame_at(ring, place);
    uint64_t bytes = source->end - place, tail = place % INSTAR_LINE_BYTES;
    instar_snapshots_complete(deltas);
    instar_deltas_forget(deltas);
    if (tail + bytes > deltas->limit) return;
    memcpy(deltas->ring.base + tail, source, bytes);
    deltas->ring.tail = deltas->at = tail;
    deltas->ring.head = tail + bytes;
    deltas->held = deltas->behind = 1;
    deltas->oldest = source->frame_before;
    instar_frame *frame = instar_frame_at(&deltas->ring, tail);
    frame->previous = 0;
    frame->end = deltas->ring.head;
    instar_frame_close(frame);
}
