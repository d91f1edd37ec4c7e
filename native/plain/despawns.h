/* The rows of one table that are to go, and how the rest closes up: the last rows move into the holes. */
#ifndef INSTAR_DESPAWNS_H
#define INSTAR_DESPAWNS_H

#include <stddef.h>
#include <stdint.h>

/* Begins as zeros; its memory grows only, until it is freed. Rows are less than 2^32. */
typedef struct instar_despawns {
    uint64_t *marks;     /* a bit per row that is to go */
    uint64_t words;      /* room in `marks` */
    uint64_t low, high;  /* the words in which bits can be set */
    uint64_t count;      /* rows marked */
    uint32_t *holes;     /* the marked rows among those that will remain, ascending */
    uint32_t *movers;    /* the rows past those that stay all the same, ascending: each moves into the hole of its place */
    uint64_t moves;      /* holes, and movers */
    uint64_t room;       /* room in `holes` and in `movers` */
    uint64_t growths;    /* how often memory was asked for */
} instar_despawns;

enum { INSTAR_DESPAWNS_NO_MEMORY = -1 };

/* Room for marks of so many rows; 0, or INSTAR_DESPAWNS_NO_MEMORY with nothing changed. The marks below ask for it. */
int instar_despawns_reserve(instar_despawns *despawns, uint64_t rows);

/* Marks rows of a table of `rows`; negative ones count from its end. Returns -1, or which one is not there: none is marked then. */
int64_t instar_despawns_mark(instar_despawns *despawns, const int64_t *chosen, uint64_t count, uint64_t rows);

/* Marks the rows whose byte is not zero. */
void instar_despawns_mark_mask(instar_despawns *despawns, const uint8_t *mask, uint64_t rows);

/* Marks `count` rows from `start` on, `step` (other than 0) apart. */
void instar_despawns_mark_range(instar_despawns *despawns, int64_t start, uint64_t count, int64_t step);

/* Works out holes and movers for a table of `rows`; 0, or INSTAR_DESPAWNS_NO_MEMORY. */
int instar_despawns_plan(instar_despawns *despawns, uint64_t rows);

/* Carries the plan out on cells, and zeroes those that fall free. */
void instar_despawns_close(const instar_despawns *despawns, uint8_t *cells, size_t cell_bytes, uint64_t rows);

void instar_despawns_clear(instar_despawns *despawns);
void instar_despawns_free(instar_despawns *despawns);

#endif
