/* The held frames: what each commit changed, oldest first, in a ring of records.
 *
 * One thread commits, undoes and redoes; others may help it with a commit (pool.h) or read committed bytes beside it (snapshot.h).
 * Frames that were taken out of the ring and are kept elsewhere may lie before the oldest: then the current frame may be one of them,
 * and no frame is behind.
 */
#ifndef INSTAR_DELTAS_H
#define INSTAR_DELTAS_H

#include "frames.h"
#include "../plain/pool.h"

struct instar_snapshot;

typedef struct instar_deltas {
    const instar_kernels *kernels;
    instar_ring ring;  /* INSTAR_SPARE_BYTES more memory follow it, for deltas that are not kept */
    uint64_t limit;    /* the most bytes of the ring that are in use after a commit */
    uint64_t at;       /* where the current frame's record is, if it is held */
    uint64_t held;     /* number of frame records in the ring */
    uint64_t behind;   /* how many of them lie at or before the current frame */
    uint32_t cold;     /* the column that an undo or redo found packed */
    int open;          /* whether the frame being committed has its record in the ring */
    int64_t oldest, current, newest;
    uint64_t sequence; /* odd while committed bytes change */
    struct instar_snapshot *snapshots; /* those that may still read the committed bytes */
    instar_pool *pool; /* NULL: one thread */
    uint8_t *staging;  /* INSTAR_STAGING_BYTES for each thread of the pool */
    uint32_t lock;     /* of the ring, while several threads commit */
} instar_deltas;

enum {
    /* The longest chunk record, with what may come before it to align its delta. */
    INSTAR_RECORD_ROOM = INSTAR_LINE_BYTES + (int)sizeof(instar_chunk) + (INSTAR_PAYLOAD_ROOM + 7) / 8 * 8,
    INSTAR_STAGING_BYTES = (INSTAR_PAYLOAD_ROOM + 63) / 64 * 64,
    INSTAR_SPARE_BYTES = INSTAR_LINE_BYTES + INSTAR_STAGING_BYTES,
};

/* Committed bytes begin to change, or are settled again. The fence has no change be seen before the sequence that tells of it. */
static inline void instar_deltas_turn(instar_deltas *deltas) {
    __atomic_fetch_add(&deltas->sequence, 1, __ATOMIC_ACQ_REL);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

/* Forgets all frames but the current one; the reset begins anew at `frame`. */
void instar_deltas_forget(instar_deltas *deltas);
void instar_deltas_reset(instar_deltas *deltas, int64_t frame);

/* Drops the oldest frame, which must lie at or before the current one. */
void instar_deltas_evict(instar_deltas *deltas);

/* Drops frames until no more bytes are in use than the limit: the oldest, then those farthest ahead. */
void instar_deltas_keep_limit(instar_deltas *deltas);

/* Commits columns, given by key, as `frame`: the current frame (its delta is added to) or a later one (what could be redone is
 * dropped). Returns the number of changed lines. */
uint64_t instar_deltas_commit(instar_deltas *deltas, int64_t frame, const uint32_t *keys, uint32_t count, instar_column *const *columns);

/* Bytes between the oldest and the newest record's ends. */
uint64_t instar_deltas_used(const instar_deltas *deltas);

#endif
