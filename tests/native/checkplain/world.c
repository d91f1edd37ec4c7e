#include "world.h"

#include <string.h>

#include "check.h"
#include "random.h"

void *take_memory(size_t bytes) {
    void *memory = NULL;
    EXPECT(posix_memalign(&memory, 4096, bytes ? bytes : 1) == 0);
    return memset(memory, 0, bytes);
}

static void copy_column(const world *world, copy *copy, int key) {
    copy->extents[key] = world->columns[key].committed_extent;
    memcpy(copy->bytes[key], world->columns[key].committed, world->columns[key].capacity);
}

static void copy_open(const world *world, copy *copy, int64_t frame) {
    copy->frame = frame;
    for (int key = 0; key < COLUMNS; key++) copy->bytes[key] = take_memory(world->columns[key].capacity);
}

static void copy_close(copy *copy) {
    for (int key = 0; key < COLUMNS; key++) free(copy->bytes[key]);
}

void world_open(world *world, const instar_kernels *path, const uint64_t chunks[COLUMNS], uint64_t ring_bytes, unsigned threads) {
    memset(world, 0, sizeof *world);
    for (int key = 0; key < COLUMNS; key++) {
        instar_column *column = world->by_key[key] = &world->columns[key];
        column->capacity = chunks[key] * INSTAR_CHUNK_BYTES;
        column->live = take_memory(column->capacity);
        column->committed = take_memory(column->capacity);
        column->crcs = take_memory(chunks[key] * sizeof *column->crcs);
    }
    world->deltas.kernels = path;
    world->deltas.ring.bytes = world->deltas.limit = ring_bytes / INSTAR_LINE_BYTES * INSTAR_LINE_BYTES;
    world->deltas.ring.base = take_memory(world->deltas.ring.bytes + INSTAR_SPARE_BYTES);
    if (threads > 1) {
        world->deltas.staging = take_memory(threads * (size_t)INSTAR_STAGING_BYTES);
        world->deltas.pool = instar_pool_start(threads);
        EXPECT(world->deltas.pool && instar_pool_threads(world->deltas.pool) == threads);
    }
    copy_open(world, &world->copies[0], 0);
    world->count = 1;
}

void world_close(world *world) {
    if (world->deltas.pool) instar_pool_stop(world->deltas.pool);
    for (int i = 0; i < world->count; i++) copy_close(&world->copies[i]);
    for (int key = 0; key < COLUMNS; key++) {
        free(world->columns[key].live);
        free(world->columns[key].committed);
        free(world->columns[key].crcs);
    }
    free(world->deltas.staging);
    free(world->deltas.ring.base);
}

/* Bytes past the extent are zeros, as tables keep them. */
static void change_extent(instar_column *column) {
    uint64_t extent = random_below(column->capacity + 1);
    if (extent < column->extent) memset(column->live + extent, 0, column->extent - extent);
    column->extent = extent;
}

static void write_column(instar_column *column) {
    if (random_below(3) == 0) change_extent(column);
    if (column->extent < 8) return;
    uint64_t from = random_below(column->extent), bytes = column->extent - from, most = random_below(3) ? 4096 : 65536;
    bytes = bytes < most ? bytes : most;
    switch (random_below(5)) {
    case 0: column->live[from] ^= (uint8_t)(1 + random_below(255)); break;
    case 1: random_fill(column->live + from, bytes); break;
    case 2: memset(column->live + from, (int)random_below(256), bytes); break;
    case 3:
        for (uint64_t at = from; at < from + bytes; at += 1 + random_below(300)) column->live[at] ^= (uint8_t)random_word();
        break;
    default:
        for (int n = 0; n < 20; n++) column->live[random_below(column->extent)] ^= (uint8_t)random_word();
    }
}

void world_write(world *world) {
    for (int key = 0; key < COLUMNS; key++)
        if (random_below(2)) write_column(&world->columns[key]);
}

/* The copies after the current one go, and the oldest where there is no room. */
static copy *next_copy(world *world, int64_t frame) {
    while (world->count > world->current + 1) copy_close(&world->copies[--world->count]);
    if (frame == world->copies[world->current].frame) return &world->copies[world->current];
    if (world->count == MOST_FRAMES) {
        copy_close(&world->copies[0]);
        memmove(world->copies, world->copies + 1, --world->count * sizeof *world->copies);
    }
    world->current = world->count++;
    copy_open(world, &world->copies[world->current], frame);
    return &world->copies[world->current];
}

void world_commit(world *world, int64_t frame) {
    uint32_t keys[COLUMNS] = {0, 1, 2}, count = COLUMNS;
    if (random_below(4) == 0) {
        count = (uint32_t)random_below(COLUMNS + 1);
        for (uint32_t i = 0; i < COLUMNS; i++) keys[i] = (keys[i] + 1) % COLUMNS;
    }
    for (uint32_t i = count; i < COLUMNS; i++) instar_column_restore(world->deltas.kernels, &world->columns[keys[i]]);
    instar_deltas_commit(&world->deltas, frame, keys, count, world->by_key);
    copy *copy = next_copy(world, frame);
    for (int key = 0; key < COLUMNS; key++) {
        instar_column *column = &world->columns[key];
        EXPECT(column->extent == column->committed_extent);
        EXPECT(memcmp(column->live, column->committed, column->capacity) == 0);
        copy_column(world, copy, key);
    }
}

void world_write_and_commit(world *world) {
    world_write(world);
    world_commit(world, world->deltas.current + 1 + (int64_t)random_below(3));
}

void world_forget_redo(world *world) {
    instar_deltas_commit(&world->deltas, world->deltas.current, NULL, 0, world->by_key);
    next_copy(world, world->deltas.current);
}

void world_discard(world *world) {
    for (int key = 0; key < COLUMNS; key++) instar_column_restore(world->deltas.kernels, &world->columns[key]);
}

int world_undo(world *world) {
    world_discard(world);
    int status = instar_deltas_undo(&world->deltas, world->by_key);
    if (status == 0) world->current--;
    return status;
}

int world_redo(world *world) {
    world_discard(world);
    int status = instar_deltas_redo(&world->deltas, world->by_key);
    if (status == 0) world->current++;
    return status;
}

int world_find(const world *world, int64_t frame) {
    for (int i = 0; i < world->count; i++)
        if (world->copies[i].frame == frame) return i;
    fprintf(stderr, "frame %lld has no copy\n", (long long)frame);
    exit(1);
}

void world_expect_committed(const world *world) {
    const copy *now = &world->copies[world->current];
    EXPECT(world->deltas.current == now->frame);
    for (int key = 0; key < COLUMNS; key++) {
        const instar_column *column = &world->columns[key];
        EXPECT(column->committed_extent == now->extents[key]);
        EXPECT(memcmp(column->committed, now->bytes[key], column->capacity) == 0);
        for (uint64_t at = 0; at < column->capacity; at += INSTAR_CHUNK_BYTES)
            EXPECT(column->crcs[at / INSTAR_CHUNK_BYTES] ==
                   ~world->deltas.kernels->crc64(column->committed + at, INSTAR_CHUNK_BYTES, ~UINT64_C(0)));
    }
}

static void expect_frame(const world *world, int64_t place, int index) {
    const instar_deltas *deltas = &world->deltas;
    EXPECT(place >= 0 && instar_frame_damage(deltas->kernels, &deltas->ring, (uint64_t)place) == INSTAR_NONE);
    EXPECT(instar_frame_at(&deltas->ring, (uint64_t)place)->frame == world->copies[index].frame);
    EXPECT(instar_frame_at(&deltas->ring, (uint64_t)place)->frame_before == world->copies[index - 1].frame);
}

void world_expect_sound(const world *world) {
    const instar_deltas *deltas = &world->deltas;
    int oldest = world_find(world, deltas->oldest), newest = world_find(world, deltas->newest);
    world_expect_committed(world);
    EXPECT((int)deltas->held == newest - oldest && (int)deltas->behind == world->current - oldest);
    EXPECT(instar_deltas_used(deltas) <= deltas->limit);
    EXPECT(deltas->sequence % 2 == 0 && !deltas->open && !deltas->lock);
    int64_t place = (int64_t)deltas->at;
    for (int i = world->current; i > oldest; i--) {
        expect_frame(world, place, i);
        place = (int64_t)instar_frame_at(&deltas->ring, (uint64_t)place)->previous;
    }
    place = instar_deltas_ahead(deltas);
    for (int i = world->current + 1; i <= newest; i++) {
        expect_frame(world, place, i);
        place = instar_frame_after(&deltas->ring, (uint64_t)place);
    }
    EXPECT(place == INSTAR_NONE || newest == world->current);
}
