/* Stable ids: `generation << 32 | slot`, plus one so that 0 means none; a slot knows the row in which its agent stands. */
#ifndef INSTAR_INDEX_H
#define INSTAR_INDEX_H

#include <stdint.h>

#include "despawns.h"

typedef struct instar_index {
    uint64_t *ids;       /* by row; 0 past the last */
    uint64_t *slots;     /* by slot: generation << 32 | row, the row all ones where the slot is free */
    uint32_t *free;      /* a stack of free slots; 0 past its top */
    uint64_t used;       /* slots ever handed out */
    uint64_t free_count; /* slots on the stack */
    uint64_t room;       /* of each of the three */
} instar_index;

enum { INSTAR_INDEX_DAMAGED = -1, INSTAR_INDEX_FULL = -2 };

/* Gives ids to the rows from `start` on: freed slots first, the last freed foremost. 0, or what is wrong with nothing changed. */
int instar_index_spawn(instar_index *index, uint64_t start, uint64_t count);

/* Frees the ids of the rows marked and moves the others' as planned. 0, or INSTAR_INDEX_DAMAGED with nothing changed. */
int instar_index_despawn(instar_index *index, const instar_despawns *despawns, uint64_t rows);

/* The row of each id; -1 for ids that are gone, 0, or never were. */
void instar_index_rows(const instar_index *index, const uint64_t *ids, int64_t *rows, uint64_t count);

/* Zeroes the ids of agents that are gone, where they differ from `known` (NULL: everywhere); ids never given stay: `stray`
 * receives the place of the first of those, `count` if there is none. Returns how many were zeroed. */
uint64_t instar_index_forget(const instar_index *index, uint64_t *ids, const uint64_t *known, uint64_t count, uint64_t *stray);

#endif
