/* A ring of records in one block of memory. A record lies in one piece: where the end of the ring is too near, a wrap record sends the
 * reader to its beginning. Places are offsets of records, multiples of 8. The tail is never met, so head == tail means empty.
 */
#ifndef INSTAR_RING_H
#define INSTAR_RING_H

#include "records.h"

typedef struct instar_ring {
    uint8_t *base;
    uint64_t bytes; /* a multiple of 64 */
    uint64_t tail;  /* where the oldest record is */
    uint64_t head;  /* where the next record goes */
    uint64_t ready; /* all memory before this place has pages of its own */
} instar_ring;

static inline void *instar_ring_at(const instar_ring *ring, uint64_t place) { return ring->base + place; }

/* Moves head to where `bytes` fit in one piece, if they do. Returns whether. */
int instar_ring_fit(instar_ring *ring, uint64_t bytes);

/* The place of the first record at or after `place` that is no pad and no wrap, or `stop` if that is met first; -1 where a pad or a wrap
 * is damaged. */
int64_t instar_ring_settle(const instar_ring *ring, uint64_t place, uint64_t stop);

/* Gives the pages back that hold no record, or those of them from where the tail was to where it is. */
void instar_ring_give_back(instar_ring *ring);
void instar_ring_give_back_before_tail(instar_ring *ring, uint64_t from);

/* Has the memory ready for the next so many bytes, as far as they are free and the ring does not end. Returns how many bytes were not
 * known to be. */
uint64_t instar_ring_touch(instar_ring *ring, uint64_t bytes);

/* How long a record at `place` can be. */
static inline uint64_t instar_ring_room(const instar_ring *ring, uint64_t place) { return ring->bytes - place; }

/* Bytes from one place to another, in the direction of writing. */
static inline uint64_t instar_ring_between(const instar_ring *ring, uint64_t from, uint64_t to) {
    return to >= from ? to - from : ring->bytes - from + to;
}

#endif
