/* Columns with a history, and a model of it: whole copies of what was committed, oldest first. */
#ifndef WORLD_H
#define WORLD_H

#include "travel.h"

enum { COLUMNS = 3, MOST_FRAMES = 256 };

typedef struct copy {
    int64_t frame;
    uint64_t extents[COLUMNS];
    uint8_t *bytes[COLUMNS]; /* whole capacities */
} copy;

typedef struct world {
    instar_deltas deltas;
    instar_column columns[COLUMNS];
    instar_column *by_key[COLUMNS];
    copy copies[MOST_FRAMES];
    int count, current; /* of the copies; `current` is the one that is committed */
} world;

/* Zeroed memory at a page's beginning; ends the program where there is none. */
void *take_memory(size_t bytes);

void world_open(world *world, const instar_kernels *path, const uint64_t chunks[COLUMNS], uint64_t ring_bytes, unsigned threads);
void world_close(world *world);

/* Random changes of live bytes and extents. */
void world_write(world *world);

/* Commits all columns or some; what is not committed is discarded. */
void world_commit(world *world, int64_t frame);
void world_write_and_commit(world *world);

/* Drops what could be redone, with an empty commit of the current frame. */
void world_forget_redo(world *world);

/* Makes committed bytes live again. */
void world_discard(world *world);

/* Goes a frame back or forward if one is held; the copies follow. Returns the status. */
int world_undo(world *world);
int world_redo(world *world);

/* Which copy is of that frame; there is one. */
int world_find(const world *world, int64_t frame);

/* Committed bytes are the current copy's, and their CRCs belong to them. */
void world_expect_committed(const world *world);

/* Committed bytes are right, and the ring holds whole frames just as it says, each of which has a copy. */
void world_expect_sound(const world *world);

#endif
