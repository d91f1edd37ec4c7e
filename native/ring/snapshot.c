#include "snapshot.h"

#include <sched.h>
#include <string.h>

#include "travel.h"

enum { PIECE_BYTES = 64 * INSTAR_CHUNK_BYTES };

void instar_snapshot_begin(instar_snapshot *snapshot, instar_deltas *deltas, instar_snapshot_column *columns, uint32_t count) {
    *snapshot = (instar_snapshot){.older = deltas->snapshots, .deltas = deltas, .columns = columns, .count = count, .frame = deltas->current, .whole = deltas->current};
    for (uint32_t i = 0; i < count; i++) {
        columns[i].first_piece = snapshot->pieces;
        snapshot->pieces += (columns[i].bytes + PIECE_BYTES - 1) / PIECE_BYTES;
    }
    if (snapshot->pieces) deltas->snapshots = snapshot;
}

static int is_damaged(const instar_snapshot *snapshot) { return __atomic_load_n(&snapshot->damaged, __ATOMIC_ACQUIRE); }

/* Copies bytes that another thread may be changing. Returns the frame they belong to, and where its record is if it is later than
 * the snapshot's; the snapshot's own if it is damaged, and copies no more. */
static int64_t copy_settled(const instar_snapshot *snapshot, uint8_t *target, const uint8_t *source, uint64_t bytes, uint64_t *place) {
    const instar_deltas *deltas = snapshot->deltas;
    while (!is_damaged(snapshot)) {
        uint64_t sequence = __atomic_load_n(&deltas->sequence, __ATOMIC_ACQUIRE);
        if (sequence & 1) {
            sched_yield();
            continue;
        }
        int64_t frame = __atomic_load_n(&deltas->current, __ATOMIC_RELAXED);
        *place = __atomic_load_n(&deltas->at, __ATOMIC_RELAXED);
        memcpy(target, source, bytes);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (__atomic_load_n(&deltas->sequence, __ATOMIC_RELAXED) == sequence) return frame;
    }
    return snapshot->frame;
}

/* Whether the frames after the snapshot's up to the one at `place` are whole. Each is looked at once, unless threads do it at a time. */
static int are_whole(instar_snapshot *snapshot, int64_t newest, uint64_t place) {
    const instar_deltas *deltas = snapshot->deltas;
    int64_t whole = __atomic_load_n(&snapshot->whole, __ATOMIC_RELAXED);
    for (int64_t frame = newest; frame > whole;) {
        const instar_frame *record = instar_frame_at(&deltas->ring, place);
        if (instar_frame_damage(deltas->kernels, &deltas->ring, place) != INSTAR_NONE || record->frame != frame) return 0;
        frame = record->frame_before;
        place = record->previous;
    }
    if (newest > whole) __atomic_store_n(&snapshot->whole, newest, __ATOMIC_RELAXED);
    return 1;
}

static void take_piece(instar_snapshot *snapshot, uint64_t piece) {
    const instar_deltas *deltas = snapshot->deltas;
    uint32_t i = snapshot->count - 1;
    while (snapshot->columns[i].first_piece > piece || snapshot->columns[i].bytes == 0) i--;
    const instar_snapshot_column *column = &snapshot->columns[i];
    uint64_t from = (piece - column->first_piece) * PIECE_BYTES, rest = column->bytes - from, place = 0;
    uint64_t bytes = rest < PIECE_BYTES ? rest : PIECE_BYTES;
    int64_t frame = copy_settled(snapshot, column->target + from, column->column->committed + from, bytes, &place);
    if (!are_whole(snapshot, frame, place)) {
        __atomic_store_n(&snapshot->damaged, 1, __ATOMIC_RELEASE);
        return;
    }
    while (frame > snapshot->frame) {
        const instar_frame *record = instar_frame_at(&deltas->ring, place);
        instar_frame_carry(deltas->kernels, &deltas->ring, place, column->key, from, bytes, column->target + from);
        frame = record->frame_before;
        place = record->previous;
    }
}

static void take_all(instar_snapshot *snapshot) {
    for (;;) {
        uint64_t piece = __atomic_fetch_add(&snapshot->next, 1, __ATOMIC_RELAXED);
        if (piece >= snapshot->pieces) break;
        take_piece(snapshot, piece);
        __atomic_fetch_add(&snapshot->done, 1, __ATOMIC_ACQ_REL);
    }
}

static int is_complete(const instar_snapshot *snapshot) {
    return __atomic_load_n(&snapshot->done, __ATOMIC_ACQUIRE) >= snapshot->pieces;
}

void instar_snapshot_complete(instar_snapshot *snapshot) {
    take_all(snapshot);
    while (!is_complete(snapshot)) sched_yield();
}

void instar_snapshot_let_go(instar_snapshot *snapshot) {
    if (is_complete(snapshot)) return;
    __atomic_store_n(&snapshot->damaged, 1, __ATOMIC_RELEASE);
    take_all(snapshot);
}

uint64_t instar_snapshot_followed(const instar_snapshot *snapshot) {
    const instar_deltas *deltas = snapshot->deltas;
    return deltas->current == snapshot->frame ? 0 : instar_ring_between(&deltas->ring, snapshot->place, deltas->ring.head);
}

void instar_snapshots_complete(instar_deltas *deltas) {
    for (instar_snapshot *one = deltas->snapshots; one; one = one->older) instar_snapshot_complete(one);
}

void instar_snapshots_abandon(instar_deltas *deltas) {
    for (instar_snapshot *one = deltas->snapshots; one; one = one->older) {
        if (one->frame == deltas->current || is_complete(one)) continue;
        __atomic_store_n(&one->damaged, 1, __ATOMIC_RELEASE);
        instar_snapshot_complete(one);
    }
}

void instar_snapshots_make_way(instar_deltas *deltas, int64_t frame, uint64_t bytes) {
    for (instar_snapshot *one = deltas->snapshots; one; one = one->older) {
        int is_changed = frame == deltas->current && (bytes || deltas->current != one->frame);
        if (is_changed || instar_snapshot_followed(one) + bytes + 2 * INSTAR_RECORD_ROOM > deltas->limit) instar_snapshot_complete(one);
    }
}

void instar_snapshots_follow(instar_deltas *deltas) {
    for (instar_snapshot *one = deltas->snapshots; one; one = one->older)
        if (one->frame == deltas->current) one->place = deltas->ring.head;
}

void instar_snapshots_forget_complete(instar_deltas *deltas) {
    instar_snapshot **link = &deltas->snapshots;
    while (*link) {
        if (is_complete(*link))
            *link = (*link)->older;
        else
            link = &(*link)->older;
    }
}
