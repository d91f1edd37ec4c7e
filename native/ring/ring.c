#include "ring.h"

#include "../plain/pages.h"

int instar_ring_fit(instar_ring *ring, uint64_t bytes) {
    if (ring->head < ring->tail) return ring->tail - ring->head > bytes;
    if (ring->bytes - ring->head >= bytes) return 1;
    if (ring->tail <= bytes) return 0;
    if (ring->head < ring->bytes) instar_skip_close(instar_ring_at(ring, ring->head), INSTAR_WRAP, sizeof(instar_record));
    ring->head = 0;
    return 1;
}

int64_t instar_ring_settle(const instar_ring *ring, uint64_t place, uint64_t stop) {
    while (place != stop) {
        if (place == ring->bytes) place = 0;
        if (place == stop) break;
        if (instar_ring_room(ring, place) < sizeof(instar_record)) return -1;
        const instar_record *record = instar_ring_at(ring, place);
        uint32_t tag = instar_tag_of(record);
        if (tag != INSTAR_PAD && tag != INSTAR_WRAP) return (int64_t)place;
        if (!instar_skip_whole(record) || instar_length(record) > instar_ring_room(ring, place)) return -1;
        if (instar_length(record) == 0 || (tag == INSTAR_WRAP && place == 0)) return -1;
        place = tag == INSTAR_WRAP ? 0 : place + instar_length(record);
    }
    return (int64_t)stop;
}

static void give_back(instar_ring *ring, uint64_t from, uint64_t to) {
    instar_pages_give_back(ring->base + from, to - from);
    if (from < ring->ready) ring->ready = from;
}

void instar_ring_give_back_before_tail(instar_ring *ring, uint64_t from) {
    uint64_t page = instar_page_bytes(), start = from / page * page;
    uint64_t least = ring->head < from ? ring->head : 0; /* what lies before is free as well, down to there */
    from = start < least ? least : start;
    if (from <= ring->tail) {
        give_back(ring, from, ring->tail);
    } else {
        give_back(ring, from, ring->bytes);
        give_back(ring, 0, ring->tail);
    }
}

void instar_ring_give_back(instar_ring *ring) {
    if (ring->head >= ring->tail) {
        give_back(ring, ring->head, ring->bytes);
        give_back(ring, 0, ring->tail);
    } else {
        give_back(ring, ring->head, ring->tail);
    }
}

uint64_t instar_ring_touch(instar_ring *ring, uint64_t bytes) {
    uint64_t end = ring->head < ring->tail ? ring->tail : ring->bytes, from = ring->head > ring->ready ? ring->head : ring->ready;
    uint64_t to = end - ring->head < bytes ? end : ring->head + bytes;
    if (from >= to) return 0;
    instar_pages_touch(ring->base + from, to - from);
    if (ring->head <= ring->ready) ring->ready = to;
    return to - from;
}
