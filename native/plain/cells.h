/* Pairs of near points by a uniform grid.
 *
 * Points are sorted by cell (a stable counting sort) into scratch columns; a point then meets the points of the 3 x 3 cells
 * around its own, which lie in at most two runs of slots per grid row. Everything is deterministic: the order of a row's
 * pairs is that of the sorted points.
 */
#ifndef INSTAR_CELLS_H
#define INSTAR_CELLS_H

#include <stddef.h>
#include <stdint.h>

typedef struct instar_cells {
    float width, height, radius2;
    int periodic;
    int32_t columns, rows; /* the grid's size in cells */
    int64_t points, placed; /* all points, and those that are finite */
    int32_t *begin;   /* [columns * rows + 1] first slot of each cell */
    int32_t *cell;    /* [points] cell of each point, -1 for none */
    int32_t *point;   /* [placed] point in each slot */
    int32_t *count;   /* [placed] pairs of each slot */
    float *x, *y;     /* [placed] places, wrapped into the world if it is periodic */
    int32_t *near;    /* [pairs] second point of each pair, slot after slot, with the way to it; and room for candidates */
    float *near_x, *near_y;
    size_t cell_room, point_room, near_room;
} instar_cells;

enum { INSTAR_NO_MEMORY = -1, INSTAR_TOO_MANY_PAIRS = -2, INSTAR_MOST_PAIRS = 1 << 30 };

/* Sorts the points and finds the ordered pairs (i, j), i != j, nearer than radius. Sizes are finite and positive, a periodic
 * world is at least two radii wide and high. Returns the number of pairs, or one of the statuses above. */
int64_t instar_cells_count(instar_cells *cells, const float *x, const float *y, int64_t points, double width, double height,
                           int periodic, double radius);

/* Writes the pairs found last, in the order of the points: first[points + 1], and j, dx, dy for each pair. */
void instar_cells_fill(const instar_cells *cells, int64_t *first, int32_t *j, float *dx, float *dy);

void instar_cells_free(instar_cells *cells);

/* out[i] = sum of values[first[i] .. first[i + 1]), added up in order as doubles. Returns -1, or the first i whose segment does
 * not lie in the `count` values; nothing is written then. */
int64_t instar_segment_sum(const float *values, int64_t count, const int64_t *first, int64_t segments, float *out);

#endif
