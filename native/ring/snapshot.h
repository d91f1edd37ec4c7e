/* A snapshot: the committed bytes of columns as they were in one frame, taken while later frames are committed.
 *
 * The bytes are copied in pieces by whichever threads come. A piece that was copied while a later frame stood committed is led back
 * by that frame's deltas. Where the committing thread is about to change or evict a delta that this needs, it takes the rest first.
 */
#ifndef INSTAR_SNAPSHOT_H
#define INSTAR_SNAPSHOT_H

#include "deltas.h"

typedef struct instar_snapshot_column {
    instar_column *column;
    uint32_t key;
    uint64_t bytes;       /* whole chunks */
    uint8_t *target;
    uint64_t first_piece;
} instar_snapshot_column;

typedef struct instar_snapshot {
    struct instar_snapshot *older; /* another of the same deltas that was begun before */
    instar_deltas *deltas;
    instar_snapshot_column *columns;
    uint32_t count;
    int64_t frame;
    int64_t whole;            /* frames up to this one, after the snapshot's, were found whole */
    uint64_t place;           /* where the record of the first frame after the snapshot's is, once there is one */
    uint64_t pieces;
    uint64_t next, done;      /* pieces begun and finished */
    int damaged;              /* whether a delta that was needed is not whole */
} instar_snapshot;

/* Begins a snapshot of the current frame; `columns` are filled in but for `first_piece`. It is the first of those of the deltas then. */
void instar_snapshot_begin(instar_snapshot *snapshot, instar_deltas *deltas, instar_snapshot_column *columns, uint32_t count);

/* Takes pieces until there are none left, and waits for those in other threads. */
void instar_snapshot_complete(instar_snapshot *snapshot);

/* Nobody wants it any more: the rest is not taken. Unlike instar_snapshots_abandon this does not wait for other threads. */
void instar_snapshot_let_go(instar_snapshot *snapshot);

/* Bytes of the ring from the first record after the snapshot's frame on: what is needed to lead pieces back to it. */
uint64_t instar_snapshot_followed(const instar_snapshot *snapshot);

/* What follows is for all snapshots of the deltas, and for the thread that commits. */

void instar_snapshots_complete(instar_deltas *deltas);

/* All frames but the current one are gone before their time. A snapshot of the current one needs none of them; of another, what is not
 * taken yet cannot be, and it is damaged. */
void instar_snapshots_abandon(instar_deltas *deltas);

/* Completes those of which a commit of `frame` that adds so many bytes to the ring could take what they need: what lies after their own
 * frame. To drop what could be redone, with an empty commit of that frame, takes nothing. */
void instar_snapshots_make_way(instar_deltas *deltas, int64_t frame, uint64_t bytes);

/* A frame after the current one gets its record at the ring's head. */
void instar_snapshots_follow(instar_deltas *deltas);

/* Those that are complete are none of the deltas any more. */
void instar_snapshots_forget_complete(instar_deltas *deltas);

#endif
