#include "deltas.h"

#include <string.h>

#include "snapshot.h"
#include "upkeep.h"

enum {
    /* From so many changed words of a chunk on, the next chunk is taken for a dense one. */
    DENSE_WORDS = 2560,
    /* Chunks that a thread takes at once, and the least for which others are asked to help. */
    RUN_CHUNKS = 16,
    SHARED_CHUNKS = 64,
};

void instar_deltas_forget(instar_deltas *deltas) {
    instar_snapshots_abandon(deltas);
    deltas->ring.tail = deltas->ring.head = deltas->at = deltas->held = deltas->behind = 0;
    deltas->open = 0;
    deltas->oldest = deltas->newest = deltas->current;
}

void instar_deltas_reset(instar_deltas *deltas, int64_t frame) {
    instar_snapshots_complete(deltas);
    deltas->current = frame;
    instar_deltas_forget(deltas);
}

/* Where its record is damaged, nothing behind it can be found, and all are dropped. */
void instar_deltas_evict(instar_deltas *deltas) {
    const instar_frame *frame = instar_frame_at(&deltas->ring, deltas->ring.tail);
    int64_t next = -1;
    if (instar_frame_known(deltas->kernels, &deltas->ring, deltas->ring.tail)) next = instar_ring_settle(&deltas->ring, frame->end, deltas->ring.head);
    if (deltas->held == 1 || next < 0) {
        instar_deltas_forget(deltas);
        return;
    }
    deltas->oldest = frame->frame;
    deltas->ring.tail = (uint64_t)next;
    deltas->held--;
    deltas->behind--;
}

static int fits(instar_deltas *deltas, uint64_t bytes) {
    return instar_ring_fit(&deltas->ring, bytes) && instar_deltas_used(deltas) + bytes <= deltas->limit;
}

/* Room for so many bytes of the open frame at the head of the ring, made by evicting older frames. Where even that is too little,
 * the frame is no longer held. */
static int make_room(instar_deltas *deltas, uint64_t bytes) {
    while (deltas->open && !fits(deltas, bytes)) instar_deltas_evict(deltas);
    return deltas->open;
}

void instar_deltas_keep_limit(instar_deltas *deltas) {
    if (instar_deltas_used(deltas) > deltas->limit) instar_snapshots_complete(deltas);
    while (deltas->behind && instar_deltas_used(deltas) > deltas->limit) instar_deltas_evict(deltas);
    while (deltas->held && instar_deltas_used(deltas) > deltas->limit)
        instar_deltas_narrow(deltas, deltas->behind, deltas->held - deltas->behind - 1);
}

static uint64_t padding(const instar_ring *ring, int dense) {
    return dense ? (INSTAR_LINE_BYTES - (ring->head + sizeof(instar_chunk)) % INSTAR_LINE_BYTES) % INSTAR_LINE_BYTES : 0;
}

/* Where the next chunk record's delta goes: into the ring, or behind it if the frame is not held. */
static uint8_t *next_payload(instar_deltas *deltas, int dense) {
    instar_ring *ring = &deltas->ring;
    if (!make_room(deltas, INSTAR_RECORD_ROOM)) return ring->base + ring->bytes + INSTAR_LINE_BYTES;
    return ring->base + ring->head + padding(ring, dense) + sizeof(instar_chunk);
}

/* Takes the place that next_payload named for a delta of so many bytes. Returns whether it is in the ring. */
static int claim(instar_deltas *deltas, int dense, uint32_t payload) {
    instar_ring *ring = &deltas->ring;
    uint64_t pad = padding(ring, dense);
    if (!deltas->open) return 0;
    if (pad) instar_skip_close(instar_ring_at(ring, ring->head), INSTAR_PAD, (uint32_t)pad);
    ring->head += pad + ((sizeof(instar_chunk) + payload + 7) & ~UINT64_C(7));
    return 1;
}

static void drop_redo(instar_deltas *deltas) {
    if (deltas->held == deltas->behind) return;
    deltas->newest = deltas->current;
    deltas->held = deltas->behind;
    if (deltas->held == 0 || !instar_frame_known(deltas->kernels, &deltas->ring, deltas->at))
        instar_deltas_forget(deltas);
    else
        deltas->ring.head = instar_frame_at(&deltas->ring, deltas->at)->end;
}

static void open_frame(instar_deltas *deltas, int64_t frame) {
    while (!fits(deltas, sizeof(instar_frame))) instar_deltas_evict(deltas);
    instar_snapshots_follow(deltas);
    instar_frame *record = instar_frame_at(&deltas->ring, deltas->ring.head);
    *record = (instar_frame){.record = {sizeof *record | INSTAR_FRAME, 0}, .frame = frame, .frame_before = deltas->current,
                             .previous = deltas->at};
    deltas->at = deltas->ring.head;
    deltas->ring.head += sizeof *record;
    deltas->held++;
    deltas->behind++;
    deltas->open = 1;
    deltas->current = deltas->newest = frame;
}

static void begin(instar_deltas *deltas, int64_t frame, uint64_t chunks) {
    instar_snapshots_make_way(deltas, frame, chunks * INSTAR_RECORD_ROOM);
    instar_deltas_turn(deltas);
    drop_redo(deltas);
    if (frame != deltas->current) {
        open_frame(deltas, frame);
        return;
    }
    /* A damaged frame is not added to: its check would be made anew and cover the damage. */
    if (deltas->held && !instar_frame_known(deltas->kernels, &deltas->ring, deltas->at)) instar_deltas_forget(deltas);
    deltas->open = deltas->held > 0;
}

static void end(instar_deltas *deltas, uint64_t lines) {
    if (deltas->open) {
        instar_frame *frame = instar_frame_at(&deltas->ring, deltas->at);
        frame->end = deltas->ring.head;
        frame->lines += lines;
        instar_frame_close(frame);
    }
    deltas->open = 0;
    deltas->kernels->fence();
    instar_deltas_turn(deltas);
}

static void commit_extent(instar_deltas *deltas, uint32_t key, instar_column *column) {
    if (column->extent == column->committed_extent) return;
    if (make_room(deltas, sizeof(instar_extent)))
        deltas->ring.head += instar_extent_close(instar_ring_at(&deltas->ring, deltas->ring.head), key, column->committed_extent, column->extent);
    column->committed_extent = column->extent;
}

/* Holds the committed elements of a chunk against what its column is watched for, while they are at hand. */
static void watch(instar_column *column, uint64_t chunk) {
    uint64_t at = chunk * INSTAR_CHUNK_BYTES, used = column->committed_extent > at ? column->committed_extent - at : 0;
    uint64_t outside = instar_count_outside(column->committed + at, used < INSTAR_CHUNK_BYTES ? used : INSTAR_CHUNK_BYTES, column->watched);
    if (!outside) return;
    uint64_t first = __atomic_load_n(&column->first_outside, __ATOMIC_RELAXED);
    __atomic_fetch_add(&column->outside, outside, __ATOMIC_RELAXED);
    while (chunk < first && !__atomic_compare_exchange_n(&column->first_outside, &first, chunk, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

/* Commits one chunk, its delta to `payload`; the column's CRC and guess are brought up to date. */
static instar_delta_size commit_chunk(const instar_kernels *kernels, instar_column *column, uint64_t chunk, int dense, uint8_t *payload) {
    uint64_t at = chunk * INSTAR_CHUNK_BYTES;
    instar_delta_size size = (dense ? kernels->commit_dense : kernels->commit_elements)(column->live + at, column->committed + at, payload,
                                                                                         &column->crcs[chunk]);
    __atomic_store_n(&column->dense, size.words >= DENSE_WORDS, __ATOMIC_RELAXED);
    if (size.lines && column->watched) watch(column, chunk);
    return size;
}

/* Makes a record of a claimed delta. */
static void close_chunk(uint8_t *delta, int dense, uint32_t key, uint64_t chunk, uint32_t payload, uint64_t change) {
    instar_chunk *record = (instar_chunk *)(void *)(delta - sizeof(instar_chunk));
    instar_chunk_close(record, dense ? INSTAR_DENSE : INSTAR_ELEMENTS, key, (uint32_t)chunk, payload, change);
}

static uint64_t commit_column(instar_deltas *deltas, uint32_t key, instar_column *column) {
    uint64_t lines = 0, chunks = instar_column_chunks(column);
    commit_extent(deltas, key, column);
    for (uint64_t chunk = 0; chunk < chunks; chunk++) {
        uint64_t before = column->crcs[chunk];
        int dense = (int)column->dense;
        uint8_t *delta = next_payload(deltas, dense);
        instar_delta_size size = commit_chunk(deltas->kernels, column, chunk, dense, delta);
        if (size.lines && claim(deltas, dense, size.bytes)) close_chunk(delta, dense, key, chunk, size.bytes, before ^ column->crcs[chunk]);
        lines += size.lines;
    }
    return lines;
}

/* A commit that several threads share: runs of chunks are taken from `next` on, columns in the order of their keys. */
typedef struct shared_commit {
    instar_deltas *deltas;
    const uint32_t *keys;
    uint32_t count;
    instar_column *const *columns;
    uint64_t chunks, next, lines;
} shared_commit;

static void lock(instar_deltas *deltas) {
    while (__atomic_exchange_n(&deltas->lock, 1, __ATOMIC_ACQUIRE)) {
    }
}

static void unlock(instar_deltas *deltas) { __atomic_store_n(&deltas->lock, 0, __ATOMIC_RELEASE); }

/* Copies a staged delta into the ring. */
static void keep_staged(instar_deltas *deltas, int dense, uint32_t key, uint64_t chunk, const uint8_t *staged, uint32_t payload,
                        uint64_t change) {
    lock(deltas);
    uint8_t *delta = next_payload(deltas, dense);
    int kept = claim(deltas, dense, payload);
    unlock(deltas);
    if (!kept) return;
    memcpy(delta, staged, payload);
    close_chunk(delta, dense, key, chunk, payload, change);
}

static uint64_t commit_run(shared_commit *commit, uint32_t *column_index, uint64_t first, uint64_t end, uint8_t *staging) {
    uint64_t lines = 0;
    for (uint64_t at = first; at < end; at++) {
        while (*column_index + 1 < commit->count && commit->columns[commit->keys[*column_index + 1]]->before <= at) ++*column_index;
        uint32_t key = commit->keys[*column_index];
        instar_column *column = commit->columns[key];
        uint64_t chunk = at - column->before, before = column->crcs[chunk];
        int dense = (int)__atomic_load_n(&column->dense, __ATOMIC_RELAXED);
        instar_delta_size size = commit_chunk(commit->deltas->kernels, column, chunk, dense, staging);
        if (!size.lines) continue;
        if (dense) commit->deltas->kernels->fence();
        keep_staged(commit->deltas, dense, key, chunk, staging, size.bytes, before ^ column->crcs[chunk]);
        lines += size.lines;
    }
    return lines;
}

static void take_runs(void *context, unsigned thread) {
    shared_commit *commit = context;
    uint32_t column_index = 0;
    for (;;) {
        uint64_t first = __atomic_fetch_add(&commit->next, RUN_CHUNKS, __ATOMIC_RELAXED);
        if (first >= commit->chunks) return;
        uint64_t end = first + RUN_CHUNKS < commit->chunks ? first + RUN_CHUNKS : commit->chunks;
        uint64_t lines = commit_run(commit, &column_index, first, end, commit->deltas->staging + (uint64_t)thread * INSTAR_STAGING_BYTES);
        __atomic_fetch_add(&commit->lines, lines, __ATOMIC_RELAXED);
    }
}

static uint64_t commit_shared(instar_deltas *deltas, const uint32_t *keys, uint32_t count, instar_column *const *columns, uint64_t chunks) {
    shared_commit commit = {.deltas = deltas, .keys = keys, .count = count, .columns = columns, .chunks = chunks};
    for (uint32_t i = 0; i < count; i++) commit_extent(deltas, keys[i], columns[keys[i]]);
    instar_pool_run(deltas->pool, take_runs, &commit);
    return commit.lines;
}

uint64_t instar_deltas_commit(instar_deltas *deltas, int64_t frame, const uint32_t *keys, uint32_t count, instar_column *const *columns) {
    uint64_t lines = 0, chunks = 0;
    for (uint32_t i = 0; i < count; i++) {
        columns[keys[i]]->before = chunks;
        columns[keys[i]]->compared = frame;
        chunks += instar_column_chunks(columns[keys[i]]);
    }
    begin(deltas, frame, chunks);
    if (deltas->pool && chunks >= SHARED_CHUNKS)
        lines = commit_shared(deltas, keys, count, columns, chunks);
    else
        for (uint32_t i = 0; i < count; i++) lines += commit_column(deltas, keys[i], columns[keys[i]]);
    end(deltas, lines);
    return lines;
}

uint64_t instar_deltas_used(const instar_deltas *deltas) {
    return deltas->held ? instar_ring_between(&deltas->ring, deltas->ring.tail, deltas->ring.head) : 0;
}
