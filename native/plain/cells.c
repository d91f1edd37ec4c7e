#include "cells.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct span {
    int32_t begin, end; /* slots */
} span;

enum { MAX_SPANS = 6 };

/* Cells are a little wider than the radius, so that rounding never puts a near pair two cells apart. */
static const double slack = 1.000001;

static int enlarge(void *pointer, size_t bytes) {
    void **block = pointer;
    free(*block);
    *block = malloc(bytes);
    return *block ? 0 : -1;
}

static int make_room(instar_cells *cells, size_t cell_count, size_t points) {
    if (cell_count > cells->cell_room) {
        cells->cell_room = 0;
        if (enlarge(&cells->begin, (cell_count + 1) * sizeof *cells->begin)) return -1;
        cells->cell_room = cell_count;
    }
    if (points > cells->point_room) {
        size_t room = points + points / 4;
        cells->point_room = 0;
        if (enlarge(&cells->cell, room * sizeof *cells->cell) || enlarge(&cells->point, room * sizeof *cells->point) ||
            enlarge(&cells->count, room * sizeof *cells->count) || enlarge(&cells->x, room * sizeof *cells->x) ||
            enlarge(&cells->y, room * sizeof *cells->y))
            return -1;
        cells->point_room = room;
    }
    return 0;
}

/* As many cells as the radius allows, but no more than a few per point. */
static void choose_grid(instar_cells *cells, double width, double height, double radius) {
    double most = 2.0 * (double)cells->points + 16.0;
    double columns = fmax(1.0, floor(width / (radius * slack))), rows = fmax(1.0, floor(height / (radius * slack)));
    if (columns * rows > most) {
        double shrink = sqrt(most / columns / rows);
        columns = fmin(most, fmax(1.0, floor(columns * shrink)));
        rows = fmax(1.0, fmin(floor(rows * shrink), floor(most / columns)));
    }
    cells->columns = (int32_t)columns;
    cells->rows = (int32_t)rows;
}

static float wrap(float value, double size) {
    double wrapped = value - size * floor(value / size);
    return wrapped >= 0.0 && (float)wrapped < (float)size ? (float)wrapped : 0.0f;
}

static int32_t cell_along(float value, double size, int32_t cells) {
    double cell = value / size * cells;
    return cell <= 0.0 ? 0 : cell >= cells - 1 ? cells - 1 : (int32_t)cell;
}

static float place(const instar_cells *cells, float value, double size) { return cells->periodic ? wrap(value, size) : value; }

static void find_cells(instar_cells *cells, const float *x, const float *y, double width, double height) {
    memset(cells->begin, 0, ((size_t)cells->columns * cells->rows + 1) * sizeof *cells->begin);
    for (int64_t i = 0; i < cells->points; i++) {
        cells->cell[i] = -1;
        if (!isfinite(x[i]) || !isfinite(y[i])) continue;
        int32_t column = cell_along(place(cells, x[i], width), width, cells->columns);
        int32_t row = cell_along(place(cells, y[i], height), height, cells->rows);
        cells->cell[i] = row * cells->columns + column;
        cells->begin[cells->cell[i]]++;
    }
}

static void sort_points(instar_cells *cells, const float *x, const float *y, double width, double height) {
    int32_t begin = 0, cell_count = cells->columns * cells->rows;
    for (int32_t cell = 0; cell < cell_count; cell++) {
        int32_t count = cells->begin[cell];
        cells->begin[cell] = begin;
        begin += count;
    }
    cells->begin[cell_count] = begin;
    cells->placed = begin;
    for (int64_t i = 0; i < cells->points; i++) {
        if (cells->cell[i] < 0) continue;
        int32_t slot = cells->begin[cells->cell[i]]++;
        cells->point[slot] = (int32_t)i;
        cells->x[slot] = place(cells, x[i], width);
        cells->y[slot] = place(cells, y[i], height);
    }
    memmove(cells->begin + 1, cells->begin, (size_t)cell_count * sizeof *cells->begin);
    cells->begin[0] = 0;
}

/* The indices at most one away from `index` among `count`, ascending, each once; joined at the ends if periodic. */
static int around(int32_t index, int32_t count, int periodic, int32_t found[3]) {
    int n = 0;
    if (periodic && index == count - 1 && count > 2) found[n++] = 0;
    if (index > 0) found[n++] = index - 1;
    found[n++] = index;
    if (index < count - 1) found[n++] = index + 1;
    if (periodic && index == 0 && count > 2) found[n++] = count - 1;
    return n;
}

/* The runs of slots in the cells around one cell, ascending. */
static int find_spans(const instar_cells *cells, int32_t column, int32_t row, span spans[MAX_SPANS]) {
    int32_t columns[3], rows[3];
    int column_count = around(column, cells->columns, cells->periodic, columns);
    int row_count = around(row, cells->rows, cells->periodic, rows);
    int n = 0;
    for (int r = 0; r < row_count; r++)
        for (int c = 0; c < column_count; c++) {
            const int32_t *begin = cells->begin + (int64_t)rows[r] * cells->columns + columns[c];
            if (begin[0] == begin[1]) continue;
            if (n > 0 && spans[n - 1].end == begin[0])
                spans[n - 1].end = begin[1];
            else
                spans[n++] = (span){begin[0], begin[1]};
        }
    return n;
}

/* The shorter way round, for a distance of two places in [0, size). */
static inline float nearest_image(float distance, float size, float half) {
    float forward = distance < -half ? distance + size : distance;
    return distance > half ? distance - size : forward;
}

/* Half the world's size, or, where it has no joined edges, more than any distance. */
static float half_of(const instar_cells *cells, float size) { return cells->periodic ? 0.5f * size : INFINITY; }

/* Appends the pairs of one slot with a span to those found so far; returns how many there are now. Every candidate is written
 * where the next pair found belongs, so that there is no branch to guess. */
static int64_t gather_span(const instar_cells *cells, span run, int32_t own, int64_t found) {
    const float *restrict xs = cells->x, *restrict ys = cells->y;
    const int32_t *restrict point = cells->point;
    int32_t *restrict near = cells->near;
    float *restrict near_x = cells->near_x, *restrict near_y = cells->near_y;
    const float width = cells->width, height = cells->height, radius2 = cells->radius2, x = xs[own], y = ys[own];
    const float half_width = half_of(cells, width), half_height = half_of(cells, height);
    for (int32_t slot = run.begin; slot < run.end; slot++) {
        float dx = nearest_image(xs[slot] - x, width, half_width), dy = nearest_image(ys[slot] - y, height, half_height);
        near[found] = point[slot];
        near_x[found] = dx;
        near_y[found] = dy;
        found += (dx * dx + dy * dy < radius2) & (slot != own);
    }
    return found;
}

/* Grows an array of 4-byte items, keeping its values. */
static int grow(void *pointer, size_t items) {
    void **block = pointer, *grown = realloc(*block, 4 * items);
    if (grown) *block = grown;
    return grown ? 0 : -1;
}

static int make_near_room(instar_cells *cells, size_t pairs) {
    if (pairs <= cells->near_room) return 0;
    size_t room = pairs + pairs / 2;
    if (grow(&cells->near, room) || grow(&cells->near_x, room) || grow(&cells->near_y, room)) return -1;
    cells->near_room = room;
    return 0;
}

/* Finds the pairs of all points in one cell. Returns the pairs found so far, or a negative status. */
static int64_t gather_cell(instar_cells *cells, int32_t column, int32_t row, int64_t found) {
    span spans[MAX_SPANS];
    const int32_t *own = cells->begin + (int64_t)row * cells->columns + column;
    int64_t candidates = 0;
    if (own[0] == own[1]) return found;
    int span_count = find_spans(cells, column, row, spans);
    for (int s = 0; s < span_count; s++) candidates += spans[s].end - spans[s].begin;
    for (int32_t slot = own[0]; slot < own[1]; slot++) {
        int64_t before = found;
        if (found > INSTAR_MOST_PAIRS) return INSTAR_TOO_MANY_PAIRS;
        if (make_near_room(cells, (size_t)(found + candidates))) return INSTAR_NO_MEMORY;
        for (int s = 0; s < span_count; s++) found = gather_span(cells, spans[s], slot, found);
        cells->count[slot] = (int32_t)(found - before);
    }
    return found;
}

int64_t instar_cells_count(instar_cells *cells, const float *x, const float *y, int64_t points, double width, double height,
                           int periodic, double radius) {
    cells->points = points;
    cells->placed = 0;
    cells->width = (float)width;
    cells->height = (float)height;
    cells->radius2 = fmaxf((float)(radius * radius), FLT_MIN);
    cells->periodic = periodic;
    choose_grid(cells, width, height, radius);
    if (make_room(cells, (size_t)cells->columns * cells->rows, (size_t)points)) return INSTAR_NO_MEMORY;
    find_cells(cells, x, y, width, height);
    sort_points(cells, x, y, width, height);
    int64_t pairs = 0;
    for (int32_t row = 0; row < cells->rows; row++)
        for (int32_t column = 0; column < cells->columns && pairs >= 0; column++) pairs = gather_cell(cells, column, row, pairs);
    return pairs;
}

/* Writes where each point's pairs begin. */
static void fill_first(const instar_cells *cells, int64_t *first) {
    memset(first, 0, ((size_t)cells->points + 1) * sizeof *first);
    for (int64_t slot = 0; slot < cells->placed; slot++) first[cells->point[slot] + 1] = cells->count[slot];
    for (int64_t i = 0; i < cells->points; i++) first[i + 1] += first[i];
}

void instar_cells_fill(const instar_cells *cells, int64_t *first, int32_t *j, float *dx, float *dy) {
    const int32_t *near = cells->near;
    const float *near_x = cells->near_x, *near_y = cells->near_y;
    fill_first(cells, first);
    for (int64_t slot = 0; slot < cells->placed; slot++) {
        int64_t at = first[cells->point[slot]];
        int32_t count = cells->count[slot];
        for (int32_t k = 0; k < count; k++) j[at + k] = near[k];
        for (int32_t k = 0; k < count; k++) dx[at + k] = near_x[k];
        for (int32_t k = 0; k < count; k++) dy[at + k] = near_y[k];
        near += count;
        near_x += count;
        near_y += count;
    }
}

void instar_cells_free(instar_cells *cells) {
    free(cells->begin);
    free(cells->cell);
    free(cells->point);
    free(cells->count);
    free(cells->x);
    free(cells->y);
    free(cells->near);
    free(cells->near_x);
    free(cells->near_y);
    *cells = (instar_cells){0};
}

int64_t instar_segment_sum(const float *values, int64_t count, const int64_t *first, int64_t segments, float *out) {
    for (int64_t i = 0; i < segments; i++)
        if (first[i] < 0 || first[i] > first[i + 1] || first[i + 1] > count) return i;
    for (int64_t i = 0; i < segments; i++) {
        double sum = 0.0;
        for (int64_t k = first[i]; k < first[i + 1]; k++) sum += values[k];
        out[i] = (float)sum;
    }
    return -1;
}
