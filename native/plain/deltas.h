/* The ring of deltas: the changed lines of each committed frame, oldest first, in one block of memory.
 *
 * Every record begins at a multiple of 64 bytes with a 64-byte header, whose third word is its tag, and lies in one piece: where
 * the end of the ring is too near, a pad record sends the reader to its beginning. A frame is a frame record and the records
 * that follow it, up to the next frame's. Deltas are XOR, so the same records lead back and forth.
 */
#ifndef INSTAR_DELTAS_H
#define INSTAR_DELTAS_H

#include "../kernels/kernels.h"

/* What a column is to the ring; owned by the Column. `crcs` holds the linear CRC of each committed chunk (crc64.h). */
typedef struct instar_column {
    uint8_t *live;
    uint8_t *committed;
    uint64_t *crcs;
    uint64_t capacity, extent, committed_extent;
} instar_column;

typedef struct instar_deltas {
    const instar_kernels *kernels;
    uint64_t zero_chunk_crc;
    uint8_t *ring;     /* `bytes` long, and INSTAR_CHUNK_RECORD_BYTES more for a delta that is not kept */
    uint64_t bytes;    /* a multiple of 64 */
    uint64_t tail;     /* where the oldest frame record is */
    uint64_t head;     /* where the next record goes */
    uint64_t at;       /* where the current frame's record is, if it is held */
    uint64_t held;     /* number of frame records in the ring */
    uint64_t behind;   /* how many of them lie at or before the current frame */
    int open;          /* whether the frame being committed has its record in the ring */
    int64_t oldest, current, newest;
} instar_deltas;

enum { INSTAR_CHUNK_RECORD_BYTES = INSTAR_LINE_BYTES + INSTAR_ELEMENTS_ROOM };

/* Forgets all frames and begins at `frame`. */
void instar_deltas_reset(instar_deltas *deltas, int64_t frame);

/* Begins, fills and ends the delta of `frame`, which is the current frame (its delta is added to) or a later one (what could be
 * redone is dropped). Between begin and end, each column is committed under its key. Returns changed lines. */
void instar_deltas_begin(instar_deltas *deltas, int64_t frame);
uint64_t instar_deltas_commit(instar_deltas *deltas, uint32_t key, instar_column *column);
void instar_deltas_end(instar_deltas *deltas);

/* One frame back or forward; columns by key. Returns 0, or -1 where there is none. */
int instar_deltas_undo(instar_deltas *deltas, instar_column *const *columns);
int instar_deltas_redo(instar_deltas *deltas, instar_column *const *columns);

/* Bytes between the oldest and the newest record's ends. */
uint64_t instar_deltas_used(const instar_deltas *deltas);

/* Makes the committed bytes and extent of a column live again. */
void instar_column_restore(const instar_kernels *kernels, instar_column *column);

#endif
